"""How a command behaves on a terminal and in a pipe, whatever it prints."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Callable
from typing import NoReturn


def run_as_command(main: Callable[[], int]) -> NoReturn:
    """Run it and end the process with its exit code; 130 for Ctrl-C."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `python -m audit find … | head` ends quietly
    for stream in (sys.stdout, sys.stderr):  # a terminal that knows no UTF-8 gets escapes, not a traceback
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
