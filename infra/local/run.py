"""`make run`: the whole line on this machine, from a model to a report, and then a service to play with.

Makes the demo models if there is none, starts Azurite and the Functions host, scores real rows over HTTP, shows the
records that were written, builds a report of them, prints where to look, and serves until Ctrl-C, which stops all that
was started. Everything it keeps is in one folder (`--data`), so a second run goes on with the same log and key.

It speaks to the rest of Hyperplane as a user does: over HTTP and through the commands.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx

from infra.local.azurite import Azurite
from infra.local.keys import check_key, read_or_make_key
from infra.local.local_host import PROJECT, LocalHost
from infra.local.ports import HOST, is_free
from infra.local.process import LocalError
from infra.local.sample_traffic import Traffic, send_sample

STORAGE = "HYPERPLANE_STORAGE"
IDENTITY_STORAGE = (f"{STORAGE}__blobServiceUri", f"{STORAGE}__accountName")


@dataclass(frozen=True)
class Options:
    """The command line, checked."""

    port: int
    key: str | None
    auth: bool
    data: Path
    models: Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it all until Ctrl-C; 1 when something stands in the way."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _parse(arguments)
    try:
        with ExitStack() as started:
            _run(options, started)
            threading.Event().wait()
    except KeyboardInterrupt:
        say("\nStopped: the host, then the storage.")
    except LocalError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except httpx.HTTPError as problem:
        sys.stderr.write(f"The host did not answer as it should: {problem}; its log is {options.data / 'host.log'}.\n")
        return 1
    return 0


def _run(options: Options, started: ExitStack) -> None:
    if not is_free(options.port):
        raise LocalError(f"Port {options.port} is in use: stop the program that has it, or run with PORT=<another>.")
    bundles = _models(options.models)
    environment = _storage(options, started) | {"HYPERPLANE_MODELS": str(options.models.resolve())}
    host = started.enter_context(_host(options, environment))
    code = f"?code={quote(host.key, safe='')}" if options.auth else ""
    with httpx.Client(base_url=host.url, headers={"x-functions-key": host.key}, timeout=60) as client:
        traffics = _score(client, bundles)
    step("Records", "the newest in the log, by `python -m audit tail`:")
    command("audit", "tail", "-n", "9", environment=environment)
    for traffic in traffics:
        _report(traffic, environment)
    _say_where_to_look(host, code, traffics)


def _models(folder: Path) -> list[Path]:
    if not list(folder.glob("*/*/manifest.json")):
        step("Models", "training and exporting the demo's (once)")
        command("training", "demo", "--out", str(folder), environment={})
    bundles = sorted(path.parent for path in folder.glob("*/*/manifest.json"))
    step("Models", ", ".join(f"{bundle.parent.name} {bundle.name}" for bundle in bundles) + f" in {shown(folder)}")
    return bundles


def _storage(options: Options, started: ExitStack) -> dict[str, str]:
    """The storage's settings: what the environment names, else an Azurite of our own."""
    if os.environ.get(STORAGE) or any(os.environ.get(name) for name in IDENTITY_STORAGE):
        step("Storage", "as the environment says")
        return {}
    azurite = started.enter_context(Azurite(options.data / "azurite"))
    step("Storage", f"Azurite on {HOST}:{azurite.port}, its data in {shown(azurite.folder)}")
    return {STORAGE: azurite.connection_string}


@contextmanager
def _host(options: Options, environment: dict[str, str]) -> Iterator[LocalHost]:
    key = options.key or read_or_make_key(options.data / "key")
    settings = environment | {"AUTH": "on" if options.auth else "off"}
    with LocalHost(port=options.port, env=settings, data=options.data, key=key) as host:
        about = f"key {key}" if options.auth else "no key asked for (AUTH=off)"
        step("Host", f"{host.url}, {about}, its log in {shown(options.data / 'host.log')}")
        yield host


def _score(client: httpx.Client, bundles: list[Path]) -> list[Traffic]:
    """Send each model's sample to its champion; the newest bundle of a model stands for it."""
    by_model = {bundle.parent.name: bundle for bundle in bundles}
    traffics = [traffic for bundle in by_model.values() if (traffic := send_sample(client, bundle)) is not None]
    for traffic in traffics:
        step("Scored", str(traffic))
    return traffics


def _report(traffic: Traffic, environment: dict[str, str]) -> None:
    step("Report", f"{traffic.model}, by `python -m evaluation report --model {traffic.model}`:")
    command("evaluation", "report", "--model", traffic.model, environment=environment, fine=(0, 1))


def _say_where_to_look(host: LocalHost, code: str, traffics: list[Traffic]) -> None:
    say("")
    line("Home page", f"{host.url}/{code}")
    line("API docs", f"{host.url}/docs{code}")
    for traffic in traffics:
        line("Report", f"{host.url}/models/{traffic.model}/reports/latest{code}")
    if traffics:
        shown_model = traffics[0]
        line("An instance", f"{host.url}/models/{shown_model.model}/instances/{shown_model.ids[0]}{code}")
        body = json.dumps({"instances": [shown_model.first]}, separators=(",", ":")).replace("'", "'\\''")
        say("\nScore a row yourself:\n")
        say(f"  curl -s '{host.url}/models/{shown_model.model}/score{code}' -d '{body}'")
    say("\nServing until Ctrl-C, which stops everything.")


def command(module: str, *arguments: str, environment: dict[str, str], fine: tuple[int, ...] = (0,)) -> None:
    """Run one of our commands and let it print; raises `LocalError` when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=PROJECT, env={**os.environ, **environment}, check=False
    )
    if done.returncode not in fine:
        raise LocalError(f"`python -m {module} {' '.join(arguments)}` ended with {done.returncode}: see above.")


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


def _parse(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="make run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=_port, default=7071, help="port of the host, PORT= (default: %(default)s)")
    parser.add_argument("--key", type=_key, help="the key to ask for, KEY= (default: made once, kept in --data)")
    parser.add_argument("--auth", choices=("on", "off"), default="on", help="whether a key is asked for, AUTH=")
    parser.add_argument("--data", type=Path, default=Path(".local"), help="folder to keep things in")
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of the bundles")
    given = parser.parse_args(arguments)
    return Options(given.port, given.key, given.auth == "on", given.data, given.models)


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)


def _key(text: str) -> str:
    try:
        return check_key(text, "KEY")
    except LocalError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


if __name__ == "__main__":
    raise SystemExit(main())
