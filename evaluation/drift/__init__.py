"""Distances between two binned distributions, one a file, and the rule for when they alert.

Each takes counts whose last axis is the bins, so that one call serves a feature or a thousand simulated ones. They
know nothing of features, thresholds or reports.
"""
