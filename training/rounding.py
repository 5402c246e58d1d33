"""Which pipelines reach a split through arithmetic whose last bit is nobody's promise.

scikit-learn's own logarithms, powers and matrix products differ in the last bit from machine to machine, and matrix
products from batch to batch. A tree behind them may turn on that bit. Scalers, imputers, encoders and products of
features are a few IEEE operations in a fixed order, and ONNX Runtime gives the same bits.
"""

from __future__ import annotations

from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier, StackingRegressor
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from training.converters.functions import is_bit_by_bit
from training.converters.selection import SELECTORS
from training.splits import has_splits, inner_models

BIT_BY_BIT = (
    SimpleImputer, MissingIndicator, StandardScaler, RobustScaler, MinMaxScaler, MaxAbsScaler, OneHotEncoder,
    OrdinalEncoder, TargetEncoder, PolynomialFeatures, *SELECTORS,
)  # fmt: skip


def splits_on_rounded_values(model: Any, rounded: bool = False) -> bool:
    """Whether somewhere in the pipeline trees get values whose last bit is not fixed."""
    if isinstance(model, Pipeline):
        rounded = rounded or any(not has_fixed_bits(step) for _, step in model.steps[:-1])
        return splits_on_rounded_values(model.steps[-1][1], rounded)
    if isinstance(model, StackingClassifier | StackingRegressor):
        if splits_on_rounded_values(model.final_estimator_, rounded=True):
            return True
    elif has_splits(model):
        return rounded
    return any(splits_on_rounded_values(inner, rounded) for inner in inner_models(model))


def has_fixed_bits(step: Any) -> bool:
    """Whether a transformer's output has the same bits everywhere."""
    if step is None or isinstance(step, str):
        return True
    if isinstance(step, Pipeline):
        return all(has_fixed_bits(inner) for _, inner in step.steps)
    if isinstance(step, ColumnTransformer):
        return all(has_fixed_bits(inner) for _, inner, _ in step.transformers_)
    if isinstance(step, FeatureUnion):
        return all(has_fixed_bits(inner) for _, inner in step.transformer_list)
    if isinstance(step, FunctionTransformer):
        return is_bit_by_bit(step)
    return type(step) in BIT_BY_BIT
