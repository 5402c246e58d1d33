"""Installing: once, whole or not at all, and one line that says what to do."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.local.install import Progress, explain

ROOT = Path(__file__).parents[2]
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What installs, with nothing to install."""
    (tmp_path / "infra" / "local").mkdir(parents=True)
    for name in ("__init__.py", "local/__init__.py", "local/install.py", "local/leash.py", "local/process.py"):
        shutil.copy(ROOT / "infra" / name, tmp_path / "infra" / name)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text("# nothing\n", encoding="utf-8")
    return tmp_path


def install(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.local.install", "python"]
    return subprocess.run(
        command, cwd=project, env={**os.environ, **OFFLINE}, capture_output=True, text=True, timeout=120
    )


def works(project: Path) -> bool:
    python = project / ".venv" / "bin" / "python"
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, timeout=60).returncode == 0


def test_it_installs_once_and_begins_anew_what_was_interrupted(project: Path) -> None:
    first = install(project)
    assert first.returncode == 0, first.stderr
    assert "Making .venv" in first.stdout
    assert works(project)
    again = install(project)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    (project / ".venv" / ".installed").unlink()
    (project / ".venv" / ".unfinished").touch()
    shutil.rmtree(next((project / ".venv").glob("lib/*/site-packages/pip")))
    healed = install(project)
    assert healed.returncode == 0, healed.stderr
    assert "Making .venv" in healed.stdout
    assert works(project)


def test_an_interrupt_leaves_no_process_and_says_what_comes_next(project: Path) -> None:
    command = [sys.executable, "-m", "infra.local.install", "python"]
    making = subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    deadline = time.monotonic() + 60
    while not (project / ".venv" / "bin" / "python").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    making.send_signal(signal.SIGINT)
    _, said = making.communicate(timeout=60)
    assert making.returncode == 130
    assert said == "\nInterrupted: the next run begins this anew.\n"
    assert (project / ".venv" / ".unfinished").exists()
    assert not running_in(project)


def running_in(project: Path) -> list[str]:
    found = []
    for commands in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = commands.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(project) in command:
            found.append(command)
    return found


def test_two_at_once_install_one_after_the_other(project: Path) -> None:
    command = [sys.executable, "-m", "infra.local.install", "python"]
    both = [
        subprocess.Popen(command, cwd=project, env={**os.environ, **OFFLINE}, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Making .venv" in text for text in said) == 1
    assert sum("waiting for it" in text for text in said) == 1
    assert works(project)


def test_a_package_that_cannot_be_had_is_explained(project: Path) -> None:
    (project / "requirements.txt").write_text("no-such-package-of-hyperplane==1\n", encoding="utf-8")
    failed = install(project)
    assert failed.returncode == 1
    assert "cannot reach its packages" in failed.stderr.splitlines()[-1]
    assert "Traceback" not in failed.stderr
    assert not (project / ".venv" / ".installed").exists()


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("OSError: [Errno 28] No space left on device", "is full"),
        ("npm error code ENOSPC", "is full"),
        ("npm error request to https://registry.npmjs.org/ failed, reason: getaddrinfo ENOTFOUND", "needs a network"),
        ("ERROR: Could not find a version that satisfies x (from versions: none)", "needs a network"),
        ("npm error code EINTEGRITY", "npm ended with 7"),
    ],
)
def test_the_last_words_of_a_tool_become_one_line(said: str, part: str) -> None:
    line = explain("npm", 7, ["first", said])
    assert part in line
    assert "\n" not in line


def test_progress_is_for_terminals_only(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(3)
    progress.see("Collecting numpy==2.5.5 (from -r requirements.txt (line 12))")
    progress.end()
    assert capsys.readouterr().out == ""
