"""What NVIDIA's tritonclient gets from a server: run in its own environment, see `tests/foreign/foreign_client.py`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.utils import InferenceServerException

Answer = dict[str, Any]


def main(url: str, key: str) -> None:
    """Go through the client's whole sequence, and print what came of it."""
    sent = json.load(sys.stdin)
    server, headers = url.removeprefix("http://"), {"x-functions-key": key}
    client = triton.InferenceServerClient(server, concurrency=2)
    found = {
        "facts": {"http": facts(client, headers), "aio": asyncio.run(aio_facts(server, headers))},
        "answers": {
            way: {model: ask(client, model, rows, dict(headers)) for model, rows in sent.items()}
            for way, ask in WAYS.items()
        },
        "errors": {what: refused(partial(ask, client, sent, dict(headers))) for what, ask in ERRORS.items()},
    }
    found["answers"]["aio"] = asyncio.run(aio_answers(server, sent, headers))
    client.close()
    json.dump(found, sys.stdout)


def facts(client: Any, headers: dict[str, str]) -> Answer:
    """What the server says of itself and of its models."""
    return {
        "live": client.is_server_live(headers),
        "ready": client.is_server_ready(headers),
        "server": client.get_server_metadata(headers),
        "server with a slash": json.loads(client._get("v2/", headers, None).read()),
        "model ready": client.is_model_ready("wine", headers=headers),
        "version ready": client.is_model_ready("wine", "1", headers=headers),
        "unknown model ready": client.is_model_ready("beer", headers=headers),
        "model": client.get_model_metadata("wine", headers=headers),
        "version": client.get_model_metadata("wine", "1", headers=headers),
    }


async def aio_facts(server: str, headers: dict[str, str]) -> Answer:
    """The same from the asynchronous client."""
    async with triton_aio.InferenceServerClient(server) as client:
        return {
            "live": await client.is_server_live(headers),
            "ready": await client.is_server_ready(headers),
            "server": await client.get_server_metadata(headers),
            "model ready": await client.is_model_ready("wine", headers=headers),
            "version ready": await client.is_model_ready("wine", "1", headers=headers),
            "unknown model ready": await client.is_model_ready("beer", headers=headers),
            "model": await client.get_model_metadata("wine", headers=headers),
            "version": await client.get_model_metadata("wine", "1", headers=headers),
        }


def tensors(rows: Answer, binary: bool = True) -> list[Any]:
    """One tensor for each feature, and the ids."""
    values = np.array(rows["rows"], dtype=np.float64)
    found = [_tensor(name, values[:, place], "FP64", binary) for place, name in enumerate(rows["features"])]
    return [*found, _tensor("instance_id", np.array(rows["ids"], dtype=np.object_), "BYTES", binary)]


def matrix(rows: Answer) -> list[Any]:
    """All features in one tensor."""
    return [_tensor("input-0", np.array(rows["rows"], dtype=np.float64), "FP64", True)]


def in_binary(client: Any, model: str, rows: Answer, headers: dict[str, str]) -> Answer:
    return read(client.infer(model, tensors(rows), request_id="triton-1", headers=headers))


def in_json(client: Any, model: str, rows: Answer, headers: dict[str, str]) -> Answer:
    wanted = [triton.InferRequestedOutput(name, binary_data=False) for name in outputs(client, model, headers)]
    return read(client.infer(model, tensors(rows, binary=False), outputs=wanted, headers=headers))


def some_of_each(client: Any, model: str, rows: Answer, headers: dict[str, str]) -> Answer:
    """Columns [n, 1], in binary and JSON by turns; outputs in binary and JSON by turns."""
    values = np.array(rows["rows"], dtype=np.float64)
    asked = [_tensor(name, values[:, [place]], "FP64", place % 2 == 0) for place, name in enumerate(rows["features"])]
    names = outputs(client, model, headers)
    wanted = [triton.InferRequestedOutput(name, binary_data=place % 2 == 0) for place, name in enumerate(names)]
    return read(client.infer(model, asked, outputs=wanted, headers=headers))


def one_tensor(client: Any, model: str, rows: Answer, headers: dict[str, str]) -> Answer:
    return read(client.infer(model, matrix(rows), headers=headers))


def compressed(how: str) -> Callable[..., Answer]:
    def ask(client: Any, model: str, rows: Answer, headers: dict[str, str]) -> Answer:
        codings = {"request_compression_algorithm": how, "response_compression_algorithm": how}
        return read(client.infer(model, tensors(rows), headers=headers, **codings))

    return ask


def of_a_version(client: Any, model: str, rows: Answer, headers: dict[str, str]) -> Answer:
    return read(client.infer(model, tensors(rows), model_version="1", headers=headers))


def concurrently(client: Any, model: str, rows: Answer, headers: dict[str, str]) -> Answer:
    """Two requests at once, of which the second has the rows in reverse and is read first."""
    backwards = {"features": rows["features"], "rows": rows["rows"][::-1], "ids": rows["ids"][::-1]}
    first = client.async_infer(model, tensors(rows), headers=dict(headers))
    second = client.async_infer(model, tensors(backwards), headers=dict(headers))
    reversed_answer, answer = read(second.get_result()), read(first.get_result())
    assert reversed_answer["instance_id"][::-1] == answer["instance_id"]
    assert repr(reversed_answer["predict"][::-1]) == repr(answer["predict"])
    return answer


WAYS: dict[str, Callable[..., Answer]] = {
    "binary": in_binary,
    "json": in_json,
    "some of each": some_of_each,
    "one tensor": one_tensor,
    "gzip": compressed("gzip"),
    "deflate": compressed("deflate"),
    "version": of_a_version,
    "concurrently": concurrently,
}


async def aio_answers(server: str, sent: dict[str, Answer], headers: dict[str, str]) -> dict[str, Answer]:
    """Binary and compressed, from the asynchronous client."""
    async with triton_aio.InferenceServerClient(server) as client:
        return {
            model: read(
                await client.infer(model, tensors(rows), headers=dict(headers), request_compression_algorithm="gzip")
            )
            for model, rows in sent.items()
        }


def outputs(client: Any, model: str, headers: dict[str, str]) -> list[str]:
    """The names of the model's outputs, from its metadata."""
    return [output["name"] for output in client.get_model_metadata(model, headers=headers)["outputs"]]


def read(result: Any) -> Answer:
    """Every output as numpy has it."""
    response = result.get_response()
    values = {output["name"]: _listed(result.as_numpy(output["name"])) for output in response["outputs"]}
    return values | {"id": response["id"], "parameters": response["parameters"]}


def refused(ask: Callable[[], Any]) -> Answer:
    """The client's own error."""
    try:
        ask()
    except InferenceServerException as problem:
        return {"status": problem.status(), "text": problem.message()}
    return {"status": "none", "text": "it was answered"}


ERRORS: dict[str, Callable[..., Any]] = {
    "unknown model": lambda client, sent, headers: client.infer("beer", tensors(sent["wine"]), headers=headers),
    "unknown version": lambda client, sent, headers: client.infer(
        "wine", tensors(sent["wine"]), model_version="99", headers=headers
    ),
    "unknown output": lambda client, sent, headers: client.infer(
        "wine", tensors(sent["wine"]), outputs=[triton.InferRequestedOutput("colour")], headers=headers
    ),
    "wrong shape": lambda client, sent, headers: client.infer(
        "wine", [_tensor("alcohol", np.zeros((2, 2)), "FP64", True)], headers=headers
    ),
    "wrong key": lambda client, sent, headers: client.infer(
        "wine", tensors(sent["wine"]), headers={"x-functions-key": "wrong"}
    ),
}


def _tensor(name: str, values: Any, datatype: str, binary: bool) -> Any:
    tensor = triton.InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def _listed(values: Any) -> Any:
    if values.dtype == np.object_:
        return [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]
    return values.tolist()


if __name__ == "__main__":
    main(*sys.argv[1:])
