"""Register our converters with skl2onnx for the time of one conversion, and leave its tables as they were.

skl2onnx keeps converters in module-level dictionaries. Another library in the same process may rely on them, so they
are copied before and restored after, under a lock.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import skl2onnx
from skl2onnx import _parse, _supported_operators
from skl2onnx.common import _registration
from sklearn.impute import SimpleImputer

from training.converters.imputer import convert_imputer, imputer_shape

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
    skl2onnx.update_registered_converter(SimpleImputer, "HyperplaneSimpleImputer", imputer_shape, convert_imputer)
