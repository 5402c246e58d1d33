"""One ONNX session for one bundle: loaded, checked against its manifest, warmed, and run.

Sessions use one thread and do not spin: ONNX Runtime sizes its pools by the machine's cores, which on a shared
instance turns a run of 22 µs into one of 77. onnxruntime is imported when the first bundle is loaded and not with this
module, so that the import can overlap with that of the storage SDK.

onnxruntime 1.26 and 1.27 give wrong labels for forests (https://github.com/microsoft/onnxruntime/issues/28557) and
are refused.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from scoring.bundle import Bundle, Feature, Manifest, Output
from scoring.encoding import Matrix

_WRONG_FORESTS = ("1.26.", "1.27.")
_FATAL_ONLY = 4  # ONNX Runtime's log severity: its errors quote input values, and come as exceptions too


class ModelError(Exception):
    """A graph that cannot be loaded or run, or that does not answer as its manifest says."""


class Answers(msgspec.Struct, frozen=True):
    """What the graph said about n rows, by the names of `bundle.Output`; absent outputs are None."""

    label_index: npt.NDArray[np.int64] | None = None
    probabilities: Matrix | None = None  # [n, classes]
    score: Matrix | None = None
    value: Matrix | None = None


class Model:
    """A loaded graph. `run` may be called from any thread."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.manifest = bundle.manifest
        _check_served(self.manifest)
        self._session = _session(bundle)
        outputs = [(field, name) for field, name in _names(self.manifest.output) if name is not None]
        self._fields = [field for field, _ in outputs]
        self._names = [name for _, name in outputs]
        _check_graph(self._session, self.manifest, self._names)
        self.single_run_s = self._warm()

    def run(self, rows: Matrix) -> Answers:
        """Answers for rows [n, features], NaN for missing; raises `ModelError`, whose text holds no values."""
        try:
            arrays = self._session.run(self._names, {self.manifest.input: rows})
        except Exception as problem:
            raise ModelError(f"the run failed: {type(problem).__name__}") from problem
        answers = dict(zip(self._fields, arrays, strict=True))
        _check_answers(answers, len(rows), len(self.manifest.classes))
        return Answers(**answers)

    def _warm(self) -> float:
        """Run on training means and first categories, whose code is 0: the first run allocates, the quickest of the
        next three is what one row takes."""
        row = np.array([[feature.mean or 0.0 for feature in self.manifest.features]])
        self.run(row)
        taken_s = []
        for _ in range(3):
            start_s = time.perf_counter()
            self.run(row)
            taken_s.append(time.perf_counter() - start_s)
        return min(taken_s)


def _check_served(manifest: Manifest) -> None:
    for feature in manifest.features:
        if feature.type == "string":
            _check_texts(feature)
        if feature.missing == "impute" and not manifest.parity.takes_missing:
            raise ModelError(f"feature {feature.name}: missing is 'impute' but the pipeline takes no missing values")
    if not manifest.features:
        raise ModelError("the manifest has no features")
    if len({feature.name for feature in manifest.features}) != len(manifest.features):
        raise ModelError("the manifest names a feature twice")


def _check_texts(feature: Feature) -> None:
    """A string is given to the graph as its position, so every position must be one text's."""
    texts = [*(feature.categories or []), *feature.known]
    if not feature.categories or len(set(texts)) != len(texts) or not all(isinstance(text, str) for text in texts):
        raise ModelError(
            f"feature {feature.name}: categories and known must be texts, at least one, none of them twice"
        )


def _session(bundle: Bundle) -> Any:
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _FATAL_ONLY
    try:
        return onnxruntime.InferenceSession(bundle.model_path, options, providers=["CPUExecutionProvider"])
    except Exception as problem:
        raise ModelError(f"onnxruntime cannot load model.onnx: {problem}") from problem


def _onnxruntime() -> Any:
    import onnxruntime

    if onnxruntime.__version__.startswith(_WRONG_FORESTS):
        raise ModelError(f"onnxruntime {onnxruntime.__version__} gives wrong labels for forests; install 1.28 or newer")
    return onnxruntime


def _names(output: Output) -> list[tuple[str, str | None]]:
    return [(field, getattr(output, field)) for field in Output.__struct_fields__]


def _check_graph(session: Any, manifest: Manifest, outputs: list[str]) -> None:
    inputs = [(each.name, each.type) for each in session.get_inputs()]
    if inputs != [(manifest.input, "tensor(double)")]:
        raise ModelError(f"the graph's inputs are {inputs}, not one tensor(double) named {manifest.input}")
    missing = set(outputs) - {each.name for each in session.get_outputs()}
    if missing or not outputs:
        raise ModelError(f"the graph has no output named {', '.join(sorted(missing)) or 'in the manifest'}")
    if manifest.task == "regression":
        if manifest.output.value is None:
            raise ModelError("a regression's manifest must name output.value")
    elif manifest.output.label_index is None or not manifest.classes:
        raise ModelError("a classifier's manifest must name output.label_index and its classes")


def _check_answers(answers: dict[str, npt.NDArray[Any]], rows: int, classes: int) -> None:
    for field, array in answers.items():
        shape = (rows, classes) if field == "probabilities" else (rows,)
        if array.shape != shape:
            raise ModelError(f"output {field} has the shape {array.shape}, not {shape}")
    labels = answers.get("label_index")
    if labels is not None and np.count_nonzero(labels.view(np.uint64) >= classes):  # a negative one is huge unsigned
        raise ModelError(f"output label_index is not a position among {classes} classes")
