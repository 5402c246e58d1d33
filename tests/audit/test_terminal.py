"""With which code a command ends, and what it says when its output goes nowhere."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.terminal import exit_code, run_as_command


def raising(problem: BaseException) -> Callable[[], int]:
    def main() -> int:
        raise problem

    return main


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
        (OSError(errno.ENOSPC, "No space left on device"), 2),
        (SystemExit(2), 2),
        (SystemExit(None), 0),
    ],
)
def test_an_end_that_is_foreseen_has_its_code_and_no_traceback(
    problem: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(raising(problem)) == code
    said = capsys.readouterr().err
    assert "Traceback" not in said
    if isinstance(problem, OSError) and code == 2:
        assert said == "error: standard output could not be written: No space left on device\n"


@pytest.mark.parametrize("problem", [ValueError("odd"), OSError(errno.ENOSPC, "full", "a.csv"), ConnectionResetError()])
def test_a_bug_is_shown_and_is_no_finding(problem: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(raising(problem)) == 2, "1 would mean that something is wrong with the log"
    assert "Traceback" in capsys.readouterr().err


def ended(monkeypatch: pytest.MonkeyPatch, descriptor: int) -> tuple[int, str]:
    """What a command that prints is ended with, and what it says, when its standard output is this."""
    out = io.TextIOWrapper(os.fdopen(descriptor, "wb"))
    said = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", said)
    with pytest.raises(SystemExit) as end:
        run_as_command(lambda: print("a record") or 0)
    out.close()  # as Python does at the end: what could not be written is gone by now
    assert isinstance(end.value.code, int)
    return end.value.code, said.getvalue()


def test_a_pipe_whose_reader_has_gone_ends_the_command_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    assert ended(monkeypatch, writing) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = ended(monkeypatch, os.open("/dev/full", os.O_WRONLY))
    assert (code, "No space left on device" in said) == (2, True)
