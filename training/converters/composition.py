"""Pipelines, column transformers and feature unions: who gets which columns, in which order."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.converters.dispatch import predict, transform
from training.converters.nodes import Nodes
from training.converters.prediction import Prediction
from training.converters.table import Table


def convert_pipeline(nodes: Nodes, model: Any, table: Table) -> Table:
    """A pipeline of transformers only."""
    for name, step in model.steps:
        with nodes.step(name):
            table = transform(nodes, step, table)
    return table


def predict_pipeline(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """A pipeline whose last step predicts."""
    for name, step in model.steps[:-1]:
        with nodes.step(name):
            table = transform(nodes, step, table)
    name, final = model.steps[-1]
    with nodes.step(name):
        return predict(nodes, final, table)


def convert_columns(nodes: Nodes, model: Any, table: Table) -> Table:
    """Each transformer's columns, side by side; `remainder` comes last."""
    made = []
    for name, step, _ in model.transformers_:
        positions = [int(i) for i in model._transformer_to_input_indices[name]]
        if (isinstance(step, str) and step == "drop") or not positions:
            continue
        with nodes.step(name):
            made.append(transform(nodes, step, table.select(nodes, positions)))
    return Table.beside(made)


def convert_union(nodes: Nodes, model: Any, table: Table) -> Table:
    """Each transformer's columns, side by side, weighted where it is asked for."""
    made = []
    for name, step in model.transformer_list:
        if isinstance(step, str) and step == "drop":
            continue
        with nodes.step(name):
            part = transform(nodes, step, table)
            weight = (model.transformer_weights or {}).get(name)
            if weight is not None:
                scaled = nodes.op("Mul", part.matrix(nodes, step), np.array([float(weight)]))
                part = part.numbers(scaled, part.width)
            made.append(part)
    return Table.beside(made)
