"""The Open Inference Protocol over HTTP: headers, content types and compressed bodies, as clients meet them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from scoring.content import Content, Reply
from tests.platform import Platform, demo_rows
from tests.scoring.protocols.tensor_client import numbers, read, request, tensor, texts

ROWS = [row for row, _ in demo_rows("wine")[::40]]
IN_BINARY = {"binary_data_output": True}


def asked(**fields: Any) -> Content:
    """The rows in binary, with an id each."""
    ids = [f"http-{place}".encode() for place in range(len(ROWS))]
    columns = [numbers(name, "FP64", "<f8", [row[name] for row in ROWS]) for name in ROWS[0]]
    return request(*columns, texts("instance_id", ids), **fields)


def post(platform: Platform, content: Content, path: str = "/v2/models/wine/infer", **headers: str) -> httpx.Response:
    """Send a request without a content type, as tritonclient does."""
    length = {"Inference-Header-Content-Length": content.json_bytes} if content.json_bytes else {}
    return platform.client.post(path, content=content.body, headers=length | headers)


def outputs(response: httpx.Response) -> dict[str, list[Any]]:
    """What an answer holds."""
    assert response.status_code == 200, response.text
    return read(Reply(response.content, headers={name.title(): value for name, value in response.headers.items()}))


@pytest.mark.parametrize(
    ("coding", "compress"),
    [("", bytes), ("gzip", gzip.compress), ("deflate", zlib.compress)],
    ids=["plain", "gzip", "deflate"],
)
@pytest.mark.parametrize("version", ["", "/versions/1"])
def test_binary_tensors_get_the_native_routes_answer(
    platform: Platform, coding: str, compress: Callable[[bytes], bytes], version: str
) -> None:
    content = asked(parameters=IN_BINARY)
    sent = Content(compress(content.body), json_bytes=content.json_bytes)
    headers = {"content-encoding": coding} if coding else {}
    response = post(platform, sent, f"/v2/models/wine{version}/infer", **headers)
    native = platform.client.post("/models/wine/score", json={"instances": ROWS}).json()["results"]
    found = outputs(response)
    assert response.headers["content-type"] == "application/octet-stream"
    assert found["instance_id"] == [f"http-{place}" for place in range(len(ROWS))]
    assert found["predict"] == [result["label"] for result in native]
    assert found["predict_proba"] == [p for result in native for p in result["probabilities"].values()]


def test_an_answer_in_json_says_so_exactly_and_carries_its_request_id(platform: Platform) -> None:
    response = post(platform, asked(id="http-r-1"), **{"x-request-id": "another"})
    assert response.headers["content-type"] == "application/json"
    assert "inference-header-content-length" not in response.headers
    assert response.headers["x-request-id"] == response.json()["id"] == "http-r-1"
    assert outputs(response)["outcome"] == ["scored"] * len(ROWS)


def test_bare_nan_and_infinity_are_one_instances_matter(platform: Platform) -> None:
    values = np.array([list(row.values()) for row in ROWS[:3]])
    values[1, 0], values[2, 0] = np.inf, np.nan
    response = post(platform, request(tensor("any", "FP64", values.tolist(), values.shape)))
    assert outputs(response)["reasons"] == ["", "not_finite", ""], "the wine model imputes what is missing"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (Content(b"{}"), "inputs: expected an array of tensors, found nothing"),
        (Content(b"{", json_bytes="2"), "Inference-Header-Content-Length: expected the length of the body's JSON"),
        (request(numbers("alcohol", "FP64", "<f8", [[1, 2]])), "tensor 'alcohol': its shape is [1, 2]"),
    ],
)
def test_what_is_no_request_is_a_400_in_json_that_kserves_client_understands(
    platform: Platform, content: Content, said: str
) -> None:
    response = post(platform, content)
    assert (response.status_code, response.headers["content-type"]) == (400, "application/json")
    assert said in response.json()["error"]


def test_the_server_lists_its_extension_with_and_without_a_slash(platform: Platform) -> None:
    for path in ("/v2", "/v2/"):
        assert platform.client.get(path).json()["extensions"] == ["binary_tensor_data"]
    assert platform.client.get("/v2/health/live").json() == {"live": True}
    assert platform.client.get("/v2/health/ready").json() == {"ready": True}
