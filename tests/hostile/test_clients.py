"""Bodies of the native protocol and of labels, headers and addresses that no honest client sends."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from tests.hostile.ledger import GOOD, LABELS, ONE, SCORE, Ledger
from tests.platform import Platform, demo_rows
from tests.scoring.test_json_body import JSON

ROUTES = (SCORE, LABELS)


def with_instances(text: str) -> bytes:
    return f'{{"instances": [{text}]}}'.encode()


def with_alcohol(text: str) -> bytes:
    """A good instance with one value as this JSON text."""
    return with_instances(json.dumps(GOOD | {"alcohol": "@"}).replace('"@"', text))


BODIES = {
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "a deep instance": with_instances("[" * 70 + "]" * 70),
    "a nested instance": with_instances("[" * 50 + "]" * 50),
    "an integer of 1 MB": with_alcohol("9" * 2**20),
    "a fraction of 1 MB": with_alcohol("0." + "9" * 2**20),
    "a huge exponent": with_alcohol("1e" + "9" * 1000),
    "minus zero": with_alcohol("-0"),
    "2 to the power of 64": with_alcohol(str(2**64)),
    "minus NaN": with_alcohol("-NaN"),
    "instances that are no objects": with_instances('NaN, Infinity, -1e400, null, true, 1, "x", [], {}, [[]]'),
    "NaN in place of ids": b'{"instances": [1], "ids": NaN}',
    "NaN as an id": b'{"instances": [1], "ids": [NaN]}',
    "a number as an id": b'{"instances": [1], "ids": [1]}',
    "a surrogate as an id": b'{"instances": [1], "ids": ["\\ud800"]}',
    "an id with a newline": b'{"instances": [1], "ids": ["a\\n"]}',
    "a request id with a header": b'{"instances": [1], "request_id": "a\\r\\nx: y"}',
    "a surrogate as a key": with_instances('{"\\ud800": 1}'),
    "a surrogate as a field": b'{"instances": [1], "\\ud800": 1}',
    "a repeated key": b'{"instances": [1], "instances": [2, 3]}',
    "a key of 1 MB": with_instances('{"' + "k" * 2**20 + '": 1}'),
    "a field of 1 MB": b'{"' + b"k" * 2**20 + b'": 1}',
    "a string of 10 MB": with_alcohol('"' + "s" * 10_000_000 + '"'),
    "a million surrogates": with_alcohol('"' + "\\ud800" * 1_000_000 + '"'),
    "100,000 features": with_instances(json.dumps({f"f{i}": i for i in range(100_000)})),
    "20,000 empty instances": with_instances(",".join(["{}"] * 20_000)),
    "50,001 instances": with_instances(",".join(["1"] * 50_001)),
    "a byte order mark": b"\xef\xbb\xbf" + ONE,
    "two byte order marks": b"\xef\xbb\xbf" * 2 + ONE,
    "UTF-16": ONE.decode().encode("utf-16"),
    "UTF-32 without a mark": ONE.decode().encode("utf-32-be"),
    "gzip": gzip.compress(ONE),
    "cut off": ONE[:-3],
    "one byte too many": ONE + b"x",
    "nothing but NUL": b"\0" * 100,
    "17 MiB": b" " * (17 * 2**20),
    "labels that are no labels": b'{"labels": [NaN, Infinity, null, 1, "x", [], {}, {"id": "\\ud800"}, {"id": 1}]}',
    "odd labels": b'{"labels": [{"id": "h", "label": NaN}, {"id": "h", "label": true}, {"id": "h", "label": 1e400},'
    b'{"id": "h", "label": []}, {"id": "h", "label": "\\ud800"}, {"id": "h", "label": "' + b"9" * 5000 + b'"},'
    b'{"id": "h", "label": "class_0", "ts": "0001-01-01T00:00:00+23:59"}, {"id": "h", "label": "class_0", "ts": NaN}]}',
    "20,000 labels": b'{"labels": [' + b",".join(b'{"id": "h", "label": "class_0"}' for _ in range(20_000)) + b"]}",
}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("name", BODIES)
def test_any_body_gets_a_clear_answer(ledger: Ledger, path: str, name: str) -> None:
    ledger.post(path, BODIES[name])


@settings(max_examples=150)
@given(
    st.sampled_from(ROUTES),
    st.binary(max_size=200)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.lists(JSON, max_size=5).map(lambda values: json.dumps({"instances": values}).encode())
    | st.lists(JSON, max_size=5).map(lambda values: json.dumps({"labels": values}).encode())
    | st.lists(JSON, max_size=3).map(lambda values: json.dumps({"instances": [1, 2], "ids": values}).encode()),
)
def test_any_drawn_body_gets_a_clear_answer(ledger: Ledger, path: str, body: bytes) -> None:
    ledger.post(path, body)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("traceparent", b"\xff\xfe"),
        ("traceparent", "é".encode()),
        ("traceparent", b"a\tb"),
        ("traceparent", b"0" * 20_000),
        ("x-request-id", b"\xff"),
        ("x-request-id", b"a\tb"),
        ("x-request-id", b"<script>"),
        ("x-request-id", b"x" * 20_000),
        ("accept", b"\xff"),
        ("content-type", b"text/csv; charset=utf-16"),
        ("expect", b"100-continue"),
    ],
)
def test_odd_headers_are_not_echoed_and_harm_nothing(ledger: Ledger, name: str, value: bytes) -> None:
    answer = ledger.post(SCORE, ONE, **{name: value})
    assert answer.status_code == 200
    echoed = answer.headers["x-request-id"] if name == "x-request-id" else answer.headers.get(name)
    assert echoed is None or echoed.encode() != value


@pytest.mark.parametrize(
    "path",
    [
        "/models/wine%2Fx/score",
        "/models/..%2F..%2Fetc/score",
        "/models/%C3%A9/score",
        "/models/%0d%0ax:%20y/score",
        "/models/%3Cscript%3E/score",
        "/models/serving.toml/score",
        "/models/WINE/score",
        "/models/wine/versions/latest/score",
        "/models/wine/versions/%20/score",
        f"/models/{'a' * 7000}/score",
    ],
)
def test_an_odd_model_or_version_is_a_404_that_names_those_there_are(platform: Platform, path: str) -> None:
    answer = platform.client.post(path, content=ONE)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")
    assert answer.headers["x-request-id"]
    assert len(answer.text) < 300
    assert "wine" in answer.json()["error"] or "there is: 1" in answer.json()["error"]


@pytest.mark.parametrize("place", ["instances", "reports"])
@pytest.mark.parametrize("name", ["%3Cscript%3E", "%F0%9F%98%80", "..%2F..%2Flog", "%22%3E", "z" * 7000, "a%20b"])
def test_a_page_for_a_hostile_id_is_a_404_without_it(platform: Platform, place: str, name: str) -> None:
    for accept in ("text/html", "application/json"):
        answer = platform.client.get(f"/models/wine/{place}/{name}?code=%22%3E%3Cscript%3E", headers={"accept": accept})
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith(accept)
        assert accept == "application/json" or "<script" not in answer.text


def test_a_key_in_the_address_is_found_in_any_case_and_twice_is_none(platform: Platform) -> None:
    page = httpx.get(f"{platform.url}/?CODE={platform.key}", follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (302, f"/models?code={platform.key}")
    twice = httpx.post(f"{platform.url}/models/wine/score?code={platform.key}&Code={platform.key}", content=ONE)
    assert (twice.status_code, twice.content) == (401, b"")


def test_many_clients_at_once_some_slow_some_leaving_half_way(ledger: Ledger) -> None:
    rows = [row for row, _ in demo_rows("wine")]
    asyncio.run(crowd(ledger, [ONE, json.dumps({"instances": rows * 5}).encode(), b"{", ONE]))


async def crowd(ledger: Ledger, bodies: list[bytes]) -> None:
    limits = httpx.Limits(max_connections=64)
    headers = {"x-functions-key": ledger.platform.key}
    async with httpx.AsyncClient(base_url=ledger.platform.url, headers=headers, limits=limits, timeout=60) as session:

        async def polite(number: int) -> None:
            for body in bodies[number % 4 :] + bodies[: number % 4]:
                ledger.note(SCORE, await session.post(SCORE, content=body))

        rude = [asyncio.to_thread(leave_early, ledger.platform, cut) for cut in (10, 60, len(ONE)) for _ in range(8)]
        await asyncio.gather(*(polite(number) for number in range(64)), *rude)


def leave_early(platform: Platform, sent: int) -> None:
    """Send the head and a part of a body, then go without waiting for the answer."""
    address = urlsplit(platform.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        head = f"POST /models/wine/score HTTP/1.1\r\nhost: x\r\nx-functions-key: {platform.key}\r\n"
        connection.sendall(
            f"{head}x-request-id: left-early\r\ncontent-length: {len(ONE)}\r\n\r\n".encode() + ONE[:sent]
        )


def test_a_start_without_storage_and_with_a_changed_bundle_says_so_and_the_rest_goes_on(
    azurite_of_its_own: Azurite, demo_models: Path, tmp_path: Path
) -> None:
    models = shutil.copytree(demo_models, tmp_path / "models")
    with (models / "diabetes" / "1" / "model.onnx").open("ab") as stream:
        stream.write(b" ")
    environment = {"HYPERPLANE_STORAGE": azurite_of_its_own.connection_string, "HYPERPLANE_MODELS": str(models)}
    azurite_of_its_own.stop()
    with LocalHost(env=environment, data=tmp_path / "host") as host:
        platform = Platform(host.url, host.key, environment)
        problems = platform.client.get("/v2/health/ready").json()["problems"]
        assert problems["log"] == "the storage of the audit log cannot be reached"
        assert "its SHA-256 is not the manifest's" in problems["diabetes/1"]
        assert platform.client.get("/v2/health/live").status_code == 200
        for answer in (score_wine(platform), platform.client.get("/models/wine/reports")):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert "127.0.0.1" not in answer.text
        azurite_of_its_own.start()
        deadline = time.monotonic() + 20
        while "log" in platform.client.get("/v2/health/ready").json()["problems"]:
            assert time.monotonic() < deadline, "it did not find its storage by itself"
        assert score_wine(platform).status_code == 200
        refused = platform.client.post("/models/diabetes/score", content=ONE)
        assert (refused.status_code, "its bundle was refused" in refused.json()["error"]) == (503, True)
        assert platform.client.get("/health").status_code == 503
        platform.close()


def score_wine(platform: Platform) -> httpx.Response:
    return platform.client.post("/models/wine/score", content=ONE)
