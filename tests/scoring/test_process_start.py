"""The age of a process is read from the system, and a system without it is no error."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from scoring.process_start import process_age_s

AGE = "import time; {}; from scoring.process_start import process_age_s; print(process_age_s())"


def age_of_a_process(before: str) -> tuple[float, float]:
    began_s = time.monotonic()
    ran = subprocess.run([sys.executable, "-c", AGE.format(before)], capture_output=True, text=True, check=True)
    return float(ran.stdout), time.monotonic() - began_s


def test_the_age_counts_from_the_start_of_the_process_and_not_from_the_import() -> None:
    age_s, lived_s = age_of_a_process("time.sleep(0.3)")
    assert 0.3 <= age_s <= lived_s + 0.02


def test_a_system_that_does_not_tell_gives_the_time_since_the_import(tmp_path: Path) -> None:
    strange = tmp_path / "stat"
    assert 0 < process_age_s(strange) <= process_age_s() + 0.02
    strange.write_text("1 (a) b) S 1 2")
    assert process_age_s(strange) > 0
