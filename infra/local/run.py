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
import tomllib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx

from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from infra.local.process import LocalError
from infra.local.run_options import Options, parse
from infra.local.sample_traffic import Traffic, send_sample
from infra.local.serving import (
    SIGNING_KEY,
    STORAGE,
    claim,
    code_of,
    command,
    line,
    offered_settings,
    running_host,
    say,
    shown,
    step,
    storage,
    until_ctrl_c,
)

DEMOS = {"breast-cancer", "diabetes", "wine"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it all until Ctrl-C; 1 when something stands in the way."""
    options = parse(arguments)
    return until_ctrl_c(options, lambda started: _run(options, started))


def _run(options: Options, started: ExitStack) -> tuple[LocalHost, Azurite | None]:
    claim(options, "make run", started)
    bundles = _models(options.models)
    azurite = storage(options, started)
    environment = {"HYPERPLANE_MODELS": str(options.models.resolve())}
    if azurite is not None:
        environment[STORAGE] = azurite.connection_string
    if not os.environ.get(SIGNING_KEY):
        environment[SIGNING_KEY] = str((options.data / "signing-key.pem").resolve())
    host = started.enter_context(running_host(options, environment))
    code = code_of(host, options)
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
    settings = offered_settings(host, options, environment, started)
    _say_where_to_look(host, code, traffics, settings)
    return host, azurite


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


if __name__ == "__main__":
    raise SystemExit(main())
