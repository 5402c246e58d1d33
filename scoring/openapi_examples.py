"""Requests that work as they stand, for each model and each protocol: what the document shows and `/docs` has copied.

Each protocol's first example is the same ordinary instance. The native one has the id `a-17`, to which the example of
a label and the address of an instance's page belong.
"""

from __future__ import annotations

from typing import Any, Literal

from scoring.bundle import Manifest
from scoring.example import shown_instance
from scoring.openapi_inference import inference_example
from scoring.openapi_invocation import csv_example, invocation_examples

INSTANCE_ID = "a-17"


def examples_of(
    manifests: list[Manifest], what: Literal["native", "labels", "open_inference", "mlflow", "csv"]
) -> dict[str, Any]:
    """Bodies by name: a model's, or a model's and which of several."""
    found: dict[str, Any] = {}
    for manifest in manifests:
        if what == "mlflow":
            found |= {f"{manifest.name}.{name}": value for name, value in invocation_examples(manifest).items()}
        else:
            found[manifest.name] = _MAKERS[what](manifest)
    return found


def _scores(manifest: Manifest) -> dict[str, Any]:
    return {"instances": [shown_instance(manifest)], "ids": [INSTANCE_ID]}


def _labels(manifest: Manifest) -> dict[str, Any]:
    truth = {"value": _value(manifest)} if manifest.task == "regression" else {"label": manifest.classes[0]}
    return {"labels": [{"id": INSTANCE_ID, **truth}]}


def _value(manifest: Manifest) -> float:
    """A value that a regression's truth may have."""
    criteria = manifest.criteria
    return criteria.output_minimum if criteria.output_minimum is not None else 1.0


_MAKERS = {"native": _scores, "labels": _labels, "open_inference": inference_example, "csv": csv_example}
