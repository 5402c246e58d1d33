"""Selection of features: the columns that the fitted step keeps, as they are.

Nothing is computed: values keep their bits, missing ones stay missing.
"""

from __future__ import annotations

from typing import Any

from sklearn.feature_selection import (
    RFE,
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
)

from training.converters.nodes import Nodes
from training.converters.table import Table

SELECTORS = (
    GenericUnivariateSelect, RFE, RFECV, SelectFdr, SelectFpr, SelectFromModel, SelectFwe, SelectKBest,
    SelectPercentile, SequentialFeatureSelector, VarianceThreshold,
)  # fmt: skip


def convert_selection(nodes: Nodes, model: Any, table: Table) -> Table:
    """The columns that are kept, in their order."""
    return table.select(nodes, model.get_support(indices=True).tolist())
