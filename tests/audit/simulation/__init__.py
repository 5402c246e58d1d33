"""A seeded simulator of the log: writers, clients, sealers and timers on a store and in processes that fail.

The code under test is the real one: `CommitLoop`, `CommitQueue` and `Appender` for each writer, `seal_hour`,
`write_digests`, and `audit.reader` and `verify_blobs` at the end. Simulated are time, the wall clocks, the store's
network, and the processes. One `random.Random(seed)` decides everything, so a seed happens again exactly.

Covered: other actors run at every call to the store, before and after it takes effect, at every sleep, and while a
writer waits for work. A call may be lost, be answered wrongly, come twice, or arrive hours later, when its process is
long dead; `mishaps` lists all. Not covered: other threads between two steps of Python (clients put into the queue
while the loop sleeps or calls; the tests of `LogWriter` have real threads), event loops, and what the storage SDK does
by itself (tests/audit/test_azure_refusals.py).

`make simulate` runs many seeds; `python -m tests.audit.simulation --seed N --trace` shows one.
"""
