"""The host from start to end: settings, errors that say what to do, a clean stop, and nothing left behind."""

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from infra.local.local_host import PROJECT, LocalHost
from infra.local.process import LocalError
from tests.infra.conftest import SAMPLE_APP, is_alive, sample_settings, wait_until

APP = """
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.{level})

@app.route(route="{route}")
async def only(req: func.HttpRequest) -> str:
    return "only"
"""
HOST_JSON = '{"version": "2.0", "extensions": {"http": {"routePrefix": "api"}}}'


def write_app(folder: Path, code: str = APP.format(level="FUNCTION", route="only"), host_json: str = HOST_JSON) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "function_app.py").write_text(code, encoding="utf-8")
    (folder / "host.json").write_text(host_json, encoding="utf-8")
    return folder


def run_host(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The host's command, run to its end."""
    command = [sys.executable, "-m", "infra.local.host", *arguments]
    environment = {"PATH": "/usr/bin:/bin", **settings}
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[LocalHost]:
    """The sample app for one test, with its notes in `data / notes`."""
    data = tmp_path / "data"
    with LocalHost(app=SAMPLE_APP, data=data, env=sample_settings(data / "notes")) as running:
        yield running


def notes(host: LocalHost) -> list[str]:
    path = host.data / "notes"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def test_requests_in_flight_finish_before_the_end_and_exit_hooks_run(sample: LocalHost) -> None:
    assert sample.process is not None
    host_process = sample.process.pid
    with ThreadPoolExecutor(4) as pool:
        pending = [pool.submit(httpx.get, sample.url + "/slow/1.5", timeout=20.0) for _ in range(4)]
        wait_until(lambda: notes(sample).count("slow began") == 4, "four requests to begin")
        assert sample.stop() == 0
        assert [future.result().text for future in pending] == ["done"] * 4
    assert f"closed {host_process}" in notes(sample)


def test_ctrl_c_ends_the_host_and_its_timers(sample: LocalHost) -> None:
    assert sample.process is not None
    wait_until(lambda: any(note.startswith("yearly") for note in notes(sample)), "the timer's run on startup")
    timer_process = int(next(note for note in notes(sample) if note.startswith("yearly")).split()[1])
    assert is_alive(timer_process)
    sample.process.send_signal(signal.SIGINT)
    assert sample.process.wait(20) == 0
    assert not is_alive(timer_process)
    assert f"closed {timer_process}" in notes(sample)
    assert "Traceback" not in sample.log


def test_after_kill_9_the_timer_processes_end_and_the_host_can_start_again(sample: LocalHost) -> None:
    wait_until(lambda: any(note.startswith("yearly") for note in notes(sample)), "the timer's run on startup")
    timer_process = int(next(note for note in notes(sample) if note.startswith("yearly")).split()[1])
    port, key = sample.port, sample.key
    assert sample.kill() == -signal.SIGKILL
    wait_until(lambda: not is_alive(timer_process), "the timer's process to end")
    sample.start()
    assert (sample.port, sample.key) == (port, key)
    assert httpx.get(sample.url + "/unrouted", headers={"x-functions-key": key}).status_code == 200


def test_the_host_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    app = write_app(tmp_path / "app")
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom infra.local.local_host import LocalHost\n"
        "host = LocalHost(app=Path(sys.argv[1]), data=Path(sys.argv[2])).start()\n"
        "print(host.process.pid, host.port, flush=True)\ntime.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(app), str(tmp_path / "data")]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        process_id, port = (int(text) for text in parent.stdout.readline().split())
        assert httpx.get(f"http://127.0.0.1:{port}/admin/host/ping").status_code == 200
        parent.kill()
    wait_until(lambda: not is_alive(process_id), "the host to end with its parent")


def test_a_port_in_use_is_one_clear_line_and_exit_code_1(tmp_path: Path) -> None:
    app = write_app(tmp_path / "app")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run_host("--app", str(app), "--data", str(tmp_path), "--port", str(port))
    assert ended.returncode == 1
    assert ended.stderr == (
        f"Port {port} is in use: stop the program that has it, or choose another with --port (make run PORT=...).\n"
    )


def test_the_key_is_made_once_and_printed_at_start(tmp_path: Path) -> None:
    app = write_app(tmp_path / "app")
    command = [sys.executable, "-m", "infra.local.host", "--app", str(app), "--data", str(tmp_path), "--port", "0"]
    printed = []
    for _ in range(2):
        with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, env={"AUTH": "on"}) as process:
            assert process.stdout is not None
            line = next(line for line in process.stdout if line.startswith("Listening"))
            found = re.search(r"(http://127\.0\.0\.1:\d+) \(key (\S+),", line)
            assert found is not None
            assert httpx.get(f"{found[1]}/api/only?code={found[2]}").text == "only"
            printed.append(found[2])
            process.terminate()
            assert process.wait(20) == 0
    assert printed == [(tmp_path / "key").read_text().strip()] * 2


def test_auth_off_asks_for_no_key(tmp_path: Path) -> None:
    app = write_app(tmp_path / "app", APP.format(level="ADMIN", route="only"))
    with LocalHost(app=app, env={"AUTH": "off"}) as host:
        assert httpx.get(host.url + "/api/only").text == "only"
        assert httpx.get(host.url + "/admin/host/status").status_code == 200
        assert host.key not in host.log


def test_auth_off_is_refused_beyond_this_machine(tmp_path: Path) -> None:
    app = write_app(tmp_path / "app")
    ended = run_host("--app", str(app), "--data", str(tmp_path), "--port", "0", "--host", "0.0.0.0", AUTH="off")
    assert ended.returncode == 1
    assert "AUTH=off is for this machine only" in ended.stderr


def test_local_settings_reach_the_app_and_the_environment_wins(tmp_path: Path) -> None:
    code = APP.format(level="ANONYMOUS", route="only").replace('"only"\n', 'os.environ["A"] + os.environ["B"]\n')
    app = write_app(tmp_path / "app", "import os\n" + code)
    (app / "local.settings.json").write_text('{"Values": {"A": "file", "B": "file"}}', encoding="utf-8")
    with LocalHost(app=app, env={"A": "environment", "B": None}) as host:
        assert httpx.get(host.url + "/api/only").text == "environmentfile"


def test_disabled_functions_are_not_there(tmp_path: Path) -> None:
    second = '\n@app.route(route="second")\nasync def second(req: func.HttpRequest) -> str:\n    return "second"\n'
    app = write_app(tmp_path / "app", APP.format(level="ANONYMOUS", route="only") + second)
    with LocalHost(app=app, env={"AzureWebJobs.only.Disabled": "true"}) as host:
        assert httpx.get(host.url + "/api/only").status_code == 404
        assert httpx.get(host.url + "/api/second").text == "second"
        host.stop()
        (app / "host.json").write_text('{"version": "2.0", "functions": ["ONLY"]}', encoding="utf-8")
        with pytest.raises(LocalError, match="nothing to run"):
            host.start()


def test_the_platforms_home_page_answers_at_the_root_unless_it_is_switched_off(tmp_path: Path) -> None:
    app = write_app(tmp_path / "app")
    with LocalHost(app=app) as host:
        assert "up and running" in httpx.get(host.url).text
    with LocalHost(app=app, env={"AzureWebJobsDisableHomepage": "true"}) as host:
        assert httpx.get(host.url).status_code == 204


def test_a_hidden_route_is_warned_of(tmp_path: Path) -> None:
    hiding = '\n@app.route(route="{id}")\nasync def any_id(req: func.HttpRequest) -> str:\n    return "any"\n'
    app = write_app(tmp_path / "app", APP.format(level="ANONYMOUS", route="only") + hiding)
    with LocalHost(app=app) as host:
        assert httpx.get(host.url + "/api/only").text == "any"
        assert "Route api/only of only is hidden by api/{id} of any_id" in host.log


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nothing_of_that_name\n", r"failed to load: ModuleNotFoundError: .*nothing_of_that_name"),
        ("def broken(:\n", "failed to load: SyntaxError"),
        ("raise SystemExit(0)\n", "failed to load: SystemExit"),
        ("x = 1\n", "failed to load: ValueError: Could not find top level function app"),
        ("import azure.functions as func\napp = func.FunctionApp()\n", "nothing to run"),
        (APP.format(level="FUNCTION", route="admin/x"), "may not begin with 'admin'"),
        (APP.format(level="FUNCTION", route="x/{a:colour}"), "constraint 'colour' is unknown"),
        (
            "import azure.functions as func\napp = func.FunctionApp()\n"
            '@app.timer_trigger(arg_name="t", schedule="%MISSING%")\ndef tick(t: func.TimerRequest) -> None: ...\n',
            "Setting MISSING is missing, which the schedule of tick refers to",
        ),
        (
            "import azure.functions as func\napp = func.FunctionApp()\n"
            '@app.timer_trigger(arg_name="t", schedule="0 61 * * * *")\ndef tick(t: func.TimerRequest) -> None: ...\n',
            "minute '61' must be 0-59",
        ),
        (
            "import azure.functions as func\napp = func.FunctionApp()\n"
            '@app.queue_trigger(arg_name="m", queue_name="q", connection="c")\ndef f(m: func.QueueMessage): ...\n',
            "Function f has queueTrigger: this host runs HTTP and timer triggers",
        ),
    ],
)
def test_an_app_that_cannot_run_ends_with_a_line_that_says_why(tmp_path: Path, code: str, said: str) -> None:
    ended = run_host("--app", str(write_app(tmp_path / "app", code)), "--data", str(tmp_path), "--port", "0")
    assert ended.returncode == 1
    assert re.search(said, ended.stderr.splitlines()[-1])
    assert "Listening" not in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["--app", "{tmp}"], {}, "There is no host.json in"),
        (["--app", "{app}", "--port", "70000"], {}, "'70000' is no port"),
        (["--app", "{app}", "--key", "x"], {}, "--key must be 8 to 256"),
        (["--app", "{app}", "--data", "{app}/host.json"], {}, "choose another folder"),
        (["--app", "{app}", "--host", "192.0.2.1"], {}, "Cannot listen on 192.0.2.1"),
        (["--app", "{app}", "--host", "no.such.host.invalid"], {}, "Cannot listen on no.such.host.invalid"),
        (["--app", "{app}"], {"AUTH": "perhaps"}, "Setting AUTH is 'perhaps'"),
        (
            ["--app", "{app}"],
            {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "1GB"},
            "SIZE_LIMIT is '1gb'",
        ),
    ],
)
def test_a_wrong_option_or_setting_is_named(
    tmp_path: Path, arguments: list[str], settings: dict[str, str], said: str
) -> None:
    app = write_app(tmp_path / "app")
    filled = [argument.format(tmp=tmp_path, app=app) for argument in arguments]
    ended = run_host("--port", "0", "--data", str(tmp_path / "data"), *filled, **settings)
    assert ended.returncode in {1, 2}
    assert said.lower() in ended.stderr.splitlines()[-1].lower()
    assert "Traceback" not in ended.stderr


def test_a_second_host_on_the_same_data_folder_is_refused(sample: LocalHost) -> None:
    with pytest.raises(LocalError, match=r"Host runs on .* already"):
        LocalHost(app=SAMPLE_APP, data=sample.data, env=sample_settings(sample.data / "notes")).start()


def test_help_teaches() -> None:
    text = run_host("--help").stdout
    assert "atexit.register" in text
    assert "x-functions-key" in text
    assert "func start" in text


def test_it_listens_on_loopback_only(host: LocalHost) -> None:
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    ours = [address for address in listening if address.endswith(f":{host.port:04X}")]
    assert {address.partition(":")[0] for address in ours} == {"0100007F"}


def test_a_key_may_begin_with_a_dash(tmp_path: Path) -> None:
    with LocalHost(app=write_app(tmp_path / "app"), key="-a-key-like-that", env={"AUTH": "on"}) as host:
        assert httpx.get(host.url + "/api/only", headers={"x-functions-key": "-a-key-like-that"}).text == "only"


def test_a_local_host_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    host = LocalHost(app=write_app(tmp_path / "app"))
    thread = threading.Thread(target=host.start)
    thread.start()
    thread.join()
    try:
        assert httpx.get(host.url + "/admin/host/ping").status_code == 200
    finally:
        host.close()
