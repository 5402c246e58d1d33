"""Plots of the comparison, drawn with the elements of `evaluation.pages.plots`."""
