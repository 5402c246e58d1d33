"""The local Functions host: runs the function app in a folder as Azure would, on this machine.

    python -m infra.local.host --port 7071 --app .

It indexes `function_app.py` through Microsoft's worker library, listens on loopback, asks for a key, runs timers in
processes of their own, and stops cleanly: on Ctrl-C or SIGTERM it takes no new connections, lets requests finish (up
to 10 s), ends the timers, and then lets the interpreter end in the usual way. So a function app hooks the end of its
process with `atexit.register`, as for the last frame of its log; the same holds in a timer's process. Threads of the
app that would outlive that should be daemon threads. Whatever hangs for 20 s more is cut off.
"""

import argparse
import errno
import logging
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from infra.local.admin import Admin
from infra.local.app import FunctionsHost, Rules
from infra.local.app_settings import load_local_settings, read_size, read_switch
from infra.local.folder_lock import locked
from infra.local.host_json import HostJson, read_host_json
from infra.local.keys import check_key, read_or_make_key
from infra.local.log import set_up_log
from infra.local.process import LocalError, end_with_parent
from infra.local.timers import Timer, close_all
from infra.local.worker import Function, load_functions, stop_threads

REQUEST_GRACE_S = 10
LAST_GRACE_S = 20.0
KEEP_ALIVE_S = 130  # as Kestrel; a shorter one meets clients' pooled connections just as they use them
BODY_BYTES = 104_857_600  # the platform's default; its setting FUNCTIONS_REQUEST_BODY_SIZE_LIMIT changes it

logger = logging.getLogger("host")


@dataclass(frozen=True)
class Options:
    """The command line, checked."""

    app: Path
    data: Path
    host: str
    port: int
    key: str | None
    log_requests: bool
    stop_with_stdin: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the host until Ctrl-C or SIGTERM; 1 when something stands in the way."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        options = _parse(arguments)
        if options.stop_with_stdin:
            end_with_parent(REQUEST_GRACE_S + LAST_GRACE_S)
        _serve(options)
    except LocalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _serve(options: Options) -> None:
    set_up_log(requests=options.log_requests)
    timers: list[Timer] = []
    with _listen(options.host, options.port) as listener, locked(options.data, "Host"):
        try:
            load_local_settings(options.app)
            key = _key(options)
            host_json = read_host_json(options.app)
            functions = enabled(_load(options.app), host_json, os.environ)
            timed = [function for function in functions if function.kind == "timerTrigger"]
            timers += [Timer(function, options.app, options.data) for function in timed]
            admin = Admin(functions, {timer.name: timer for timer in timers})
            app = FunctionsHost(functions, host_json, _rules(options, key), admin)
            _Server(app, timers, key).run_on(listener)
        finally:
            _leave_within(LAST_GRACE_S)
            close_all(timers)
            stop_threads()


class _Server(uvicorn.Server):
    """uvicorn that says what it serves, starts the timers once it listens, and leaves signals to `main`."""

    def __init__(self, app: FunctionsHost, timers: list[Timer], key: str | None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=REQUEST_GRACE_S,
            )
        )
        self._host = app
        self._timers = timers
        self._key = key

    def run_on(self, listener: socket.socket) -> None:
        """Serve until told to stop. uvicorn raises the signal again at its end; then it only means what it has done."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: setattr(self, "should_exit", True))
        self.run(sockets=[listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, say so, start the timers."""
        await super().startup(sockets)
        if sockets:
            _say_what_is_served(sockets[0], self._host, self._timers, self._key)
        for timer in self._timers:
            timer.start()


def enabled(functions: Sequence[Function], host_json: HostJson, environment: Mapping[str, str]) -> list[Function]:
    """The functions that run: not disabled by a setting, and listed in host.json if it lists any."""
    kept = [
        function
        for function in functions
        if (host_json.functions is None or function.name.lower() in host_json.functions)
        and not read_switch(f"AzureWebJobs.{function.name}.Disabled", environment, default=False)
    ]
    if not kept:
        raise LocalError("function_app.py offers no function that is enabled: there is nothing to run.")
    return kept


def _load(folder: Path) -> list[Function]:
    try:
        return load_functions(folder)
    except (LocalError, KeyboardInterrupt):
        raise
    except BaseException as error:  # whatever an app does at import, SystemExit included, is told in the same way
        traceback.print_exc()
        text = " ".join(str(error).split())[:300]
        raise LocalError(f"{folder / 'function_app.py'} failed to load: {type(error).__name__}: {text}") from error


def _rules(options: Options, key: str | None) -> Rules:
    home_page = not read_switch("AzureWebJobsDisableHomepage", os.environ, default=False)
    body_bytes = read_size("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", os.environ, BODY_BYTES)
    return Rules(key, body_bytes, home_page, options.log_requests)


def _key(options: Options) -> str | None:
    if not read_switch("AUTH", os.environ, default=True):
        if options.host not in {"127.0.0.1", "::1", "localhost"}:
            raise LocalError(f"AUTH=off is for this machine only, not for {options.host}: leave out --host or AUTH.")
        return None
    return check_key(options.key, "--key") if options.key else read_or_make_key(options.data / "key")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise LocalError(f"Cannot listen on {host} port {port}: {error.strerror}.") from error
        why = "needs rights that you lack" if error.errno == errno.EACCES else "is in use"
        text = f"Port {port} {why}: stop the program that has it, or choose another with --port (make run PORT=...)."
        raise LocalError(text) from error
    return listener


def _say_what_is_served(listener: socket.socket, host: FunctionsHost, timers: Sequence[Timer], key: str | None) -> None:
    address, port = listener.getsockname()[:2]
    base = f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
    for route in host.router.routes:
        methods = ",".join(sorted(route.methods)) or "any method"
        print(f"  {route.function}: {methods} {base}/{route.template}")
    for timer in timers:
        print(f"  {timer.name}: timer {timer.schedule.expression}")
    for route, earlier in host.router.hidden():
        logger.warning(
            "Route %s of %s is hidden by %s of %s: Azure tries functions in the order of their names.",
            *(route.template, route.function, earlier.template, earlier.function),
        )
    access = "no key needed" if key is None else f"key {key}, in header x-functions-key or ?code="
    print(f"Listening on {base} ({access}). Ctrl-C stops it.", flush=True)


def _leave_within(seconds: float) -> None:
    """Cut off an end that hangs, in the app's threads or exit hooks."""
    cut = threading.Timer(seconds, _cut_off)
    cut.daemon = True
    cut.start()


def _cut_off() -> None:
    sys.stderr.write("The function app did not end in time: cut off.\n")
    sys.stderr.flush()
    os._exit(1)


def _parse(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.host",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=(
            "Settings of the function app are environment variables; local.settings.json beside function_app.py may\n"
            "hold more. AUTH=off asks for no key. With Azure Functions Core Tools, `func start` runs the same app.\n\n"
            "examples:\n"
            "  python -m infra.local.host\n"
            "  AUTH=off python -m infra.local.host --port 8080 --log-requests\n"
            "  curl -X POST -H 'x-functions-key: KEY' -d '{}' -H 'content-type: application/json' \\\n"
            "       http://127.0.0.1:7071/admin/functions/NAME          # runs timer NAME now\n"
        ),
    )
    parser.add_argument("--app", type=Path, default=Path(), help="folder of function_app.py (default: this one)")
    parser.add_argument("--port", type=_port, default=7071, help="port; 0 takes a free one (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, loopback)")
    parser.add_argument(
        "--data", type=Path, default=Path(".local"), help="folder for the key and timers' state (default: %(default)s)"
    )
    parser.add_argument("--key", help="the key to ask for (default: made once, kept in the data folder)")
    parser.add_argument(
        "--log-requests",
        action="store_true",
        help="log each request: the host a line, and the app its own (docs/operations.md)",
    )
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input closes (for parents)")
    given = parser.parse_args(arguments)
    return Options(
        app=given.app.resolve(),
        data=given.data.resolve(),
        host=given.host,
        port=given.port,
        key=given.key,
        log_requests=given.log_requests,
        stop_with_stdin=given.stop_with_stdin,
    )


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to 65535")
    return int(text)


if __name__ == "__main__":
    raise SystemExit(main())
