"""Child processes that never outlive the process that started them.

A child holds the read end of a pipe whose write end only its parent has: its *lifeline*. When the parent ends, by a
return, a Ctrl-C or `kill -9`, the kernel closes the pipe and the child stops itself with SIGTERM, so its own clean
shutdown runs. `PR_SET_PDEATHSIG` would do the same on Linux only, and fires when the starting *thread* ends.

Children get a session of their own: Ctrl-C in a terminal reaches the parent alone, which then stops them in the order
that loses nothing (the host before the storage that it writes to).

Not promised: a child that ignores SIGTERM and blocks every thread. `stop` kills such a one and says so.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

GRACE_S = 10.0
PARENT_POLL_S = 0.5


class LocalError(Exception):
    """Something on this machine stands in the way; the message is one line that says what to do."""


def start_child(
    command: Sequence[str | Path],
    *,
    output: IO[bytes] | int | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    keep_open: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `command` on a lifeline: its standard input, which it watches and which closes when this process ends.

    `output` takes both its output streams (default: ours). `keep_open` are file descriptors that it inherits.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        env=dict(environment) if environment is not None else None,
        cwd=folder,
        pass_fds=tuple(keep_open),
        start_new_session=True,
    )


def stop_child(child: subprocess.Popen[bytes], name: str, grace_s: float = GRACE_S) -> int:
    """Stop a child with SIGTERM, wait for its end and return its exit code; kill it only when it hangs, and say so."""
    if child.poll() is None:
        child.terminate()
    try:
        code = child.wait(grace_s)
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"{name} (process {child.pid}) did not stop within {grace_s:g} s: killed.\n")
        child.kill()
        code = child.wait()
    _cut_lifeline(child)
    return code


def kill_child(child: subprocess.Popen[bytes]) -> int:
    """End a child with SIGKILL, as a crash would, and return its exit code."""
    if child.poll() is None:
        child.kill()
    code = child.wait()
    _cut_lifeline(child)
    return code


def end_with_parent(grace_s: float = GRACE_S) -> None:
    """In a child: watch the lifeline (standard input). When it closes, stop with SIGTERM; after `grace_s`, at once."""
    threading.Thread(target=_watch, args=(sys.stdin.fileno(), grace_s), name="lifeline", daemon=True).start()


def end_with_process(parent: int, grace_s: float = 2 * GRACE_S) -> None:
    """Stop with SIGTERM when `parent`, which started this process, has ended: for one that holds no lifeline (make).

    After `grace_s`, at once: Python loses an interrupt that comes while it runs a destructor. Children of ours end by
    their own lifelines then.
    """
    threading.Thread(target=_watch_parent, args=(parent, grace_s), name="parent", daemon=True).start()


def _watch_parent(parent: int, grace_s: float) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_S)
    _stop_within(grace_s)


def _watch(descriptor: int, grace_s: float) -> None:
    while os.read(descriptor, 4096):
        continue
    _stop_within(grace_s)


def _stop_within(grace_s: float) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(grace_s)
    os._exit(1)


def _cut_lifeline(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        child.stdin.close()
