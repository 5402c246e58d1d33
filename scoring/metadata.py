"""What the service and its models are, in the shape of the Open Inference Protocol, version 2.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from typing import Any

import msgspec

from scoring.bundle import Manifest
from scoring.protocols.signature import NO_PREDICTION, TensorType, classes_text, inputs_of, outputs_of

SERVER = "hyperplane"
PLATFORM = "onnx_onnxruntime"
EXTENSIONS = ("binary_tensor_data",)


def server_metadata(version: str) -> dict[str, Any]:
    """`GET /v2`."""
    return {"name": SERVER, "version": version, "extensions": list(EXTENSIONS)}


def model_metadata(
    manifest: Manifest, versions: list[str], champion: str | None, challengers: list[str]
) -> dict[str, Any]:
    """`GET /v2/models/{model}`: one input of shape [-1] for each feature, and what is answered for each instance."""
    parameters = {"version": manifest.version, "champion": champion, "task": manifest.task}
    parameters["challengers"] = msgspec.json.encode(challengers).decode()  # a parameter is a text, number or boolean
    if manifest.classes:
        parameters["classes"] = classes_text(manifest)
    return {
        "name": manifest.name,
        "versions": versions,
        "platform": PLATFORM,
        "inputs": [_tensor(described) for described in inputs_of(manifest)],
        "outputs": [_tensor(described) for described in outputs_of(manifest)],
        "parameters": parameters | {"no_prediction": NO_PREDICTION},
    }


def _tensor(described: TensorType) -> dict[str, Any]:
    shape = [-1] if described.width is None else [-1, described.width]
    return {"name": described.name, "datatype": described.datatype, "shape": shape}
