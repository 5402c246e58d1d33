"""Linear models in double: decision = x · coefᵀ + intercept.

`LogisticRegression`, its cross-validated sister and `LinearDiscriminantAnalysis` make probabilities of it, by the
logistic function of two classes and the softmax of more. `LinearSVC` and `RidgeClassifier` decide by its sign, or by
the largest of several.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from training.converters.nodes import Nodes
from training.converters.prediction import Prediction, from_decision, winner
from training.converters.table import Table
from training.errors import ExportRefused


def convert_probabilities(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """Logistic regression, linear discriminant analysis."""
    return from_decision(nodes, _decision(nodes, model, table), len(model.classes_))


def convert_decision(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """Labels, and the decision function."""
    if hasattr(model, "predict_proba"):
        raise ExportRefused(
            f"probabilities of {type(model).__name__} with loss={getattr(model, 'loss', None)!r} are not supported; "
            "use LogisticRegression, or wrap the model in CalibratedClassifierCV"
        )
    decision = _decision(nodes, model, table)
    return Prediction(label=winner(nodes, decision, len(model.classes_)), decision=decision)


def convert_regressor(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """Values, n × 1."""
    return Prediction(value=_decision(nodes, model, table))


def _decision(nodes: Nodes, model: Any, table: Table) -> str:
    coefficients = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    product = nodes.op("MatMul", table.matrix(nodes, model), np.ascontiguousarray(coefficients.T))
    return nodes.op("Add", product, np.atleast_1d(np.asarray(model.intercept_, dtype=np.float64)))
