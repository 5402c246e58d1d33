"""A command in a process of its own, with how long it took and the most memory that it held.

The kernel's count for an ended child (`ru_maxrss`) begins with the memory of the process that started it, so the child
itself reads its high-water mark, as its last act: `python -m bench.measured_process MODULE …` runs a module and does.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import runpy
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TOLD_TO = "BENCH_PEAK_FD"
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss


@dataclass(frozen=True)
class Ran:
    """How it went."""

    seconds: float  # start and end of the process included
    cpu_s: float  # of the processor, which a busy machine changes less
    peak_bytes: int  # of resident memory
    code: int
    output: str


def run(module: str, *arguments: str, environ: Mapping[str, str], given: str = "") -> Ran:
    """`python -m module …`; what it writes to standard error is seen, progress bars too."""
    peak, told = os.pipe()
    began_s = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "bench.measured_process", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **environ, _TOLD_TO: str(told)},
        pass_fds=[told],
        text=True,
    ) as child:
        os.close(told)
        output = _spoken_to(child, given)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began_s
    with os.fdopen(peak, "rb") as pipe:
        peak_bytes = int(pipe.read() or 0)
    return Ran(seconds, usage.ru_utime + usage.ru_stime, peak_bytes, child.returncode, output)


def _spoken_to(child: subprocess.Popen[str], given: str) -> str:
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("a child that was started with pipes has none")
    with contextlib.suppress(BrokenPipeError):  # it ended before it read
        child.stdin.write(given)
        child.stdin.close()
    return child.stdout.read()


def _peak_bytes() -> int:
    """The high-water mark of this process."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_BYTES
    found = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _run_module() -> None:
    told = int(os.environ.pop(_TOLD_TO))
    module = sys.argv[1]
    del sys.argv[0]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        os.write(told, str(_peak_bytes()).encode())


if __name__ == "__main__":
    _run_module()
