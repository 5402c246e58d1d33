"""`PCA` and `TruncatedSVD`: x · componentsᵀ, less the projection of the mean, in scikit-learn's order of operations."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.converters.nodes import Nodes
from training.converters.table import Table


def convert_components(nodes: Nodes, model: Any, table: Table) -> Table:
    """One matrix, rows × components."""
    components = np.asarray(model.components_, dtype=np.float64)
    x = nodes.op("MatMul", table.matrix(nodes, model), np.ascontiguousarray(components.T))
    if getattr(model, "mean_", None) is not None:
        x = nodes.op("Sub", x, np.asarray(model.mean_, dtype=np.float64).reshape(1, -1) @ components.T)
    if getattr(model, "whiten", False):
        scale = np.sqrt(np.asarray(model.explained_variance_, dtype=np.float64))
        x = nodes.op("Div", x, np.maximum(scale, np.finfo(np.float64).eps).reshape(1, -1))
    return table.numbers(x, len(components))
