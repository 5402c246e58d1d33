"""A local Functions host in a process of its own, for tests and `make run`.

    with LocalHost(env={"HYPERPLANE_STORAGE": azurite.connection_string}) as host:
        httpx.get(host.url + "/health", headers={"x-functions-key": host.key})

It ends with this process, however this process ends.
"""

import http.client
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.ports import HOST, free_ports
from infra.local.process import LocalError, kill_child, start_child, stop_child

PROJECT = Path(__file__).parents[2]
STOP_GRACE_S = 35.0  # requests in flight, timers and the app's own end have their own, shorter limits


class LocalHost:
    """One host process.

    `env` are settings on top of this process's environment (None removes one); `app` is the folder of function_app.py
    (default: this project); `data` keeps the key, timers' state and `host.log` (default: a temporary folder, removed at
    the end). `stop()` and `start()` again, or `kill()` and `start()`, keep port, key and data.
    """

    def __init__(
        self,
        port: int = 0,
        env: Mapping[str, str | None] | None = None,
        app: Path | None = None,
        data: Path | None = None,
        key: str | None = None,
        log_requests: bool = False,
        start_timeout_s: float = 60.0,
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="host-") if data is None else None
        self.data = Path(self._temporary.name) if self._temporary else Path(data or ".")
        self.app = app or PROJECT
        self.port = port
        self.key = key or secrets.token_urlsafe(24)
        self._settings = dict(env or {})
        self._arguments = ["--log-requests"] if log_requests else []
        self._start_timeout_s = start_timeout_s
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> str:
        """What the host and its functions have written since the last start."""
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    @property
    def _log_file(self) -> Path:
        return self.data / "host.log"

    def start(self) -> Self:
        """Start it and return once it answers. Raises LocalError with what it said."""
        if self.process is not None and self.process.poll() is None:
            return self
        self.data.mkdir(parents=True, exist_ok=True)
        for port in [self.port] if self.port else free_ports():
            self._start_on(port)
            if self._answers(port):
                self.port = port
                return self
            self.stop()
            if self.port or f"Port {port} is in use" not in self.log:
                break
        raise LocalError(f"The host did not start. It said:\n{self.log[-4000:].strip() or '(nothing)'}")

    def stop(self) -> int:
        """Stop it cleanly with SIGTERM and return its exit code (0 when it was not running)."""
        return self._end(lambda child: stop_child(child, "The local host", STOP_GRACE_S))

    def kill(self) -> int:
        """End it with SIGKILL, as a crash would."""
        return self._end(kill_child)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop it and remove its temporary folder."""
        self.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

    def _start_on(self, port: int) -> None:
        command = [sys.executable, "-m", "infra.local.host", "--stop-with-stdin", "--port", str(port)]
        folders = ["--app", str(self.app.resolve()), "--data", str(self.data.resolve())]
        environment = {**os.environ, **self._settings}
        with self._log_file.open("wb") as output:
            self.process = start_child(
                [*command, *folders, f"--key={self.key}", *self._arguments],  # with =: it may begin with a dash
                output=output,
                environment={name: value for name, value in environment.items() if value is not None},
                folder=PROJECT,
            )

    def _answers(self, port: int) -> bool:
        deadline = time.monotonic() + self._start_timeout_s
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                return False
            if f"Listening on http://{HOST}:{port}" in self.log and _responds(port):
                return True
            time.sleep(0.02)
        return False

    def _end(self, how: Callable[[subprocess.Popen[bytes]], int]) -> int:
        if self.process is None:
            return 0
        code = how(self.process)
        self.process = None
        return code


def _responds(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5.0)
    try:
        connection.request("GET", "/admin/host/ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
