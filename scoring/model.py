"""One ONNX session for one bundle: loaded, checked against its manifest, warmed, and run.

Sessions use one thread and do not spin: ONNX Runtime sizes its pools by the machine's cores, which on a shared
instance turns a run of 22 µs into one of 77. onnxruntime is imported when the first bundle is loaded and not with this
module, so that the import can overlap with that of the storage SDK.

A run has a limit, at which `scoring.watchdog` ends it; the warm-up run too, so that a graph that never ends is refused.

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
from scoring.watchdog import WATCHDOG, Watchdog

RUN_TIMEOUT_S = 30.0
_WRONG_FORESTS = ("1.26.", "1.27.")
_FATAL_ONLY = 4  # ONNX Runtime's log severity: its errors quote input values, and come as exceptions too
_QUICK_S = 0.1  # a model that takes longer is timed by its first run alone


class ModelError(Exception):
    """A graph that cannot be loaded or run, or that does not answer as its manifest says."""


class RunTimeout(ModelError):
    """A run that was ended because it took longer than it may."""


class Answers(msgspec.Struct, frozen=True):
    """What the graph said about n rows, by the names of `bundle.Output`; absent outputs are None."""

    label_index: npt.NDArray[np.int64] | None = None
    probabilities: Matrix | None = None  # [n, classes]
    score: Matrix | None = None
    value: Matrix | None = None


class Model:
    """A loaded graph. `run` may be called from any thread."""

    def __init__(self, bundle: Bundle, run_timeout_s: float = RUN_TIMEOUT_S, watchdog: Watchdog = WATCHDOG) -> None:
        self.bundle = bundle
        self.run_timeout_s = run_timeout_s
        self._watchdog = watchdog
        self.manifest = bundle.manifest
        _check_served(self.manifest)
        self._session = _session(bundle)
        self._run_options = _onnxruntime().RunOptions
        outputs = [(field, name) for field, name in _names(self.manifest.output) if name is not None]
        self._fields = [field for field, _ in outputs]
        self._names = [name for _, name in outputs]
        _check_graph(self._session, self.manifest, self._names)
        self.single_run_s = self._warm()

    def run(self, rows: Matrix, limit_s: float | None = None) -> Answers:
        """Answers for rows [n, features], NaN for missing; raises `ModelError`, whose text holds no values, and
        `RunTimeout` when it took longer than `limit_s`, by default the model's own limit."""
        limit_s = self.run_timeout_s if limit_s is None else limit_s
        options = self._run_options()
        self._watchdog.watch(options, limit_s, self)
        try:
            arrays = self._session.run(self._names, {self.manifest.input: rows}, options)
        except Exception as problem:
            if options.terminate:
                raise RunTimeout(f"the run was ended: it took longer than it may, {limit_s:.3g} s") from problem
            raise ModelError(f"the run failed: {type(problem).__name__}") from problem
        finally:
            self._watchdog.forget(options)
        answers = dict(zip(self._fields, arrays, strict=True))
        _check_answers(answers, len(rows), len(self.manifest.classes))
        return Answers(**answers)

    def end_runs(self) -> None:
        """End the runs that are under way, in whatever threads, as if their limit were reached."""
        self._watchdog.end_runs_of(self)

    def _warm(self) -> float:
        """Run on training means and first categories, whose code is 0: the first run allocates, the quickest of the
        next three is what one row takes."""
        row = np.array([[feature.mean or 0.0 for feature in self.manifest.features]])
        try:
            first_s = self._timed(row)
        except RunTimeout as problem:
            raise ModelError(f"its first run, on one row, took longer than {self.run_timeout_s:.3g} s") from problem
        return min(self._timed(row) for _ in range(3)) if first_s < _QUICK_S else first_s

    def _timed(self, row: Matrix) -> float:
        start_s = time.perf_counter()
        self.run(row)
        return time.perf_counter() - start_s


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
    positions = [] if labels is None else labels.tolist()
    if positions and not (min(positions) >= 0 and max(positions) < classes):
        raise ModelError(f"output label_index is not a position among {classes} classes")
