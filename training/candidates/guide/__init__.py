"""The guide "Snakes on a Hyperplane": cases of the talk, run and written down by `python -m training.candidates.guide`.

cases.py       the tables, made with fixed seeds
boundary.py    where a model says what, as a picture
text.py        the words around the figures
__main__.py    runs them and writes docs/guide/
"""
