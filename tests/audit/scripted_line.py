"""A line to the storage that does to the calls of a script what stands there, and passes everything else on."""

from __future__ import annotations

import re
import socket
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tests.audit.hostile_line import HostileLine

Call = Literal["create", "append", "put", "read", "size"]
Answer = Literal["412", "409", "500", "timeout"]

# What the service says then, and `after` the work what the second of two says, if a proxy sent it twice.
_CODES: dict[tuple[Call, Answer, bool], str] = {
    ("create", "412", False): "ConditionNotMet",
    ("create", "412", True): "ConditionNotMet",
    ("create", "409", False): "ContainerBeingDeleted",
    ("create", "409", True): "BlobAlreadyExists",
    ("append", "412", False): "LeaseIdMissing",
    ("append", "412", True): "AppendPositionConditionNotMet",
    ("put", "409", False): "ContainerBeingDeleted",
    ("put", "409", True): "BlobAlreadyExists",
}
_BY_STATUS: dict[Answer, str] = {
    "412": "ConditionNotMet", "409": "BlobModifiedWhileReading", "500": "InternalError", "timeout": "",
}  # fmt: skip


@dataclass(frozen=True)
class Trouble:
    """What the next call of that kind is answered, before the work (and it is not done) or after."""

    call: Call
    answer: Answer
    after: bool

    @property
    def reply(self) -> bytes:
        """As the service would put it."""
        code = _CODES.get((self.call, self.answer, self.after), _BY_STATUS[self.answer])
        return (
            f"HTTP/1.1 {self.answer} Trouble\r\nx-ms-error-code: {code}\r\nContent-Length: 0\r\n"
            "Connection: keep-alive\r\n\r\n"
        ).encode()


class ScriptedLine(HostileLine):
    """`script` is what still has to happen, in this order; it is over when that is empty."""

    def __init__(self, port: int) -> None:
        super().__init__(port, seed=0, trouble=0.0)
        self.script: deque[Trouble] = deque()

    def then(self, troubles: Iterable[Trouble]) -> None:
        """Put these on the script."""
        self.script.extend(troubles)

    def _answer(self, client: socket.socket, request: bytes) -> bool:
        if not self.script or call_of(request) != self.script[0].call:
            return super()._answer(client, request)
        trouble = self.script.popleft()
        if trouble.after:
            self._forward(request)
        if trouble.answer == "timeout":
            self._settling.wait(30)
            return False
        client.sendall(trouble.reply)
        return True


def call_of(request: bytes) -> Call | None:
    """Which of a store's calls a request is, of those that a script may name.

    >>> call_of(b"PUT /a/c/b?comp=appendblock HTTP/1.1"), call_of(b"GET /a/c?restype=container&comp=list HTTP/1.1")
    ('append', None)
    """
    line, _, head = request.partition(b"\r\n\r\n")[0].partition(b"\r\n")
    if b"restype=container" in line:
        return None
    if b"comp=appendblock" in line:
        return "append"
    kind = re.search(rb"(?i)x-ms-blob-type: *(\w+)", head)
    if line.startswith(b"PUT") and kind:
        return "create" if kind[1] == b"AppendBlob" else "put"
    return "read" if line.startswith(b"GET") else "size" if line.startswith(b"HEAD") else None
