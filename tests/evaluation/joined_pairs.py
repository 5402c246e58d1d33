"""Joined tables and baselines of a simulated model, for tests of what is made from labelled pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import pandas as pd

from evaluation.label_join import Joined, Key
from evaluation.report_format import LabelArrival
from scoring.bundle import SCHEMA, Baseline, Label, Manifest, Metric, Output, Parity, Task, class_key

CLASSES: dict[Task, list[Label]] = {"binary": ["no", "yes"], "multiclass": ["a", "b", "c"], "regression": []}


def manifest_of(task: Task, version: str = "1", metrics: Mapping[str, Metric] | None = None) -> Manifest:
    """A manifest with what the performance section asks for."""
    return Manifest(
        schema=SCHEMA,
        name="toy",
        version=version,
        created="2026-11-20T00:00:00Z",
        task=task,
        features=[],
        input="x",
        output=Output(value="v") if task == "regression" else Output(label_index="l", probabilities="p"),
        classes=CLASSES[task],
        positive="yes" if task == "binary" else None,
        parity=Parity(rows=1, adversarial_rows=1, largest_difference=0.0, label_ties=0, takes_missing=False),
        metrics=dict(metrics or {}),
        files={},
    )


def baseline_of(shares: np.ndarray, truth: np.ndarray, classes: Sequence[Label]) -> Baseline:
    """A baseline that holds how often probabilities came true."""
    bins = np.clip((shares * 100).astype(int), 0, 99)
    keys = [class_key(label) for label in classes]
    return Baseline(
        schema=SCHEMA,
        rows=len(truth),
        test_rows=len(truth),
        features={},
        outputs={},
        scores_by_class={
            true: {
                key: np.bincount(bins[truth == t, k], minlength=100).tolist() for k, key in enumerate(keys)
            }
            for t, true in enumerate(keys)
        },
    )  # fmt: skip


def classified(
    shares: np.ndarray, truth: np.ndarray, classes: Sequence[Label], first: int = 0, ts: Sequence[str] | None = None
) -> pd.DataFrame:
    """Labelled instances of a classifier that predicts its largest probability; ids count from `first`."""
    keys, texts = [class_key(c) for c in classes], [msgspec.json.encode(c).decode() for c in classes]
    nothing = np.full(len(truth), np.nan)
    return pd.DataFrame(
        {
            "id": [f"i-{first + row}" for row in range(len(truth))],
            "ts": pd.to_datetime(list(ts) if ts is not None else ["2026-11-23T12:00:00"] * len(truth)),
            "label": [texts[i] for i in shares.argmax(axis=1)],
            "value": nothing,
            "score": nothing,
            "probabilities": [dict(zip(keys, row, strict=True)) for row in shares.tolist()],
            "truth_label": [texts[i] for i in truth],
            "truth_value": nothing,
        }
    )


def predicted(values: np.ndarray, truth: np.ndarray, first: int = 0) -> pd.DataFrame:
    """Labelled instances of a regression."""
    return pd.DataFrame(
        {
            "id": [f"i-{first + row}" for row in range(len(truth))],
            "ts": pd.to_datetime(["2026-11-23T12:00:00"] * len(truth)),
            "label": [None] * len(truth),
            "value": np.asarray(values, np.float64),
            "score": np.full(len(truth), np.nan),
            "probabilities": [None] * len(truth),
            "truth_label": [None] * len(truth),
            "truth_value": np.asarray(truth, np.float64),
        }
    )


def joined_of(pairs: Mapping[Key, pd.DataFrame]) -> Joined:
    """The join of some tables."""
    n = max((len(rows) for rows in pairs.values()), default=0)
    arrival = LabelArrival(labels=n, matched=n, scored=n, labelled=n, join_rate=1.0 if n else None)
    return Joined(pairs=dict(pairs), arrival=arrival, instances=n, repeated_ids=0, conflicting_ids=0)
