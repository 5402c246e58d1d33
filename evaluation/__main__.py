"""`python -m evaluation`: reports from the log, at any time and for any window.

Exit codes: 0 nothing alerts; 1 a verdict of the report alerts (or something must be tried again); 2 it could not run.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from audit.connect import Stores, open_stores
from audit.errors import AuditError
from audit.reader import hours as log_hours
from audit.records import timestamp
from audit.settings import SettingsError
from audit.settings import from_environ as audit_settings
from audit.store import Store
from audit.when import parse_when
from evaluation import settings as own_settings
from evaluation import terminal
from evaluation.hourly import backfill, make_report, store_report
from evaluation.references import References
from evaluation.report_format import Report, Window, encode_report
from evaluation.schema import schema_text
from evaluation.windows import all_window, at, custom_window, day_window, hour_start, hour_window

_PROBLEMS_SHOWN = 20
_EXAMPLES = """examples:
  python -m evaluation report --model wine                        the day of the newest records
  python -m evaluation report --model wine --window all --json    everything, as JSON
  python -m evaluation report --model wine --since 7d --out reports
  python -m evaluation backfill --since 2026-11-01                all that the hourly timer would have done
  python -m evaluation profile --since 2h                         compact and profile, no reports

A report reads hours that are not over yet too, and is marked provisional then. It is stored in the derived container,
where the service finds it: /models/wine/reports/latest.

The storage is found by HYPERPLANE_STORAGE (a connection string), or HYPERPLANE_STORAGE__blobServiceUri or
HYPERPLANE_STORAGE__accountName for an identity-based connection; the bundles by HYPERPLANE_MODELS (models); limits of
verdicts by HYPERPLANE_THRESHOLDS. Times are UTC dates, times, or ages such as 30m, 2h, 7d.
Exit codes: 0 nothing alerts, 1 something alerts, 2 could not run."""


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; returns its exit code."""
    options = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace, Mapping[str, str]], int] = options.run
    try:
        return run(options, environ)
    except SettingsError as problem:
        terminal.say(f"evaluation: {problem}")
    except AuditError as problem:
        terminal.say(f"evaluation: {problem}. Is the storage running, and does HYPERPLANE_STORAGE name it?")
    except (ValueError, OSError) as problem:
        terminal.say(f"evaluation: {problem}")
    except Exception as problem:  # noqa: BLE001 - Python's own exit code would be 1, which means that a verdict alerts
        traceback.print_exc()
        terminal.say(f"evaluation: this should not have happened: {type(problem).__name__}: {problem}")
    return 2


def _report(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    stores, thresholds = _stores(environ), own_settings.from_environ(environ).thresholds
    references = References(_models(environ))
    if options.model not in references.models():
        known = ", ".join(references.models()) or "none"
        raise ValueError(f"there is no bundle of a model {options.model!r} in {_models(environ)}; there is: {known}")
    now = time.time() if options.as_of is None else options.as_of
    with terminal.progress_bar("reading hours") as progress:
        report = make_report(
            stores.log,
            stores.derived,
            references,
            options.model,
            _window(stores.log, options, now),
            timestamp(now),
            thresholds,
            progress,
        )
    store_report(stores.derived, report)
    _write(report, options.out)
    if options.json:
        sys.stdout.write(encode_report(report).decode())
    else:
        terminal.print_report(report)
    return 1 if report.verdict.level == "alert" else 0


def _write(report: Report, folder: Path | None) -> None:
    """`report.json` and `report.html` in a folder of the caller's."""
    if folder is None:
        return
    from evaluation.pages.report import report_page

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_bytes(encode_report(report))
    (folder / "report.html").write_text(report_page(report), encoding="utf-8")
    terminal.say(f"evaluation: {folder / 'report.json'} and {folder / 'report.html'} written")


def _window(log: Store, options: argparse.Namespace, now: float) -> Window:
    """The window asked for; without one, the day of the newest records."""
    if options.until is not None or (options.since is not None and options.window is None):
        since = options.since if options.since is not None else options.until - 24 * 3600
        return custom_window(since, options.until if options.until is not None else now)
    if options.since is not None and options.window in ("hour", "day"):
        return (hour_window if options.window == "hour" else day_window)(options.since)
    begun = [at(hour_start(hour)) for hour in log_hours(log, options.since, now)]
    if options.window == "all":
        return all_window(begun[0] if begun else now, now)
    newest = begun[-1] if begun else now
    return hour_window(newest) if options.window == "hour" else day_window(newest)


def _backfill(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    stores, thresholds = _stores(environ), own_settings.from_environ(environ).thresholds
    with terminal.progress_bar("working on") as progress:
        done = backfill(
            stores.log,
            stores.derived,
            _models(environ),
            time.time(),
            since_s=options.since,
            until_s=options.until,
            thresholds=thresholds,
            reports=options.reports,
            progress=progress,
        )
    told = [f"{_many(len(done.hours), 'hour')} worked on", f"{_many(done.blobs, 'blob')} compacted and profiled"]
    if options.reports:
        told.append(f"{_many(len(done.reports), 'report')} written")
    terminal.say(f"evaluation: {', '.join(told)}")
    for problem in done.problems[:_PROBLEMS_SHOWN]:
        terminal.say(f"evaluation: {problem}")
    if len(done.problems) > _PROBLEMS_SHOWN:
        terminal.say(f"evaluation: and {len(done.problems) - _PROBLEMS_SHOWN:,} more; mend these and run it again")
    return 1 if done.problems or any(entry.level == "alert" for entry in done.reports) else 0


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _schema(_options: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    sys.stdout.write(schema_text())
    return 0


def _stores(environ: Mapping[str, str]) -> Stores:
    settings = audit_settings(environ)
    if settings.in_memory:
        raise SettingsError(
            "HYPERPLANE_STORAGE is memory://: that log lives in the memory of the process that serves, and no other "
            "can read it; use a storage account or Azurite"
        )
    return open_stores(settings)


def _models(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HYPERPLANE_MODELS", "").strip() or "models")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation",
        description="Turn the log into reports on coverage, performance, run times and drift.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    report = _command(commands, "report", _report, "build, store and show one report")
    report.add_argument("--model", required=True, help="name of the model")
    report.add_argument("--window", choices=("hour", "day", "all"), help="the hour or day of --since, else the newest")
    report.add_argument("--as-of", type=_when, help="count labels and records known by then (default: now)")
    report.add_argument("--out", type=Path, help="also write report.json and report.html into this folder")
    report.add_argument("--json", action="store_true", help="print the report as JSON")
    filled = _command(commands, "backfill", _backfill, "seal, compact, profile and report every hour that is over")
    filled.set_defaults(reports=True)
    profiled = _command(commands, "profile", _backfill, "seal, compact and profile, without reports")
    profiled.set_defaults(reports=False)
    schema = commands.add_parser("schema", help="print the JSON Schema of report.json")
    schema.set_defaults(run=_schema)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace, Mapping[str, str]], int],
    what: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=what, description=what, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(run=run)
    parser.add_argument("--since", type=_when, help="from this time on, rounded down to the hour")
    parser.add_argument("--until", type=_when, help="up to this time, rounded up to the hour")
    return parser


def _when(text: str) -> float:
    try:
        return parse_when(text, time.time())
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem


if __name__ == "__main__":
    sys.exit(main())
