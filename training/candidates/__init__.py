"""Before production: which model? Candidates are compared on the same folds, and the pick says why it was picked.

    table.py, columns.py, target.py   what was given: columns by type, what is left out, the target
    catalogue.py                      the candidates, each a pipeline of scikit-learn steps that can be exported
    preprocessing.py, remedies.py, anomaly.py     what they are made of
    cross_validation.py, judging.py, selection.py predictions for rows not seen, their figures, the pick
    comparison.py, fitting.py         all of it together: `fit`
    page.py, plots/, console.py       what a person sees

Nothing here is imported by scoring or evaluation.
"""
