"""How long this process has been running, for the cold start that `us.start` records.

Linux knows when it started the process (`starttime` in /proc/self/stat, in ticks of 10 ms as a rule since boot, see
proc_pid_stat(5)). Elsewhere the time of this module's import stands in, which leaves out the start of the interpreter.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_IMPORTED_S = time.monotonic()
_STARTTIME = 19  # fields after the closing parenthesis of the command, which may itself hold spaces


def process_age_s(stat: Path = Path("/proc/self/stat")) -> float:
    """Seconds since the process began, or since this module was imported where that cannot be read."""
    since_import_s = time.monotonic() - _IMPORTED_S
    try:
        fields = stat.read_text().rpartition(")")[2].split()
        began_s = int(fields[_STARTTIME]) / os.sysconf("SC_CLK_TCK")
        return max(time.clock_gettime(time.CLOCK_BOOTTIME) - began_s, since_import_s)
    except (OSError, ValueError, IndexError, AttributeError):
        return since_import_s
