"""Runs a module as `python -m` does, on a lifeline: `python -m infra.local.leash MODULE ARGUMENTS...`.

For commands that know nothing of lifelines (pip, our own): when whoever started one with `process.start_child` is
gone, by `kill -9` too, it ends at once, and with it what it has started itself. Nothing gets time to tidy up, so what
runs here must bear a kill at any moment.
"""

import os
import runpy
import signal
import sys

from infra.local.process import end_with_parent

GRACE_S = 2.0

if __name__ == "__main__":
    if os.getpgrp() == os.getpid():  # a session of our own, by start_child
        signal.signal(signal.SIGTERM, lambda *_: os.killpg(os.getpid(), signal.SIGKILL))
    end_with_parent(GRACE_S)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
