"""Drift, one idea a file.

The statistics (`jensen_shannon` … `psi`) and the rule for when they alert (`no_drift`) take counts whose last axis is
the bins, so that one call serves a feature or a thousand simulated ones; they know nothing of features, thresholds or
reports. The other modules judge a histogram by them (`judge`), say what was found (`sentences`, `verdict`) and draw
what a person would rather look at.
"""
