"""The command line of the credit demo. Heavy imports wait until they are needed, so that --help answers at once."""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from audit.errors import AuditError
from audit.settings import SettingsError
from evaluation import terminal

_EXAMPLES = """examples:
  python -m training.credit export --out models    train and export the model
  python -m training.credit play --seed 1          two weeks, into a log
  python -m training.credit check --seeds 20       do reports name the faults?

HYPERPLANE_STORAGE names the log to play into, HYPERPLANE_MODELS the folder of
the model. What is planted when, and which section of a report must name it:
docs/demo.md. `make demo` and `make demo-check` call these commands.

Exit codes: 0 done, and the check holds; 1 it does not; 2 could not run.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except (AuditError, SettingsError, ValueError, OSError) as problem:
        terminal.say(f"training.credit: {problem}")
        return 2
    except KeyboardInterrupt:
        terminal.say("training.credit: interrupted")
        return 130
    return code


def _export(options: argparse.Namespace) -> int:
    from training.credit.model import export_credit
    from training.errors import TrainingError

    try:
        bundle = export_credit(options.out)
    except TrainingError as problem:
        raise ValueError(str(problem)) from problem
    print(bundle.folder)
    return 0


def _play(options: argparse.Namespace) -> int:
    from audit.connect import open_stores
    from audit.settings import from_environ
    from evaluation.windows import DAY_S, day_window, report_id, second
    from training.credit.model import NAME
    from training.credit.player import Player
    from training.credit.schedule import DAYS, days

    logging.getLogger("hyperplane.evaluation").setLevel(logging.ERROR)  # the levels are in the table below
    stores = open_stores(from_environ(os.environ))
    models = Path(os.environ.get("HYPERPLANE_MODELS", "").strip() or "models")
    first = (time.time() // DAY_S - DAYS) * DAY_S
    player = Player(models, stores.log, stores.derived, first, options.seed, options.per_day)
    fortnight, told = days(options.seed), []
    with terminal.progress_bar("playing") as progress:
        for day in fortnight:
            if progress:
                progress(day.number, len(fortnight), second(first + day.number * DAY_S)[:10])
            run = player.play(day)
            start = first + day.number * DAY_S
            wanted = report_id(day_window(start), second(start + DAY_S))
            entry = next((each for each in run.reports if each.id == wanted), None)
            if entry is None or run.problems:
                raise ValueError(f"no report of day {day.number + 1}: {'; '.join(run.problems) or 'nothing was due'}")
            fault = day.fault.name if day.fault else None
            told.append({"date": second(start)[:10], "fault": fault, "level": entry.level, "report": entry.id})
    if options.out:
        text = json.dumps({"seed": options.seed, "model": NAME, "first_day_s": first, "days": told}, indent=1)
        options.out.write_text(text, encoding="utf-8")
        return 0
    for each in told:
        print(f"{each['date']}  {each['fault'] or 'nothing':<16} {each['level']}")
    return 0


def _check(options: argparse.Namespace) -> int:
    from training.credit.check import check_seeds, tally
    from training.credit.estimates import estimate_table

    seeds = range(options.first, options.first + options.seeds)
    results: list[Any] = []
    with _credit_models(options.models) as models, terminal.progress_bar("seeds") as progress:
        for number, part in enumerate(check_seeds(models, seeds, options.per_day, options.workers), 1):
            results += part
            if progress:
                progress(number, options.seeds, "")
    found = tally(results)
    for name, (named, planted) in found.faults.items():
        print(f"{name:<16} named on {named} of {planted} days")
    for section, (false, clean) in found.sections.items():
        print(f"{section:<16} {false} false alert{'' if false == 1 else 's'} on {clean} clean days")
    print("\nperformance estimated without labels, beside what the labels said:")
    for line in estimate_table([(each.planted, each.estimated) for each in results]):
        print(line)
    print()
    for each in [each.told for each in results if each.day.fault and not each.named]:
        print(f"not named: {each}")
    for told in found.false:
        print(f"false alert: {told}")
    print(
        f"{found.named} of {found.planted} fault-days named by the right section; "
        f"{len(found.false)} false alerts on {found.clean} clean section-days: {'holds' if found.holds else 'FAILS'}"
    )
    return 0 if found.holds else 1


@contextmanager
def _credit_models(folder: Path | None) -> Iterator[Path]:
    """The folder given, or a model made for the occasion."""
    from training.credit.model import NAME, export_credit

    if folder is not None:
        if not (folder / NAME).is_dir():
            raise ValueError(f"there is no {NAME} in {folder}: make it with `python -m training.credit export`")
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="credit-") as made:
        terminal.say("training and exporting the credit model")
        export_credit(Path(made))
        yield Path(made)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.credit",
        description="A credit model and two weeks of traffic with known faults.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    export = commands.add_parser("export", help="train and export the model")
    export.add_argument("--out", type=Path, default=Path("models"), help="folder of the bundles (default: models)")
    export.set_defaults(run=_export)
    play = commands.add_parser("play", help="play the two weeks that ended yesterday into the log")
    play.add_argument("--seed", type=_seed, default=1, help="which faults on which days (default: 1)")
    play.add_argument("--per-day", type=_whole, default=2000, help="applicants a day, about (default: 2000)")
    play.add_argument("--out", type=Path, help="write what was played into this file, as JSON, and print nothing")
    play.set_defaults(run=_play)
    check = commands.add_parser("check", help="hold the reports of many fortnights to what was planted")
    check.add_argument("--seeds", type=_whole, default=20, help="how many fortnights (default: 20)")
    check.add_argument("--from", dest="first", type=_seed, default=1, help="the first seed (default: 1)")
    check.add_argument("--per-day", type=_whole, default=2000, help="applicants a day, about (default: 2000)")
    check.add_argument("--workers", type=_whole, default=os.cpu_count() or 1, help="processes (default: one a core)")
    check.add_argument("--models", type=Path, help="folder with the credit bundle (default: it is made)")
    check.set_defaults(run=_check)
    return parser


def _seed(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no seed: give a whole number such as 1")
    return int(text)


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)
