"""How a command behaves on a terminal and in a pipe, whatever it prints, and with which code it ends.

| exit code | what |
|---|---|
| 0, 1, 2 | what the command says; 2 always means that it could not do what it was asked |
| 130 | it was interrupted (Ctrl-C) |
| 141 | who read its output had enough, as `head` does |

An error that nobody foresaw is shown with its traceback and ends with 2: Python's own code would be 1, which means
"nothing was found", or "the log is not as it should be".
"""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn, TextIO

from audit.errors import AuditError

INTERRUPTED = 130
_PIPE_CLOSED = 141
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}  # a full disk, or a terminal that is gone


def run_as_command(main: Callable[[], int]) -> NoReturn:
    """Run it and end the process with its exit code."""
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()  # closed by who started it: >&-
    for stream in (sys.stdout, sys.stderr):  # a terminal that knows no UTF-8 gets escapes, not a traceback
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = exit_code(main)
    _drop_what_cannot_be_written()
    sys.exit(code)


def exit_code(main: Callable[[], int]) -> int:
    """Run it to the last byte of its output.

    The signal SIGPIPE stays ignored, as Python has it: its default would also end a command when the storage closes a
    connection (https://docs.python.org/3/library/signal.html#note-on-sigpipe).
    """
    try:
        code = _code_of(main)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _PIPE_CLOSED
    except OSError as problem:
        return _not_written(problem)
    except Exception:  # noqa: BLE001 - shown, and told apart from what a command finds
        traceback.print_exc()
        return 2
    return code


def advised(problem: AuditError) -> str:
    """What the log says no with, and what to look at if it could not be asked."""
    lost = "cannot be reached" in str(problem) or "did not answer" in str(problem)
    return f"{problem}{'. Is the storage running, and does HYPERPLANE_STORAGE name it?' if lost else ''}"


def _nowhere() -> TextIO:
    return open(os.devnull, "w")  # noqa: PTH123 - until the process ends


def _code_of(main: Callable[[], int]) -> int:
    try:
        return main()
    except SystemExit as end:  # argparse: help, or arguments that cannot be
        return end.code if isinstance(end.code, int) else 0


def _not_written(problem: OSError) -> int:
    """Commands name their own files; what is left is standard output, or an error that nobody foresaw."""
    if problem.errno in _UNWRITABLE and problem.filename is None:
        print(f"error: standard output could not be written: {problem.strerror}", file=sys.stderr)
    else:
        traceback.print_exc()
    return 2


def _drop_what_cannot_be_written() -> None:
    """What is left in a buffer would be tried once more at the end, and change the exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, stream.fileno())
            os.close(devnull)
