"""Register our converters with skl2onnx for the time of one conversion, and leave its tables as they were.

skl2onnx keeps converters in module-level dictionaries. Another library in the same process may rely on them, so they
are copied before and restored after, under a lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import skl2onnx
from skl2onnx import _parse, _supported_operators
from skl2onnx.common import _registration
from skl2onnx.common.shape_calculator import (
    calculate_linear_classifier_output_shapes,
    calculate_linear_regressor_output_shapes,
)
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeClassifier, RidgeClassifierCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures
from sklearn.svm import SVC, SVR, LinearSVC, NuSVC, NuSVR

from training.converters import functions, imputer, kernel_machine, linear, neighbours, polynomial

Converter = Callable[[Any, Any, Any], None]

CLASSIFIERS: dict[type, Converter] = {
    LinearSVC: linear.convert_decision,
    RidgeClassifier: linear.convert_decision,
    RidgeClassifierCV: linear.convert_decision,
    LinearDiscriminantAnalysis: linear.convert_discriminant,
    SVC: kernel_machine.convert_classifier,
    NuSVC: kernel_machine.convert_classifier,
    KNeighborsClassifier: neighbours.convert_classifier,
}
REGRESSORS: dict[type, Converter] = {
    SVR: kernel_machine.convert_regressor,
    NuSVR: kernel_machine.convert_regressor,
    KNeighborsRegressor: neighbours.convert_regressor,
}
TRANSFORMERS: dict[type, tuple[Callable[[Any], None], Converter]] = {
    SimpleImputer: (imputer.imputer_shape, imputer.convert_imputer),
    FunctionTransformer: (functions.function_shape, functions.convert_function),
    PolynomialFeatures: (polynomial.polynomial_shape, polynomial.convert_polynomial),
}

_lock = threading.Lock()
_tables: list[dict[Any, Any]] = [
    _supported_operators.sklearn_operator_name_map,
    _parse.sklearn_parsers_map,
    _registration._converter_pool,
    _registration._shape_calculator_pool,
]


@contextmanager
def our_converters() -> Iterator[None]:
    """Within this block skl2onnx converts with the converters of this package."""
    with _lock:
        before = [dict(table) for table in _tables]
        try:
            _register()
            yield
        finally:
            for table, content in zip(_tables, before, strict=True):
                table.clear()
                table.update(content)


def _register() -> None:
    options = {"zipmap": [True, False, "columns"], "nocl": [True, False], "output_class_labels": [False, True]}
    for kind, convert in CLASSIFIERS.items():
        shape = calculate_linear_classifier_output_shapes
        skl2onnx.update_registered_converter(kind, _alias(kind), shape, convert, options=options)
    for kind, convert in REGRESSORS.items():
        skl2onnx.update_registered_converter(kind, _alias(kind), calculate_linear_regressor_output_shapes, convert)
    for kind, (shape, convert) in TRANSFORMERS.items():
        skl2onnx.update_registered_converter(kind, _alias(kind), shape, convert)
        # FunctionTransformer has a parser of its own, which sees each column apart; the default one serves ours.
        _parse.sklearn_parsers_map.pop(kind, None)


def _alias(kind: type) -> str:
    """A name of its own for each of our converters, so that skl2onnx's own ones stay registered under theirs."""
    return f"Hyperplane{kind.__name__}"
