"""Hostile and clumsy clients over real HTTP: no 500, nothing leaks, and the log holds what was answered, no more.

Each answer goes into a ledger by its request id; `test_ledger.py`, the last of the folder, opens the log and compares.
"""
