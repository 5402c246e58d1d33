"""Before production: which model? Candidates are compared on the same folds, and the pick says why it was picked.

    table.py, columns.py, target.py, problem.py    what was given: columns by type, what is left out, rows to test on
    catalogue.py                       the candidates, from the plain to the flexible
    models.py, preprocessing.py, linearising.py, remedies.py, anomaly.py      what they are made of
    cross_validation.py, judging.py, selection.py    predictions for rows not seen, their figures, the pick
    comparison.py, fitting.py          all of it together: `compare`, `fit`
    page.py, plots/, console.py        what a person sees
    guide/                             writes docs/guide/

Nothing here is imported by scoring or evaluation.
"""
