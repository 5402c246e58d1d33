"""`make run` as a newcomer meets it: what it prints, the curl that works when pasted, Ctrl-C that leaves nothing."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

ROOT = Path(__file__).parent.parent
START_TIMEOUT_S = 120


class Run:
    """`make run` in a session of its own, its output in a file."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.log = folder / "run.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HYPERPLANE_")}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "infra.local.run", "--data", str(folder / "data"), *arguments],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def wait_for(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if found := re.search(pattern, self.text(), re.MULTILINE):
                return found
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.text()}"
            time.sleep(0.1)
        raise AssertionError(f"{pattern!r} did not appear:\n{self.text()}")

    def children(self) -> list[int]:
        """Every process below it, by /proc."""
        parents: dict[int, int] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(stat.parent.name)] = int(fields[1])
        found, front = set[int](), {self.process.pid}
        while front:
            front = {child for child, parent in parents.items() if parent in front} - found
            found |= front
        return sorted(found)

    def interrupt(self) -> int:
        """Ctrl-C."""
        os.kill(self.process.pid, signal.SIGINT)
        return self.process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_prints_urls_that_open_and_a_curl_that_works_and_ctrl_c_leaves_no_process(
    tmp_path: Path, demo_models: Path
) -> None:
    run = Run(tmp_path, "--port", str(free_port()), "--models", str(demo_models))
    try:
        curl = run.wait_for(r"^\s*(curl .*)$")[1]
        urls = re.findall(r"^\s*(?:Home page|API docs|Report|An instance)\s+(http\S+)$", run.text(), re.MULTILINE)
        assert len(urls) >= 4, run.text()
        for url in urls:
            assert "code=" in urlsplit(url).query
            page = httpx.get(url, headers={"accept": "text/html"}, follow_redirects=True, timeout=30)
            assert page.status_code == 200, url
            assert "<!doctype html>" in page.text.lower()
        answer = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, timeout=30)
        assert answer.returncode == 0, answer.stderr
        assert '"outcome":"scored"' in answer.stdout.replace(" ", "")
        children = run.children()
        assert len(children) >= 2, "Azurite and the host are processes of their own"
    finally:
        code = run.interrupt()
    assert code == 0, run.text()
    alive = [child for child in children if Path(f"/proc/{child}").exists()]
    assert not alive, f"left behind: {alive}"
    assert "Traceback" not in run.text()


def test_a_port_in_use_is_one_line_that_says_what_to_do(tmp_path: Path, demo_models: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = Run(tmp_path, "--port", str(taken.getsockname()[1]), "--models", str(demo_models))
        assert run.process.wait(START_TIMEOUT_S) == 1
    assert re.search(r"in use.*PORT=", run.text()), run.text()
    assert "Traceback" not in run.text()


@pytest.mark.parametrize("wrong", [["--port", "99999"], ["--key", "a b"], ["--auth", "maybe"]])
def test_a_wrong_option_is_explained(wrong: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.local.run", *wrong], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "usage:" in done.stderr
