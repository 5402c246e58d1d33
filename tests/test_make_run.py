"""`make run` as a newcomer meets it: what it prints, the curl that works when pasted, Ctrl-C that leaves nothing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

ROOT = Path(__file__).parent.parent
START_TIMEOUT_S = 120


class Run:
    """`make run` in a session of its own, its output in a file."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        self.log = folder / "run.log"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HYPERPLANE_")}
        environment = {**inherited, **settings}
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

    def leaves_nothing(self, children: list[int]) -> None:
        """Wait until every process is gone that was there."""
        deadline = time.monotonic() + 30
        while alive := [child for child in children if _runs(child)]:
            assert time.monotonic() < deadline, f"left behind: {alive}"
            time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


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
        sourced = run.wait_for(r"^\s*source (\S+)$")[1]
        assert Path(sourced).stat().st_mode & 0o777 == 0o600, "it holds the key"
        newest = subprocess.run(
            ["sh", "-c", f'. {sourced}; curl -s "$URL/health"; python -m audit tail -n 1 --json; echo "key $KEY"'],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
        assert '"status":"ok"' in newest
        assert '"record"' in newest
        assert f"key {parse_qs(urlsplit(urls[0]).query)['code'][0]}" in newest
        children = run.children()
        assert len(children) >= 2, "Azurite and the host are processes of their own"
        second = subprocess.run(
            [sys.executable, "-m", "infra.local.run", "--data", str(tmp_path / "data"), "--port", str(free_port())],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert second.returncode == 1
        assert second.stderr.count("\n") == 1, "one line"
        assert "already" in second.stderr
    finally:
        code = run.interrupt()
    assert code == 0, run.text()
    run.leaves_nothing(children)
    assert "Traceback" not in run.text()
    assert not Path(sourced).exists(), "it would say what is true no more"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_nothing_survives_its_end_however_it_comes(tmp_path: Path, demo_models: Path, number: signal.Signals) -> None:
    run = Run(tmp_path, "--port", str(free_port()), "--models", str(demo_models))
    run.wait_for(r"^Records ")
    children = run.children()
    os.kill(run.process.pid, number)
    assert run.process.wait(30) == (-number if number == signal.SIGKILL else 0)
    run.leaves_nothing(children)
    assert "Traceback" not in run.text()


def test_it_ends_with_the_make_that_started_it(tmp_path: Path, demo_models: Path) -> None:
    text = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-m', 'infra.local.run', '--parent', "
        "str(__import__('os').getpid()), *sys.argv[1:]]).wait()"
    )
    where = ["--port", str(free_port()), "--models", str(demo_models), "--data", str(tmp_path / "data")]
    with (tmp_path / "run.log").open("wb") as output:
        make = subprocess.Popen([sys.executable, "-c", text, *where], cwd=ROOT, stdout=output, stderr=output)
    run = Run.__new__(Run)
    run.log, run.process = tmp_path / "run.log", make
    run.wait_for(r"^Storage ")
    children = run.children()
    assert len(children) >= 2
    make.kill()
    make.wait(30)
    run.leaves_nothing(children)


def test_it_says_when_the_host_ends_by_itself_and_asks_for_no_key_when_told_so(
    tmp_path: Path, demo_models: Path
) -> None:
    run = Run(tmp_path, "--port", str(free_port()), "--models", str(demo_models), "--auth", "off")
    curl = run.wait_for(r"^\s*(curl .*)$")[1]
    run.wait_for(r"^Serving until")
    urls = re.findall(r"^\s*(?:Home page|API docs|Report|An instance)\s+(http\S+)$", run.text(), re.MULTILINE)
    assert len(urls) >= 4
    for url in urls:
        assert "code" not in url
        assert httpx.get(url, headers={"accept": "text/html"}, timeout=30).status_code == 200, url
    answer = subprocess.run(["sh", "-c", curl], capture_output=True, text=True, timeout=30)
    assert '"outcome":"scored"' in answer.stdout
    children = run.children()
    host = next(child for child in children if b"infra.local.host" in Path(f"/proc/{child}/cmdline").read_bytes())
    os.kill(host, signal.SIGKILL)
    assert run.process.wait(30) == 1
    assert "The host has ended by itself" in run.text()
    run.leaves_nothing(children)


def test_a_demo_that_an_interrupt_left_out_is_made(tmp_path: Path, demo_models: Path) -> None:
    models = shutil.copytree(demo_models, tmp_path / "models")
    (models / "serving.toml").write_text("[models.wine]\n[models.diabetes]\n", encoding="utf-8")
    shutil.rmtree(models / "diabetes")
    run = Run(tmp_path, "--port", str(free_port()), "--models", str(models))
    run.wait_for(r"^Models .*training and exporting")
    run.wait_for(r"^Models .*diabetes 1")
    assert run.interrupt() == 0


def test_a_damaged_bundle_costs_no_other_its_service(tmp_path: Path, demo_models: Path) -> None:
    models = shutil.copytree(demo_models, tmp_path / "models")
    with (models / "wine" / "1" / "model.onnx").open("ab") as graph:
        graph.write(b"x")
    run = Run(tmp_path, "--port", str(free_port()), "--models", str(models))
    assert "model.onnx" in run.wait_for(r"^Problem +wine.*$")[0]
    run.wait_for(r"^Scored +diabetes")
    assert "Scored    wine" not in run.text()
    assert run.interrupt() == 0


def test_a_reader_that_leaves_ends_it_without_a_word(tmp_path: Path, demo_models: Path) -> None:
    where = f"--data {tmp_path}/data --models {demo_models} --port {free_port()}"
    text = f"{sys.executable} -m infra.local.run {where} | head -n 1"
    done = subprocess.run(["sh", "-c", text], cwd=ROOT, capture_output=True, text=True, timeout=START_TIMEOUT_S)
    assert done.stdout.startswith("Models ")
    assert done.stderr == ""


def test_a_storage_that_does_not_answer_is_one_line_that_names_its_setting(tmp_path: Path, demo_models: Path) -> None:
    dead = f"DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:{free_port()}/a;"
    where = ["--port", str(free_port()), "--models", str(demo_models)]
    run = Run(tmp_path, *where, HYPERPLANE_STORAGE=dead)
    assert run.process.wait(START_TIMEOUT_S) == 1
    assert "HYPERPLANE_STORAGE" in run.text().splitlines()[-1], run.text()
    assert "Traceback" not in run.text()


def test_a_setting_that_there_is_not_is_named(tmp_path: Path, demo_models: Path) -> None:
    where = ["--port", str(free_port()), "--models", str(demo_models)]
    run = Run(tmp_path, *where, HYPERPLANE_COLOUR="blue")
    assert run.process.wait(START_TIMEOUT_S) == 1
    assert "HYPERPLANE_COLOUR" in run.text().splitlines()[-1], run.text()
    assert "Traceback" not in run.text()


def test_a_port_in_use_is_one_line_that_says_what_to_do(tmp_path: Path, demo_models: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = Run(tmp_path, "--port", str(taken.getsockname()[1]), "--models", str(demo_models))
        assert run.process.wait(START_TIMEOUT_S) == 1
    assert re.search(r"in use.*PORT=", run.text()), run.text()
    assert "Traceback" not in run.text()


@pytest.mark.parametrize("wrong", [["--port", "99999"], ["--port", "abc"], ["--key", "a b"], ["--auth", "maybe"]])
def test_a_wrong_option_is_explained_in_one_line(wrong: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.local.run", *wrong], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"make run: {wrong[0][2:].upper()}: " in done.stderr
