"""A command in a process of its own, with how long it took and the most memory that it held."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss


@dataclass(frozen=True)
class Ran:
    """How it went."""

    seconds: float  # start and end of the process included
    peak_bytes: int  # of resident memory
    code: int
    output: str


def run(module: str, *arguments: str, environ: Mapping[str, str], given: str = "") -> Ran:
    """`python -m module …`; what it writes to standard error is seen, progress bars too.

    Its memory is the kernel's count for that process alone, which `os.wait4` gives.
    """
    began_s = time.perf_counter()
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environ}, text=True
    ) as child:
        if child.stdin is None or child.stdout is None:
            raise RuntimeError("a child that was started with pipes has none")
        child.stdin.write(given)
        child.stdin.close()
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began_s
    return Ran(seconds, usage.ru_maxrss * _MAXRSS_BYTES, child.returncode, output)
