"""Who converts a step: by its exact type, our converter before skl2onnx.

A converter takes the fitted step and a `Table` and gives a `Table` or a `Prediction`. Those of steps made of steps come
back here for what is inside. `training.converters.registry` fills the tables. Types are matched exactly: a subclass may
do anything, and is converted only if skl2onnx knows it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from training.candidates.anomaly import AnomalyClassifier
from training.converters import by_skl2onnx
from training.converters.nodes import Nodes
from training.converters.prediction import Prediction
from training.converters.table import Numbers, Table
from training.errors import ExportRefused
from training.rounding import has_fixed_bits

Transform = Callable[[Nodes, Any, Table], Table]
Predict = Callable[[Nodes, Any, Table], Prediction]

TRANSFORMERS: dict[type, Transform] = {}
PREDICTORS: dict[type, Predict] = {}
COMPOSED_STEPS = frozenset({Pipeline, ColumnTransformer, FeatureUnion})
TAKES_INFINITIES = (HistGradientBoostingClassifier, HistGradientBoostingRegressor, IsolationForest)
COMPOSED = frozenset({
    Pipeline, CalibratedClassifierCV, VotingClassifier, VotingRegressor, StackingClassifier, StackingRegressor,
    BaggingClassifier, BaggingRegressor, FixedThresholdClassifier, TunedThresholdClassifierCV, GridSearchCV,
    RandomizedSearchCV, FrozenEstimator, AnomalyClassifier,
})  # fmt: skip


def transform(nodes: Nodes, step: Any, table: Table) -> Table:
    """What a fitted transformer makes of the columns."""
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return table
    if table.wild and type(step) not in COMPOSED_STEPS | {FunctionTransformer}:
        _refuse_what_the_step_refuses(nodes, step, table)
    convert = TRANSFORMERS.get(type(step), by_skl2onnx.transform)
    made = convert(nodes, step, table)
    return made if has_fixed_bits(step) or type(step) in COMPOSED_STEPS else made.with_other_last_bits()


def predict(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """What a fitted classifier, regressor or outlier detector says."""
    if model is None or isinstance(model, str):
        raise ExportRefused(f"the pipeline ends in {model!r}; its last step must predict")
    if table.wild and type(model) not in COMPOSED:
        _refuse_what_the_step_refuses(nodes, model, table)
    convert = PREDICTORS.get(type(model), by_skl2onnx.predict)
    return convert(nodes, model, table)


def _refuse_what_the_step_refuses(nodes: Nodes, step: Any, table: Table) -> None:
    """A step before may have made infinities or NaN of ordinary numbers, on which this one raises."""
    takes_missing = bool(step.__sklearn_tags__().input_tags.allow_nan)
    for part in table.parts:
        if isinstance(part, Numbers):
            if not isinstance(step, TAKES_INFINITIES):
                nodes.refuse(nodes.op("IsInf", part.name))
            if not takes_missing:
                nodes.refuse(nodes.op("IsNaN", part.name))
