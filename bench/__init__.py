"""Benchmarks that anyone can run: each module is a command that measures one promise and prints a small table.

A benchmark measures the whole service over HTTP as a client meets it, on one machine in one run, and gives medians of
paired runs: what it compares alternates, so that a machine that grows slower or busier meanwhile does so for both.
Nothing of the product imports this package.
"""
