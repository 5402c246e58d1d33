"""Requests made by schemathesis from our own OpenAPI document, valid ones and invalid ones, over HTTP.

`run.py` runs it, `hooks.py` teaches it what a JSON Schema cannot say, `balance.py` compares what was answered with what
the log holds, `schemathesis.toml` says which checks are on. `python -m tests.fuzz` is `make fuzz`.
"""
