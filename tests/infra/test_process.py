"""A child ends with the one that started it, even if its own interrupt is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time

DEAF = """
import os, signal, sys, time
from infra.local.process import end_with_process
signal.signal(signal.SIGTERM, signal.SIG_IGN)
end_with_process(os.getppid(), grace_s=0.2)
print(os.getpid(), flush=True)
time.sleep(60)
"""
STARTER = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]]).wait()"


def test_a_process_that_loses_its_interrupt_ends_all_the_same() -> None:
    command = [sys.executable, "-c", STARTER, DEAF]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        child = int(starter.stdout.readline())
        assert runs(child)
        starter.kill()
        deadline = time.monotonic() + 20
        while runs(child):
            assert time.monotonic() < deadline, "it is still there"
            time.sleep(0.05)


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
