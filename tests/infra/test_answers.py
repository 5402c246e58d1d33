"""What functions return, as the bytes of a response."""

import azure.functions as func
import pytest
from azure.functions.http import HttpResponseConverter

from infra.local.answers import FAILED, Answer, answer_of


def answer(response: func.HttpResponse | str, *extra: tuple[str, str]) -> Answer:
    """The answer to what a function returned, encoded by the platform's own library."""
    return answer_of("f", HttpResponseConverter.encode(response, expected_type=None), extra)


def test_a_text_is_plain_text_in_utf8() -> None:
    assert answer("é") == Answer(200, "é".encode(), ((b"content-type", b"text/plain; charset=utf-8"),))


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body_lose_it(status: int) -> None:
    assert answer(func.HttpResponse("text", status_code=status)).body == b""


def test_length_and_connection_are_the_hosts_affair() -> None:
    headers = {"Content-Length": "999", "Transfer-Encoding": "chunked", "Connection": "close", "X-Own": "1"}
    names = {name for name, _ in answer(func.HttpResponse("text", headers=headers)).headers}
    assert names == {b"X-Own", b"content-type"}


def test_each_cookie_has_a_line_of_its_own() -> None:
    response = func.HttpResponse("text")
    response.headers.add("Set-Cookie", "a=1; Path=/")
    response.headers.add("Set-Cookie", "b=2; HttpOnly")
    found = [value for name, value in answer(response).headers if name == b"set-cookie"]
    assert found == [b"a=1; Path=/", b"b=2; HttpOnly"]


def test_headers_of_host_json_are_added_unless_the_function_set_them() -> None:
    extra = ("X-Frame-Options", "DENY")
    assert (b"X-Frame-Options", b"DENY") in answer("text", extra).headers
    own = answer(func.HttpResponse("text", headers={"x-frame-options": "SAMEORIGIN"}), extra)
    assert [value for name, value in own.headers if name.lower() == b"x-frame-options"] == [b"SAMEORIGIN"]


@pytest.mark.parametrize(("name", "value"), [("x", "é"), ("x", "a\x00b"), ("x y", "a"), ("", "a"), ("é", "a")])
def test_a_header_that_http_does_not_allow_is_a_failure(
    name: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert answer(func.HttpResponse("text", headers={name: value})) == FAILED
    assert "Function f answered with header" in caplog.text


@pytest.mark.parametrize("status", [0, 99, 100, 600, -1])
def test_a_status_that_ends_no_response_is_a_failure(status: int) -> None:
    assert answer(func.HttpResponse("text", status_code=status)) == FAILED
