"""What KServe's InferenceRESTClient gets from a server: run in its own environment, see `foreign_client.py`."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

Answer = dict[str, Any]


async def main(url: str, key: str) -> None:
    """Go through the client's whole sequence, and print what came of it."""
    sent = json.load(sys.stdin)
    headers = {"x-functions-key": key}
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        found = {
            "facts": await facts(client, url, headers),
            "answers": {
                way: {
                    model: read(await client.infer(url, ask(model, rows), model_name=model, headers=dict(headers)))
                    for model, rows in sent.items()
                }
                for way, ask in WAYS.items()
            },
            "errors": {
                "unknown model": await refused(client, url, "beer", in_json("beer", sent["wine"]), headers),
                "wrong shape": await refused(client, url, "wine", wrong_shape(), headers),
            },
        }
    json.dump(found, sys.stdout)


async def facts(client: Any, url: str, headers: dict[str, str]) -> Answer:
    """What the server says of itself and of its models."""
    return {
        "live": await client.is_server_live(url, headers=headers),
        "ready": await client.is_server_ready(url, headers=headers),
        "model ready": await client.is_model_ready(url, "wine", headers=headers),
        "unknown model ready": await client.is_model_ready(url, "beer", headers=headers),
    }


def in_json(model: str, rows: Answer) -> Any:
    return InferRequest(model, _tensors(rows, binary=False), request_id="kserve-1")


def in_binary(model: str, rows: Answer) -> Any:
    """Inputs and outputs in binary."""
    return InferRequest(model, _tensors(rows, binary=True), parameters={"binary_data_output": True})


def one_tensor(model: str, rows: Answer) -> Any:
    """All features in one tensor; the label in binary and the outcome in JSON."""
    wanted = [
        RequestedOutput("predict", {"binary_data": True}),
        RequestedOutput("outcome", {"binary_data": False}),
    ]
    tensor = _tensor("input-0", np.array(rows["rows"], dtype=np.float64), "FP64", True)
    return InferRequest(model, [tensor], request_outputs=wanted)


def wrong_shape() -> Any:
    return InferRequest("wine", [_tensor("alcohol", np.zeros((2, 2)), "FP64", False)])


WAYS = {"json": in_json, "binary": in_binary, "one tensor": one_tensor}


def read(response: Any) -> Answer:
    """Every output as numpy has it."""
    values = {output.name: _listed(output.as_numpy()) for output in response.outputs}
    return values | {"id": response.id, "parameters": response.parameters}


async def refused(client: Any, url: str, model: str, request: Any, headers: dict[str, str]) -> Answer:
    """The client's own error."""
    try:
        await client.infer(url, request, model_name=model, headers=dict(headers))
    except httpx.HTTPStatusError as problem:
        return {"status": str(problem.response.status_code), "text": str(problem)}
    return {"status": "none", "text": "it was answered"}


def _tensors(rows: Answer, *, binary: bool) -> list[Any]:
    values = np.array(rows["rows"], dtype=np.float64)
    found = [_tensor(name, values[:, place], "FP64", binary) for place, name in enumerate(rows["features"])]
    return [*found, _tensor("instance_id", np.array(rows["ids"], dtype=np.object_), "BYTES", binary)]


def _tensor(name: str, values: Any, datatype: str, binary: bool) -> Any:
    tensor = InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def _listed(values: Any) -> Any:
    if values.dtype == np.object_:
        return [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]
    return values.tolist()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
