"""`make demo`: a fortnight of credit traffic with known faults, played into the log, and its reports to look at.

The first time it trains the model, plays the two weeks that ended yesterday and lets the hourly timer's code seal,
profile and report each day, which takes a minute or two; after that it serves what is there. Then it prints which
fault was planted on which day, where the report of that day is, and serves until Ctrl-C. All of it is in one folder of
its own (`--data`), apart from what `make run` keeps. What was interrupted half-way is played again from its beginning,
and so is another seed, or what is older than a month.

`played.json` in that folder says what its log is: without it the log is somebody else's, and is never removed.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import time
import webbrowser
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from infra.local.process import LocalError
from infra.local.run_options import Options, parse_demo
from infra.local.serving import (
    SIGNING_KEY,
    STORAGE,
    claim,
    code_of,
    command,
    line,
    named_storage,
    offered_settings,
    running_host,
    say,
    shown,
    step,
    storage,
    until_ctrl_c,
)

MODEL = "credit"
PLAYED = "played.json"  # of an unfinished play it has no days
LOG = "azurite"  # where `serving.storage` keeps it
DAYS_UNTIL_STALE = 30
_DAY_S = 24 * 3600


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, report and serve until Ctrl-C; 1 when something stands in the way."""
    options, seed = parse_demo(arguments)
    if named := named_storage():
        sys.stderr.write(
            f"make demo has an Azurite of its own: unset {named}, or play with `python -m training.credit play`.\n"
        )
        return 1
    return until_ctrl_c(options, lambda started: _demo(options, seed, started))


def _demo(options: Options, seed: int, started: ExitStack) -> tuple[LocalHost, Azurite | None]:
    claim(options, "make demo", started)
    played = _played(options, seed)
    if played is None:
        _forget(options)
    _model(options)
    azurite = storage(options, started)
    assert azurite is not None, "main refuses to run with a storage that somebody named"
    environment = {
        STORAGE: azurite.connection_string,
        "HYPERPLANE_MODELS": str(options.models.resolve()),
        SIGNING_KEY: str((options.data / "signing-key.pem").resolve()),
    }
    if played is None:
        played = _play(options, seed, environment)
    host = started.enter_context(running_host(options, environment))
    code = code_of(host, options)
    settings = offered_settings(host, options, environment, started)
    _say_where_to_look(host, code, played, settings)
    return host, azurite


def _played(options: Options, seed: int) -> dict[str, Any] | None:
    """What is there to be served; None when there is nothing, or nothing whole, of another seed, or from long ago."""
    try:
        told: dict[str, Any] = json.loads((options.data / PLAYED).read_text(encoding="utf-8"))
        fresh = time.time() - float(told["first_day_s"]) < DAYS_UNTIL_STALE * _DAY_S
        whole = fresh and told["seed"] == seed and told["days"] and (options.data / LOG).is_dir()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return told if whole else None


def _forget(options: Options) -> None:
    """Remove the log of another seed, or of an interrupted play; raises `LocalError` when it is not the demo's."""
    played, log = options.data / PLAYED, options.data / LOG
    if log.exists() and not played.exists():
        raise LocalError(f"{shown(log)} holds a log that make demo did not play: give another folder with --data.")
    try:
        played.write_text(json.dumps({"days": []}), encoding="utf-8")
        if log.exists():
            shutil.rmtree(log)
    except OSError as problem:
        raise LocalError(f"{shown(log)} cannot be played anew: {problem}") from problem


def _model(options: Options) -> None:
    if (options.models / MODEL / "1" / "manifest.json").exists():
        step("Model", f"{MODEL} 1 in {shown(options.models)}")
        return
    step("Model", "training and exporting the credit model (once)")
    command("training.credit", "export", "--out", str(options.models), environment={})


def _play(options: Options, seed: int, environment: dict[str, str]) -> dict[str, Any]:
    step("Traffic", f"playing two weeks, seed {seed} (once)")
    to = options.data / f"{PLAYED}.new"
    command("training.credit", "play", "--seed", str(seed), "--out", str(to), environment=environment)
    step("Digests", "of the hours that are over, by `python -m audit seal`:")
    command("audit", "seal", environment=environment)
    played: dict[str, Any] = json.loads(to.read_text(encoding="utf-8"))
    to.replace(options.data / PLAYED)
    return played


def _say_where_to_look(host: LocalHost, code: str, played: dict[str, Any], settings: Path) -> None:
    reports = f"{host.url}/models/{MODEL}/reports"
    say("\nWhat was planted, and the report of its day:\n")
    for day in played["days"]:
        level, planted = day["level"], day["fault"] or "nothing"
        say(f"  {day['date']}  {planted:<16} {level:<6} {reports}/{day['report']}{code}")
    say("")
    line("All reports", f"{reports}{code}")
    line("Home page", f"{host.url}/{code}")
    say("\nIn another terminal, for the commands (it sets URL, KEY, HYPERPLANE_… and PATH):\n")
    say(f"  source {shlex.quote(shown(settings))}")
    say("\nServing until Ctrl-C, which stops everything; `make demo` serves it again.")
    if _has_windows():
        webbrowser.open(f"{reports}{code}")


def _has_windows() -> bool:
    """Whether somebody sits before this: elsewhere a browser in the terminal would take the terminal over."""
    seen = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(seen) and sys.stdout.isatty() and not os.environ.get("CI")


if __name__ == "__main__":
    raise SystemExit(main())
