"""Answers on their way out: a function's result as the bytes of an HTTP response, checked as Kestrel checks them."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger("host")

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\t\x20-\x7e]*")
_OURS = {"connection", "content-length", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True)
class Answer:
    """Status, header lines and body of a response."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


FAILED = Answer(500)


def plain(status: int, text: str = "", content_type: str = "text/plain; charset=utf-8") -> Answer:
    """An answer of the host itself; without text it has no body and no content type."""
    if not text:
        return Answer(status)
    return Answer(status, text.encode(), ((b"content-type", content_type.encode()),))


def answer_of(function: str, datum: Any, extra: tuple[tuple[str, str], ...]) -> Answer:
    """The answer for what an HTTP function returned; `extra` are the app's own header lines from host.json."""
    if datum is None:
        return Answer(204)
    try:
        if datum.type == "string":
            answer = plain(200, datum.value)
            return Answer(200, answer.body, (*answer.headers, *_checked(extra)))
        return _http_answer(datum.value, extra)
    except ValueError as error:
        logger.error("Function %s answered with %s: sent 500 instead.", function, error)
        return FAILED


def _http_answer(parts: dict[str, Any], extra: tuple[tuple[str, str], ...]) -> Answer:
    status = int(parts["status_code"].value)
    if not 200 <= status <= 599:
        raise ValueError(f"status {status}, which is none between 200 and 599")
    lines = [(name, datum.value) for name, datum in parts["headers"].items() if name.lower() not in _OURS]
    present = {name.lower() for name, _ in lines}
    lines += [(name, value) for name, value in extra if name.lower() not in present]
    lines += [("set-cookie", morsel.OutputString()) for cookie in parts["cookies"] or [] for morsel in cookie.values()]
    body = b"" if status in {204, 304} else parts["body"].value
    return Answer(status, body, tuple(_checked(lines)))


def _checked(lines: Iterable[tuple[str, str]]) -> Iterable[tuple[bytes, bytes]]:
    for name, value in lines:
        line = name.encode(), value.encode()
        if not _NAME.fullmatch(line[0]) or not _VALUE.fullmatch(line[1]):
            raise ValueError(f"header {name!r}, which holds more than printable ASCII")
        yield line
