"""What a client of the local host sees: routes, keys, methods, bodies, errors, admin endpoints."""

import os
import re
import socket
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from infra.local.local_host import LocalHost
from tests.infra.conftest import LIMIT_BYTES, SAMPLE_APP, wait_until


def test_a_function_that_is_not_async_runs_in_a_thread(host: LocalHost, client: httpx.Client) -> None:
    seen = client.get("/sync/Bob%20B", headers={"x-functions-key": host.key}).json()
    assert seen["route_params"] == {"name": "Bob B"}
    assert seen["thread"].startswith("ThreadPool")
    assert seen["process"] != os.getpid()
    assert seen["folder"] == str(SAMPLE_APP)


def test_an_async_function_gets_the_whole_request(host: LocalHost, client: httpx.Client) -> None:
    url = "/echo/caf%C3%A9%2Fa/12/?q=a+b&Q=c&empty=&name=%C3%A9"
    response = client.request(
        "PATCH", url, content=b"\x00\xff body", headers=[("X-Many", "1"), ("x-many", "2"), ("Content-Type", "x/y")]
    )
    seen = response.json()
    assert seen["method"] == "PATCH"
    assert seen["url"] == host.url + url
    assert seen["params"] == {"q": "a b,c", "name": "é"}
    assert seen["route_params"] == {"name": "café%2Fa", "number": "12"}
    assert seen["headers"]["x-many"] == "1,2"
    assert seen["body"].encode("latin-1") == b"\x00\xff body"
    assert seen["thread"] == "MainThread"


def test_each_invocation_has_an_id_of_its_own(client: httpx.Client) -> None:
    ids = {client.get("/echo/x").headers["x-invocation"] for _ in range(5)}
    assert len(ids) == 5
    assert all(uuid.UUID(text).version == 4 for text in ids)


@pytest.mark.parametrize("path", ["/", "", "/?a=b"])
def test_the_root_belongs_to_the_function_that_asks_for_it(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.text) == (200, "the root")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing/here"),
        ("POST", "/files/a"),
        ("HEAD", "/files/a"),
        ("PUT", "/sync/a"),
        ("GET", "/echo"),
        ("GET", "/echo/" + "x" * 21),
        ("GET", "/echo/x/notanumber"),
        ("GET", "/echo/x/1/2"),
        ("GET", "/unrouted/x"),
        ("GET", "/slow/x"),
        ("GET", "/function_app.py"),
        ("GET", "/../host.json"),
    ],
)
def test_no_route_or_a_wrong_method_is_404_with_nothing_in_it(client: httpx.Client, method: str, path: str) -> None:
    response = client.request(method, path)
    assert (response.status_code, response.content) == (404, b"")


def test_literals_match_in_any_case_and_a_trailing_slash_does_not_count(client: httpx.Client) -> None:
    assert client.get("/ECHO/x/").json()["route_params"] == {"name": "x"}
    assert client.get("/Files/A/b/").json()["route_params"] == {"path": "A/b"}


def test_an_empty_route_is_the_name_of_the_function(host: LocalHost, client: httpx.Client) -> None:
    assert client.get("/Unrouted", params={"code": host.key}).status_code == 200


@pytest.mark.parametrize("path", ["/sync/a", "/unrouted", "/guarded", "/admin/host/status", "/admin/functions"])
def test_without_the_key_it_is_401_with_nothing_in_it(host: LocalHost, client: httpx.Client, path: str) -> None:
    wrong = [{}, {"x-functions-key": ""}, {"x-functions-key": host.key + "x"}, {"x-functions-key": "é" * 40}]
    for headers in wrong:
        encoded = {name: value.encode() for name, value in headers.items()}
        response = client.get(path, headers=list(encoded.items()))  # type: ignore[arg-type]
        assert (response.status_code, response.content) == (401, b"")
    for query in ["?code=", "?code=wrong", f"?code={host.key}&code={host.key}", f"?key={host.key}"]:
        response = client.get(path + query)
        assert (response.status_code, response.content) == (401, b"")


@pytest.mark.parametrize("path", ["/sync/a", "/unrouted", "/guarded", "/admin/host/status", "/admin/functions"])
def test_the_key_opens_by_header_or_query(host: LocalHost, client: httpx.Client, path: str) -> None:
    assert client.get(path, headers={"X-Functions-Key": host.key}).status_code == 200
    assert client.get(path, params={"code": host.key}).status_code == 200
    assert client.get(path, params={"CODE": host.key}).status_code == 200


def test_a_key_in_the_header_counts_before_one_in_the_query(host: LocalHost, client: httpx.Client) -> None:
    assert client.get("/unrouted", params={"code": host.key}, headers={"x-functions-key": "wrong"}).status_code == 401


@pytest.mark.parametrize("how", ["exception", "header", "nothing", "status"])
def test_a_function_that_fails_is_500_with_nothing_in_it_and_the_host_goes_on(
    host: LocalHost, client: httpx.Client, how: str
) -> None:
    response = client.get(f"/fails/{how}")
    assert (response.status_code, response.content) == (500, b"")
    assert client.get("/echo/x").status_code == 200
    wait_until(lambda: "Function fails" in host.log, "the line of the failure")


def test_the_traceback_of_a_failure_is_in_the_log(host: LocalHost, client: httpx.Client) -> None:
    client.get("/fails/exception")
    found = re.compile(r'function_app\.py", line \d+, in fails')
    wait_until(lambda: found.search(host.log) is not None, "the traceback")
    assert "RuntimeError: told to fail" in host.log


def test_status_headers_and_cookies_of_an_answer_arrive(client: httpx.Client) -> None:
    response = client.get("/answers/418")
    assert (response.status_code, response.text) == (418, "text")
    assert response.headers["set-cookie"] == "a=b; Path=/"
    assert response.headers["x-served-by"] == "function"
    assert client.get("/").headers["x-served-by"] == "sample"


@pytest.mark.parametrize("status", [204, 304])
def test_answers_that_may_have_no_body_have_none(client: httpx.Client, status: int) -> None:
    response = client.get(f"/answers/{status}")
    assert (response.status_code, response.content) == (status, b"")
    assert client.get("/echo/x").status_code == 200


def test_a_head_request_gets_the_headers_alone(client: httpx.Client) -> None:
    response = client.head("/echo/x")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("size", [0, 1, 70_000, LIMIT_BYTES])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_up_to_the_limit_arrives_whole(client: httpx.Client, size: int, chunked: bool) -> None:
    body = os.urandom(size)
    pieces = (body[start : start + 9_999] for start in range(0, size, 9_999))
    assert client.post("/body", content=pieces if chunked else body).content == body


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413_and_is_not_kept_in_memory(
    host: LocalHost, client: httpx.Client, chunked: bool
) -> None:
    assert host.process is not None
    before = memory_bytes(host.process.pid)
    size = 64 * LIMIT_BYTES
    pieces = pieces_of(size)
    content = pieces if chunked else b"".join(pieces)
    response = client.post("/body", content=content)
    assert (response.status_code, response.content) == (413, b"")
    assert memory_bytes(host.process.pid) - before < 16 * LIMIT_BYTES
    assert client.post("/body", content=b"x").content == b"x"


def test_a_body_that_says_it_is_over_the_limit_is_refused_before_it_is_sent(host: LocalHost) -> None:
    with socket.create_connection(("127.0.0.1", host.port), timeout=10) as connection:
        length = str(LIMIT_BYTES + 1).encode()
        connection.sendall(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n")
        assert connection.makefile("rb").readline().split()[1] == b"413"


def test_a_request_line_or_headers_out_of_bounds_are_refused(client: httpx.Client) -> None:
    assert client.get("/echo/" + "x" * 9000).status_code == 414
    assert client.get("/echo/x", params={"q": "x" * 9000}).status_code == 414
    assert client.get("/echo/x", headers={"x-long": "x" * 33_000}).status_code == 431


@pytest.mark.parametrize("path", [b"/a%00b", b"/\xc3\xa9"])
def test_a_malformed_path_is_400(host: LocalHost, path: bytes) -> None:
    with socket.create_connection(("127.0.0.1", host.port), timeout=10) as connection:
        connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert connection.makefile("rb").readline().split()[1] == b"400"


@pytest.mark.parametrize(
    "sent", [b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"POST /body HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
def test_what_is_no_http_does_not_hurt_the_host(host: LocalHost, client: httpx.Client, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", host.port), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        connection.makefile("rb").read()
    assert client.get("/echo/x").status_code == 200


def test_a_client_that_leaves_half_way_does_not_hurt_the_host(host: LocalHost, client: httpx.Client) -> None:
    with socket.create_connection(("127.0.0.1", host.port), timeout=10) as connection:
        connection.sendall(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nonly this")
    assert client.post("/body", content=b"x").content == b"x"


def test_many_clients_at_once_get_their_own_answers(host: LocalHost) -> None:
    barrier = threading.Barrier(16)

    def work(number: int) -> list[str]:
        with httpx.Client(base_url=host.url, timeout=30.0) as client:
            barrier.wait()
            path = f"/sync/{number}" if number % 2 else f"/echo/{number}"
            answers = [client.post(path, params={"code": host.key}, content=f"{number}-{n}").json() for n in range(20)]
        assert {answer["route_params"]["name"] for answer in answers} == {str(number)}
        return [answer["body"] for answer in answers]

    with ThreadPoolExecutor(16) as pool:
        bodies = list(pool.map(work, range(16)))
    assert bodies == [[f"{number}-{n}" for n in range(20)] for number in range(16)]


def test_slow_requests_do_not_wait_for_each_other(host: LocalHost) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: httpx.get(host.url + "/slow/1", timeout=20.0), range(8)))
    assert [answer.text for answer in answers] == ["done"] * 8
    assert max(answer.elapsed.total_seconds() for answer in answers) < 6


def test_requests_are_logged_without_their_query(host: LocalHost, client: httpx.Client) -> None:
    client.get("/files/logged", params={"code": "secret-code"})
    wait_until(lambda: re.search(r"GET /files/logged 200 \d", host.log) is not None, "the line of the request")
    assert "secret-code" not in host.log


def test_the_ping_needs_no_key_and_says_nothing(client: httpx.Client) -> None:
    for method in ["GET", "POST"]:
        response = client.request(method, "/admin/host/ping")
        assert (response.status_code, response.content) == (200, b"")


def test_the_status_tells_state_and_timers(host: LocalHost, client: httpx.Client) -> None:
    status = client.get("/admin/host/status", params={"code": host.key}).json()
    assert status["state"] == "Running"
    assert status["timers"]["tick"]["schedule"] == "0 0 0 29 2 *"


def test_admin_lists_the_functions(host: LocalHost, client: httpx.Client) -> None:
    listed = client.get("/admin/functions", params={"code": host.key}).json()
    assert {"tick", "echo", "root"} <= {function["name"] for function in listed}
    assert client.get("/admin/functions/TICK", params={"code": host.key}).json()["name"] == "tick"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/admin/functions/unknown", b"{}", 404),
        ("/admin/functions/echo", b"{}", 400),
        ("/admin/functions/tick", b"", 400),
        ("/admin/functions/tick", b"[]", 400),
        ("/admin/functions/tick", b"{", 400),
        ("/admin/functions/tick/more", b"{}", 404),
        ("/admin/nothing", b"{}", 404),
        ("/runtime/webhooks", b"{}", 404),
    ],
)
def test_admin_refuses_what_it_cannot_do(
    host: LocalHost, client: httpx.Client, path: str, body: bytes, status: int
) -> None:
    assert client.post(path, content=body).status_code == 401
    assert client.post(path, content=body, headers={"x-functions-key": host.key}).status_code == status


def pieces_of(size: int) -> Iterator[bytes]:
    """That many bytes in pieces of a limit's size."""
    for _ in range(size // LIMIT_BYTES):
        yield b"x" * LIMIT_BYTES


def memory_bytes(process_id: int) -> int:
    """Resident memory of a process."""
    with open(f"/proc/{process_id}/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
