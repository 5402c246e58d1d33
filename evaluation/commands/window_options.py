"""Which window a command speaks of: by name, by times, or since a version first scored."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from audit.layout import hour_start_s
from audit.reader import hours as log_hours
from audit.store import Store
from evaluation.commands.arguments import add_stretch
from evaluation.first_scored import first_scored
from evaluation.report_format import Window
from evaluation.windows import DAY_S, all_window, custom_window, day_window, hour_window, version_window, week_window
from scoring.bundle import NAME

Progress = Callable[[int, int, str], None]
_NAMED = {"hour": hour_window, "day": day_window, "week": week_window}


def add_window(parser: argparse.ArgumentParser, default: str) -> None:
    """`--window`, `--since-version`, `--since` and `--until`; `default` says what is taken without any of them."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--window",
        choices=(*_NAMED, "all"),
        help=f"the hour, day or ISO week that holds --since, or else the newest records; all: everything ({default})",
    )
    which.add_argument(
        "--since-version", metavar="VERSION", help="from the hour in which this version of the model first scored"
    )
    add_stretch(parser)


def window_of(
    log: Store,
    derived: Store,
    options: argparse.Namespace,
    now: float,
    *,
    default: str = "day",
    progress: Progress | None = None,
) -> Window:
    """The window asked for; raises `ValueError` for one that cannot be."""
    since, until, named = options.since, options.until, options.window
    if options.since_version is not None:
        return _since_version(log, derived, options, now, progress)
    if until is not None and named in _NAMED:
        raise ValueError(f"--until has no place beside --window {named}, whose end is known: leave one of them out")
    if named is None and (since is not None or until is not None):
        end = now if until is None else until
        return custom_window(end - DAY_S if since is None else since, end)
    named, end = named or default, now if until is None else until
    if since is not None and named in _NAMED:
        return _NAMED[named](since)
    begun = [start for hour in log_hours(log, since, end) if (start := hour_start_s(hour)) is not None]
    if named == "all":
        return all_window(begun[0] if begun else end, end)
    return _NAMED[named](begun[-1] if begun else now)


def _since_version(
    log: Store, derived: Store, options: argparse.Namespace, now: float, progress: Progress | None
) -> Window:
    version: str = options.since_version
    if not NAME.fullmatch(version):
        raise ValueError(f"--since-version {version!r}: expected the name of a version, such as 2 or 2.1-rc1")
    if options.since is not None:
        raise ValueError(f"--since has no place beside --since-version {version}: leave one of them out")
    until = now if options.until is None else options.until
    hour = first_scored(log, derived, options.model, version, until, progress)
    start = None if hour is None else hour_start_s(hour)
    if start is None:
        raise ValueError(
            f"version {version!r} of model {options.model} has not scored anything in the log; see --window"
        )
    return version_window(version, start, until)
