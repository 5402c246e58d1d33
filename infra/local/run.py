"""`make run`: the whole line on this machine, from a model to a report, and then a service to play with.

Makes the demo models if there is none, starts Azurite and the Functions host, scores real rows over HTTP, shows the
records that were written, builds a report of them, prints where to look, and serves until Ctrl-C, which stops all that
was started. Everything it keeps is in one folder (`--data`), so a second run goes on with the same log and key. While
it serves, `env` in that folder holds what the other commands need: `source .local/env` in a second terminal.

It speaks to the rest of Hyperplane as a user does: over HTTP and through the commands.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import httpx

from infra.local.azurite import Azurite
from infra.local.folder_lock import locked
from infra.local.keys import read_or_make_key
from infra.local.local_host import PROJECT, LocalHost
from infra.local.ports import HOST, is_free
from infra.local.process import LocalError, start_child, stop_child
from infra.local.run_options import Options, parse
from infra.local.sample_traffic import Traffic, send_sample

STORAGE = "HYPERPLANE_STORAGE"
SIGNING_KEY = "HYPERPLANE_SIGNING_KEY"
WATCH_S = 0.5
DEMOS = {"breast-cancer", "diabetes", "wine"}
IDENTITY_STORAGE = (f"{STORAGE}__blobServiceUri", f"{STORAGE}__accountName")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it all until Ctrl-C; 1 when something stands in the way."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    options = parse(arguments)
    try:
        with ExitStack() as started:
            _serve(*_run(options, started))
    except KeyboardInterrupt:
        say("\nStopped, with everything that was started.")
    except BrokenPipeError:  # `make run | head`: nobody reads on, which is no news to anybody
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except LocalError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except httpx.HTTPStatusError as problem:
        answer = problem.response
        text = f"The host answered {answer.status_code} to {answer.request.url.path}: {answer.text[:300] or 'nothing'}"
        sys.stderr.write(f"{text} (its log: {shown(options.data / 'host.log')}).\n")
        return 1
    except httpx.HTTPError as problem:
        sys.stderr.write(f"The host did not answer: {problem} (its log: {shown(options.data / 'host.log')}).\n")
        return 1
    return 0


def _run(options: Options, started: ExitStack) -> tuple[LocalHost, Azurite | None]:
    started.enter_context(locked(options.data, "make run"))
    if not is_free(options.port):
        raise LocalError(f"Port {options.port} is in use: stop the program that has it, or run with PORT=<another>.")
    bundles = _models(options.models)
    azurite = _storage(options, started)
    environment = {"HYPERPLANE_MODELS": str(options.models.resolve())}
    if azurite is not None:
        environment[STORAGE] = azurite.connection_string
    if not os.environ.get(SIGNING_KEY):
        environment[SIGNING_KEY] = str((options.data / "signing-key.pem").resolve())
    host = started.enter_context(_host(options, environment))
    code = f"?code={quote(host.key, safe='')}" if options.auth else ""
    with httpx.Client(base_url=host.url, headers={"x-functions-key": host.key}, timeout=60) as client:
        troubled = {name.partition("/")[0] for name in _problems(client)}
        served = [bundle for bundle in bundles if bundle.parent.name not in troubled]
        traffics = _score(client, served, own_storage=azurite is not None)
    say("")
    step("Records", "the newest in the log, by `python -m audit tail`:")
    command("audit", "tail", "-n", "5", environment=environment)
    step("Digests", "of the hours that are over, by `python -m audit seal`:")
    command("audit", "seal", environment=environment)
    for traffic in traffics:
        _report(traffic, environment)
    variables = {"URL": host.url, "KEY": host.key if options.auth else ""} | environment
    settings = started.enter_context(_settings_file(options.data / "env", variables))
    _say_where_to_look(host, code, traffics, settings)
    return host, azurite


def _serve(host: LocalHost, azurite: Azurite | None) -> NoReturn:
    """Serve until a signal; raises `LocalError` when one of the two ends by itself."""
    while True:
        if host.process is None or host.process.poll() is not None:
            raise LocalError(f"The host has ended by itself. It said:\n{host.log[-2000:].strip()}")
        if azurite is not None and azurite.process_id is None:
            raise LocalError(f"Azurite has ended by itself; its log is {shown(azurite.folder / 'azurite.log')}.")
        time.sleep(WATCH_S)


def _problems(client: httpx.Client) -> dict[str, str]:
    """What keeps models from being served, by `model` or `model/version`, in the service's own words."""
    answer = client.get("/health")
    found: dict[str, str] = {} if answer.status_code == 200 else answer.json().get("problems", {})
    for name, problem in found.items():
        step("Problem", f"{name}: {problem}")
    return found


def _models(folder: Path) -> list[Path]:
    if _is_one_missing(folder):
        step("Models", "training and exporting the demo's (once)")
        command("training", "demo", "--out", str(folder), environment={})
    bundles = sorted(path.parent for path in folder.glob("*/*/manifest.json"))
    step("Models", ", ".join(f"{bundle.parent.name} {bundle.name}" for bundle in bundles) + f" in {shown(folder)}")
    return bundles


def _is_one_missing(folder: Path) -> bool:
    """Whether there is no bundle, or none of a demo model that serving.toml names: an export was interrupted, say."""
    try:
        named = tomllib.loads((folder / "serving.toml").read_text(encoding="utf-8")).get("models", {})
    except (OSError, ValueError):  # none, or one that the service refuses in clear words
        named = {}
    there = {path.parts[-3] for path in folder.glob("*/*/manifest.json")}
    return not there or not there.issuperset(DEMOS.intersection(named if isinstance(named, dict) else ()))


def _storage(options: Options, started: ExitStack) -> Azurite | None:
    """An Azurite of our own, unless the environment names a storage."""
    named = next((name for name in (STORAGE, *IDENTITY_STORAGE) if os.environ.get(name)), None)
    if named:
        step("Storage", f"the one that {named} names")
        return None
    azurite = started.enter_context(Azurite(options.data / "azurite"))
    step("Storage", f"Azurite on {HOST}:{azurite.port}, its data in {shown(azurite.folder)}")
    return azurite


@contextmanager
def _host(options: Options, environment: dict[str, str]) -> Iterator[LocalHost]:
    key = options.key or read_or_make_key(options.data / "key")
    settings = environment | {"AUTH": "on" if options.auth else "off"}
    log = options.data / "host.log"
    host = LocalHost(port=options.port, env=settings, data=options.data, key=key, log_requests=options.log_requests)
    try:
        host.start()
    except LocalError as problem:
        last = str(problem).splitlines()[-1]
        raise LocalError(f"The host did not start: {last} (Its log: {shown(log)}.)") from problem
    except BaseException:
        host.close()
        raise
    with host:
        about = f"key {key}" if options.auth else "no key asked for (AUTH=off)"
        step("Host", f"{host.url}, {about}, its log in {shown(log)}{_how_to_follow(options, log)}")
        yield host


def _how_to_follow(options: Options, log: Path) -> str:
    return f", each request in it: tail -f {shlex.quote(shown(log))}" if options.log_requests else ""


def _score(client: httpx.Client, bundles: list[Path], own_storage: bool) -> list[Traffic]:
    """Send each model's sample to its champion; the newest bundle of a model stands for it."""
    by_model = {bundle.parent.name: bundle for bundle in bundles}
    try:
        traffics = [traffic for bundle in by_model.values() if (traffic := send_sample(client, bundle)) is not None]
    except httpx.HTTPStatusError as problem:
        if own_storage or problem.response.status_code != 503:
            raise
        text = f"It must run and take writes: start it, or unset {STORAGE} and an Azurite is started here."
        raise LocalError(f"The storage that the settings {STORAGE}… name cannot be used. {text}") from problem
    for traffic in traffics:
        step("Scored", str(traffic))
    return traffics


def _report(traffic: Traffic, environment: dict[str, str]) -> None:
    say("")
    step("Report", f"{traffic.model}, by `python -m evaluation report --model {traffic.model}`:")
    command("evaluation", "report", "--model", traffic.model, environment=environment, fine=(0, 1))


@contextmanager
def _settings_file(path: Path, variables: Mapping[str, str]) -> Iterator[Path]:
    """A file to `source`, for the time that it is true; only its owner may read it."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    lines.append(f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("# What `make run` serves with, while it serves.\n" + "\n".join(lines) + "\n", encoding="utf-8")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _say_where_to_look(host: LocalHost, code: str, traffics: list[Traffic], settings: Path) -> None:
    say("")
    line("Home page", f"{host.url}/{code}")
    line("API docs", f"{host.url}/docs{code}")
    for traffic in traffics:
        line("Report", f"{host.url}/models/{traffic.model}/reports/latest{code}")
    if traffics:
        shortest = min(traffics, key=lambda traffic: len(traffic.first))
        line("An instance", f"{host.url}/models/{shortest.model}/instances/{shortest.ids[0]}{code}")
        body = shlex.quote(json.dumps({"instances": [shortest.first]}, separators=(",", ":")))
        say("\nScore a row yourself:\n")
        say(f"  curl -s '{host.url}/models/{shortest.model}/score{code}' -d {body}")
    say("\nIn another terminal, for the commands of the README (it sets URL, KEY, HYPERPLANE_… and PATH):\n")
    say(f"  source {shlex.quote(shown(settings))}")
    say("\nServing until Ctrl-C, which stops everything.")


def command(module: str, *arguments: str, environment: dict[str, str], fine: tuple[int, ...] = (0,)) -> None:
    """Run one of our commands and let it print; raises `LocalError` when it fails."""
    whole = [sys.executable, "-m", "infra.local.leash", module, *arguments]
    child = start_child(whole, environment={**os.environ, **environment}, folder=PROJECT)
    try:
        code = child.wait()
    finally:
        stop_child(child, f"python -m {module}")
    if code not in fine:
        raise LocalError(f"`python -m {module} {' '.join(arguments)}` ended with {code}: see above.")


def step(name: str, text: str) -> None:
    """One thing that is done."""
    say(f"{name:<9} {text}")


def line(name: str, url: str) -> None:
    """One place to look."""
    say(f"{name:<12} {url}")


def say(text: str) -> None:
    """Print now, also into a pipe."""
    print(text, flush=True)


def shown(path: Path) -> str:
    """A path as short as it can be said."""
    resolved = path.resolve()
    return str(resolved.relative_to(Path.cwd())) if resolved.is_relative_to(Path.cwd()) else str(resolved)


if __name__ == "__main__":
    raise SystemExit(main())
