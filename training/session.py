"""The exported graph run as production runs it: ONNX Runtime on the CPU, one thread, no spinning.

Two releases of ONNX Runtime compute wrong labels for forests (https://github.com/microsoft/onnxruntime/issues/28557);
a parity proof made with them would prove nothing about the releases that serve, so they are refused.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from training.answer import Answer
from training.conversion import INPUT
from training.data import Doubles
from training.errors import ExportRefused
from training.model_kind import ModelKind

ROWS_IN_A_RUN = 2_500  # nearest neighbours hold rows × training rows in memory, several times
WRONG_RELEASES = (["1", "26"], ["1", "27"])


class GraphSession:
    """The graph in memory; `predict` takes rows × features and gives the answers of every row."""

    def __init__(self, model: bytes, kind: ModelKind, version: str = ort.__version__) -> None:
        if version.split(".")[:2] in WRONG_RELEASES:
            raise ExportRefused(
                f"onnxruntime {version} gives wrong labels (onnxruntime#28557); "
                "install another release than 1.26 and 1.27"
            )
        self._kind = kind
        try:
            self._session = ort.InferenceSession(model, _options(), providers=["CPUExecutionProvider"])
        except Exception as problem:
            raise ExportRefused(f"ONNX Runtime {version} cannot load the exported graph: {problem}") from problem

    def predict(self, values: Doubles) -> Answer:
        """Answers for all rows, in runs of many rows each."""
        starts = range(0, max(len(values), 1), ROWS_IN_A_RUN)
        runs = [self._run(values[start : start + ROWS_IN_A_RUN]) for start in starts]
        return self._answer([np.concatenate(parts) for parts in zip(*runs, strict=True)])

    def predict_singly(self, values: Doubles) -> Answer:
        """Answers for all rows, each in a run of its own: a row's last bits depend on the batch that it runs in."""
        if not len(values):
            return self.predict(values)
        runs = [self._run(values[i : i + 1]) for i in range(len(values))]
        return self._answer([np.concatenate(parts) for parts in zip(*runs, strict=True)])

    def _run(self, values: Doubles) -> list[npt.NDArray[np.generic]]:
        try:
            return list(self._session.run(None, {INPUT: values}))
        except Exception as problem:
            raise ExportRefused(
                f"ONNX Runtime cannot run the exported graph: {problem}. Use another step or model in place of the one "
                "that the node's name begins with; docs/parity.md lists those that are exported"
            ) from problem

    def _answer(self, outputs: list[npt.NDArray[np.generic]]) -> Answer:
        scores = np.asarray(outputs[-1], dtype=np.float64)
        labels = np.asarray(outputs[0], dtype=np.int64) if self._kind.task != "regression" else None
        return Answer(labels, scores.reshape(len(scores), -1))


def _options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options
