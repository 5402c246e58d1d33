"""The log under siege: clients write while the line to the storage and the host itself meet every kind of trouble.

`python -m tests.siege` is `make siege`. `ledger.py` is what each client was told and what that promises, and
`comparison.py` holds it against the log. Two ways to run: `host_siege.py` with the function host over HTTP
(`clients.py`, `misfortunes.py`), `writers_siege.py` with two writers directly. `tables.py` is how it is told.
"""
