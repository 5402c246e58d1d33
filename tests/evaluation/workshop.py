"""Logs and bundles made by hand, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from audit.errors import NotFound
from audit.frames import ZERO_HEAD, encode_frame
from audit.layout import hour_of
from audit.memory_store import MemoryStore
from audit.records import Record, encode_record, timestamp
from scoring.bundle import (
    SCHEMA,
    Baseline,
    Bundle,
    Calibration,
    Clusters,
    Criteria,
    Feature,
    Histogram,
    Label,
    Manifest,
    Metric,
    Output,
    Parity,
    Requirements,
    Task,
    class_key,
)
from training.bundle_writer import write_bundle

NOON = 1_795_435_200.0  # 2026-11-23T12:00:00Z
HOUR = 3600.0
CLASSES: dict[Task, list[Label]] = {"binary": ["no", "yes"], "multiclass": [0, 1, 2], "regression": []}


class Log:
    """A log in memory that is written frame by frame."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self._ends: dict[str, tuple[int, int, str]] = {}

    def append(self, at_s: float, records: Sequence[Record | bytes], *, writer: str = "w", append_us: int = 900) -> str:
        """One frame in the blob of the hour; opens the blob if there is none. Returns the blob's name."""
        blob = f"log/v1/{hour_of(at_s)}/{writer}-0.jsonl"
        if blob not in self._ends:
            self.store.create(blob)
            self._ends[blob] = (0, 0, ZERO_HEAD)
            self._frame("open", blob, [msgspec.json.encode({"writer": writer})], 0)
        lines = [record if isinstance(record, bytes) else encode_record(record) for record in records]
        self._frame("records", blob, lines, append_us)
        return blob

    def close(self, blob: str, append_us: int = 900) -> None:
        """End the blob, as its writer would."""
        self._frame("close", blob, [], append_us)

    def _frame(self, kind: Any, blob: str, lines: list[bytes], append_us: int) -> None:
        offset, sequence, previous = self._ends[blob]
        data, head = encode_frame(kind, blob, offset, sequence, lines, previous, append_us)
        self.store.append(blob, data, at=offset)
        self._ends[blob] = (offset + len(data), sequence + 1, head)


def score(
    id: str,
    at_s: float = NOON,
    *,
    model: str = "toy",
    version: str = "1",
    bundle: str = "b" * 64,
    role: Any = "champion",
    outcome: str = "scored",
    reasons: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
    x: Any = None,
    y: dict[str, Any] | None = None,
    request: str | None = None,
    row: int = 0,
    rows: int = 1,
    us: Mapping[str, int] | None = None,
    cold: bool = False,
) -> Record:
    """A score record with the fields that the service writes."""
    return Record(
        v=1,
        kind="score",
        id=id,
        ts=timestamp(at_s),
        model=model,
        writer="w",
        request=request or f"r-{id}",
        row=row,
        rows=rows,
        version=version,
        bundle=bundle,
        role=role,
        outcome=outcome,
        reasons=list(reasons),
        flags=dict(flags or {}),
        x={"a": 1.0, "b": 2.0} if x is None else x,
        y=y,
        us=dict(us or {"decode": 5, "judge": 40, "infer": 25, "encode": 4}),
        cold=cold,
    )


def label(id: str, truth: Any, at_s: float = NOON + 60, *, model: str = "toy", outcome: str = "recorded") -> Record:
    """A label record; a float is a regression's value."""
    y = {"value": truth} if isinstance(truth, float) else {"label": truth}
    return Record(
        v=1, kind="label", id=id, ts=timestamp(at_s), model=model, writer="w", request=f"l-{id}", outcome=outcome, y=y
    )


def request_error(id: str, at_s: float = NOON, *, model: str = "toy", reason: str = "malformed_json") -> Record:
    """A body that was no request."""
    return Record(
        v=1,
        kind="request_error",
        id=id,
        ts=timestamp(at_s),
        model=model,
        writer="w",
        request=f"r-{id}",
        version="1",
        reasons=[reason],
        x={"size": 3, "sha256": "0" * 64, "message": "not JSON"},
        us={"decode": 3},
    )


def answer(task: Task, draw: np.random.Generator) -> dict[str, Any]:
    """What a model would answer, with probabilities in full precision."""
    if task == "regression":
        return {"value": float(draw.normal(150, 50))}
    classes = CLASSES[task]
    shares = draw.dirichlet(np.ones(len(classes)))
    return {
        "label": classes[int(shares.argmax())],
        "probabilities": {class_key(c): float(p) for c, p in zip(classes, shares, strict=True)},
    }


def make_bundle(
    models: Path,
    task: Task = "binary",
    *,
    name: str = "toy",
    version: str = "1",
    metrics: Mapping[str, Metric] | None = None,
    thresholds: Mapping[str, float] | None = None,
    requirements: Requirements | None = None,
    convergence: Sequence[str] = (),
    rows: int = 400,
) -> Bundle:
    """A bundle of two numeric features, standard normal in training, without a graph."""
    draw = np.random.default_rng(7)
    baseline = Baseline(
        schema=SCHEMA,
        rows=rows,
        test_rows=rows,
        features={feature: _histogram(draw.normal(size=rows)) for feature in ("a", "b")},
        outputs=_outputs(task, rows, draw),
        clusters=Clusters(occupancy=[rows // 2, rows - rows // 2], distance=_histogram(draw.rayleigh(size=rows), 0.0)),
    )
    manifest = Manifest(
        schema=SCHEMA,
        name=name,
        version=version,
        created="2026-11-20T00:00:00.000000Z",
        task=task,
        features=[
            Feature(name="a", type="float", minimum=-3, maximum=3, mean=0, deviation=1, importance=0.3, unit="mm"),
            Feature(name="b", type="float", minimum=-3, maximum=3, mean=0, deviation=1, importance=0.1),
        ],
        input="x",
        output=_output(task),
        classes=CLASSES[task],
        positive="yes" if task == "binary" else None,
        criteria=Criteria(minimum_probability=0.5),
        calibration=Calibration(centres=[[0.5, 0.0], [-0.5, 0.0]], threshold=3.5),
        parity=Parity(rows=1, adversarial_rows=1, largest_difference=0.0, label_ties=0, takes_missing=False),
        metrics=dict(metrics or {}),
        convergence=list(convergence),
        requirements=requirements or Requirements(),
        thresholds=dict(thresholds or {}),
        files={},
    )
    graph = b"no graph: nothing here runs it"
    return write_bundle(models, manifest, {"baseline.json": msgspec.json.encode(baseline), "model.onnx": graph})


def names(store: MemoryStore, prefix: str = "") -> dict[str, bytes]:
    """Everything in a store, by name."""
    return {info.name: store.read(info.name) for info in store.list(prefix)}


class FailingStore:
    """A store whose `put` fails after some calls: a worker that is killed half-way."""

    def __init__(self, store: MemoryStore, puts: int) -> None:
        self.store, self.left = store, puts

    def put(self, name: str, data: bytes, *, overwrite: bool, content_type: str = "application/octet-stream") -> None:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        self.store.put(name, data, overwrite=overwrite, content_type=content_type)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


class UnreadableBlob:
    """A store in which one blob is listed but cannot be read."""

    def __init__(self, store: MemoryStore, blob: str) -> None:
        self.store, self.blob = store, blob

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        if name == self.blob:
            raise NotFound(f"{name}: gone")
        return self.store.read(name, start, length)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


def _output(task: Task) -> Output:
    return Output(value="v") if task == "regression" else Output(label_index="l", probabilities="p")


def _outputs(task: Task, rows: int, draw: np.random.Generator) -> dict[str, Histogram]:
    answers = [answer(task, draw) for _ in range(rows)]
    if task == "regression":
        return {"value": _histogram(np.array([given["value"] for given in answers]))}
    classes = CLASSES[task]
    said = [given["label"] for given in answers]
    found = {"label": Histogram(categories=classes, counts=[said.count(c) for c in classes])}
    equal = np.linspace(0, 1, 21)
    for c in classes:
        shares = np.array([given["probabilities"][class_key(c)] for given in answers])
        found[f"probability:{class_key(c)}"] = _in_bins(shares, equal)
    return found


def _histogram(values: np.ndarray[Any, Any], first: float | None = None) -> Histogram:
    edges = np.quantile(values, np.linspace(0, 1, 21))
    if first is not None:
        edges[0] = first
    return _in_bins(values, edges)


def _in_bins(values: np.ndarray[Any, Any], edges: np.ndarray[Any, Any]) -> Histogram:
    counts, _ = np.histogram(values, bins=edges)
    return Histogram(edges=edges.tolist(), counts=[0, *counts.tolist(), 0])
