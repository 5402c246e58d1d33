"""Plots as SVG text: one file a plot, each a pure function of values.

Every plot has a `<title>` and a `<desc>` that says in words what it shows, takes NaN, nothing, a single point and any
range, and gets its colours from the page's stylesheet, so that it follows light, dark and print.
"""
