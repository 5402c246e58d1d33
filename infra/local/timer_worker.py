"""The process of one timer: loads function_app, then runs one timer function each time its host says so.

The host writes one line of JSON, the timer's payload, to our standard input for each run, and reads one line from the
pipe `--replies`: `{"error": null}` or an error text. When standard input ends, the host is gone and so are we. Started
by `timers.py`; nobody runs it by hand.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from infra.local.log import set_up_log
from infra.local.process import LocalError

GRACE_S = 4.0  # below the host's own, so that our end is clean

logger = logging.getLogger("host")


def main(arguments: list[str] | None = None) -> int:
    """Run until standard input ends or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.timer_worker")
    parser.add_argument("--app", type=Path, required=True)
    parser.add_argument("--function", required=True)
    parser.add_argument("--replies", type=int, required=True)
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.set_inheritable(options.replies, False)
    set_up_log()
    try:
        asyncio.run(_serve(options.app, options.function, options.replies))
    except KeyboardInterrupt:
        logger.debug("Timer %s was told to stop.", options.function)
    except LocalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        _leave_soon()
    return 0


async def _serve(app: Path, name: str, replies: int) -> None:
    from infra.local.worker import invoke_timer, load_functions

    function = next((function for function in load_functions(app) if function.name == name), None)
    if function is None:
        raise LocalError(f"There is no function {name} in {app}.")
    runs: asyncio.Queue[bytes] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    threading.Thread(target=_read_runs, args=(loop, runs), name="lifeline", daemon=True).start()
    while line := await runs.get():
        result = await invoke_timer(function, json.loads(line))
        os.write(replies, json.dumps({"error": result.error}).encode() + b"\n")


def _read_runs(loop: asyncio.AbstractEventLoop, runs: asyncio.Queue[bytes]) -> None:
    """Hand over the lines of standard input; at its end the host is gone: stop, at the latest after the grace.

    Read without sys.stdin: the interpreter cannot end while a daemon thread holds that object's lock.
    """
    rest = b""
    while chunk := os.read(0, 65536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            loop.call_soon_threadsafe(runs.put_nowait, line)
    _leave_soon()
    os.kill(os.getpid(), signal.SIGTERM)


def _leave_soon() -> None:
    """End this process within the grace, even if a function or the end of the interpreter hangs."""
    timer = threading.Timer(GRACE_S, os._exit, args=(1,))
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    raise SystemExit(main())
