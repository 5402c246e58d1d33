"""An HTTP proxy before the storage that does to each request what a network, a proxy or a tired server may do to it."""

from __future__ import annotations

import contextlib
import random
import re
import socket
import struct
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Literal, Self

Fate = Literal[
    "pass",
    "delayed",  # forwarded after a while
    "reply lost",  # done, and the connection is reset instead of an answer
    "reply cut",  # done, and the connection is reset in the middle of the answer
    "request cut",  # half of it arrives, then both connections are reset
    "late",  # the client's connection is reset first, and the request arrives some time after
    "twice",  # sent on twice, as a proxy that retries does; the second answer goes back
    "500",  # not done
    "503",  # not done, as a gateway says it: without an error code
    "500 after",  # done, and still answered 500
    "503 after",  # done, and still answered 503
    "throttled",  # not done: 503 as Azure says it, with Retry-After
    "timed out",  # not done: 500 as an account over its limits says it
    "timed out after",  # the same, and it was done
    "hang",  # done, and never answered
]
WEIGHTS: dict[Fate, int] = {
    "delayed": 6,
    "reply lost": 4,
    "reply cut": 3,
    "request cut": 3,
    "late": 4,
    "twice": 4,
    "500": 3,
    "503": 3,
    "500 after": 3,
    "503 after": 3,
    "throttled": 3,
    "timed out": 2,
    "timed out after": 2,
    "hang": 1,
}
_END = b"Content-Length: 0\r\nConnection: keep-alive\r\n\r\n"
_500 = b"HTTP/1.1 500 Trouble\r\n" + _END
_503 = b"HTTP/1.1 503 Trouble\r\n" + _END
_TIMED_OUT = (
    b"HTTP/1.1 500 Operation could not be completed within the specified time.\r\n"
    b"x-ms-error-code: OperationTimedOut\r\n" + _END
)
# https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes
_ERRORS: dict[Fate, bytes] = {
    "500": _500,
    "503": _503,
    "500 after": _500,
    "503 after": _503,
    "throttled": b"HTTP/1.1 503 The server is busy.\r\nx-ms-error-code: ServerBusy\r\nRetry-After: 1\r\n" + _END,
    "timed out": _TIMED_OUT,
    "timed out after": _TIMED_OUT,
}
_NOT_DONE: set[Fate] = {"500", "503", "throttled", "timed out"}


class HostileLine:
    """Listens on a free port of its own and forwards to `port`; each request meets trouble with probability `trouble`.

    Every fate is drawn from `seed`, in the order in which requests come. `met` counts what happened. Between `cut_off`
    and `restore` nobody gets through at all; `settle` waits for the requests that are still under way.
    """

    def __init__(self, port: int, seed: int, trouble: float) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._under_way = 0
        self._off = False
        self._ended = threading.Event()
        self._settling = threading.Event()  # what hangs is let go
        self.port: int = self._listener.getsockname()[1]
        self.trouble = trouble
        self.met: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._settling.set()
        self._listener.close()

    def cut_off(self) -> None:
        """An outage: new connections are refused, and on those there are every request meets a reset."""
        self._off = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def restore(self) -> None:
        """End the outage, on the same port."""
        deadline_s = time.monotonic() + 10
        while True:
            try:
                self._listener = socket.create_server(("127.0.0.1", self.port), backlog=100)
                break
            except OSError:  # somebody's outgoing connection has the port for a moment
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(0.05)
        self._off = False
        self._listen()

    def settle(self, timeout_s: float = 30) -> None:
        """Wait until nothing is under way, at the end: no late request will arrive any more."""
        self._settling.set()
        deadline_s = time.monotonic() + timeout_s
        while self._under_way:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{self._under_way} requests are still under way")
            time.sleep(0.02)

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            pending = b""
            while not self._ended.is_set():
                request, pending = _request(client, pending)
                if not request or not self._counted_answer(client, request):
                    break
        client.close()

    def _draw(self) -> tuple[Fate, float]:
        with self._lock:
            fate: Fate = "pass"
            if self._random.random() < self.trouble:
                (fate,) = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))
            self.met[fate] += 1
            return fate, self._random.choice((0.01, 0.05, 0.2, 0.7, 1.3))

    def _counted_answer(self, client: socket.socket, request: bytes) -> bool:
        with self._lock:
            self._under_way += 1
        try:
            return _reset(client) if self._off else self._answer(client, request)
        finally:
            with self._lock:
                self._under_way -= 1

    def _answer(self, client: socket.socket, request: bytes) -> bool:
        """Whether the client's connection goes on."""
        fate, pause_s = self._draw()
        if fate in _NOT_DONE:
            client.sendall(_ERRORS[fate])
            return True
        if fate == "request cut":
            self._forward(request[: len(request) // 2], whole=False)
            return _reset(client)
        if fate == "late":
            _reset(client)
        if fate in ("late", "delayed"):
            self._ended.wait(pause_s)
        if fate == "twice":
            self._forward(request)
        reply = self._forward(request)
        if fate == "hang":
            self._settling.wait(30)
        if fate in ("late", "hang", "reply lost") or not reply:
            return fate != "late" and _reset(client)
        reply = _ERRORS.get(fate, reply)
        client.sendall(reply[: len(reply) // 2] if fate == "reply cut" else reply)
        return fate != "reply cut" or _reset(client)

    def _forward(self, request: bytes, *, whole: bool = True) -> bytes:
        """The server's whole reply, empty if there was none."""
        head, _, body = request.partition(b"\r\n\r\n")
        head = re.sub(rb"(?im)^connection:.*\r\n", b"", head) + b"\r\nConnection: close"
        with contextlib.suppress(OSError), socket.create_connection(self._target, timeout=20) as server:
            server.sendall(head + b"\r\n\r\n" + body if whole else request)
            if not whole:
                _reset(server)
                return b""
            parts = []
            while part := server.recv(65536):
                parts.append(part)
            return re.sub(rb"(?i)\r\nconnection: close", b"\r\nConnection: keep-alive", b"".join(parts), count=1)
        return b""


def _request(client: socket.socket, data: bytes) -> tuple[bytes, bytes]:
    """The next request and what came after it; an empty one at the connection's end."""
    while b"\r\n\r\n" not in data:
        more = client.recv(65536)
        if not more:
            return b"", b""
        data += more
    size = data.index(b"\r\n\r\n") + 4
    length = re.search(rb"(?im)^content-length: *(\d+)", data[:size])
    size += int(length[1]) if length else 0
    while len(data) < size:
        more = client.recv(65536)
        if not more:
            return b"", b""
        data += more
    return data[:size], data[size:]


def _reset(connection: socket.socket) -> bool:
    """End the connection by a reset rather than in order."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    return False
