"""A module for each command of `python -m evaluation`."""
