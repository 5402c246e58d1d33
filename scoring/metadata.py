"""What the service and its models are, in the shape of the Open Inference Protocol, version 2.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from typing import Any

import msgspec

from scoring.bundle import Feature, Manifest

SERVER = "hyperplane"
PLATFORM = "onnx_onnxruntime"

_OUTCOMES = ("outcome", "reasons", "instance_id")


def server_metadata(version: str) -> dict[str, Any]:
    """`GET /v2`."""
    return {"name": SERVER, "version": version, "extensions": []}


def model_metadata(
    manifest: Manifest, versions: list[str], champion: str | None, challengers: list[str]
) -> dict[str, Any]:
    """`GET /v2/models/{model}`: one input of shape [-1] for each feature, and what is answered for each instance."""
    return {
        "name": manifest.name,
        "versions": versions,
        "platform": PLATFORM,
        "inputs": [_tensor(feature.name, datatype(feature)) for feature in manifest.features]
        + [_tensor("instance_id", "BYTES")],
        "outputs": _outputs(manifest),
        "parameters": {
            "version": manifest.version,
            "champion": champion,
            "challengers": msgspec.json.encode(challengers).decode(),  # a parameter is a text, a number or a boolean
            "task": manifest.task,
        },
    }


def datatype(feature: Feature) -> str:
    """A feature's type in the protocol's words.

    >>> datatype(Feature(name="age", type="integer"))
    'FP64'
    """
    return {"boolean": "BOOL", "string": "BYTES"}.get(feature.type, "FP64")


def _outputs(manifest: Manifest) -> list[dict[str, Any]]:
    outputs = [_tensor("predict", _predicted(manifest))]
    if manifest.output.probabilities is not None:
        outputs.append(_tensor("predict_proba", "FP64", len(manifest.classes)))
    return outputs + [_tensor(name, "BYTES") for name in _OUTCOMES]


def _predicted(manifest: Manifest) -> str:
    if manifest.task == "regression":
        return "FP64"
    kinds = {type(label) for label in manifest.classes}
    known: dict[type, str] = {bool: "BOOL", int: "INT64", float: "FP64"}
    return known.get(kinds.pop(), "BYTES") if len(kinds) == 1 else "BYTES"


def _tensor(name: str, kind: str, *more: int) -> dict[str, Any]:
    return {"name": name, "datatype": kind, "shape": [-1, *more]}
