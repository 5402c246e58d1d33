"""`python -m audit export FILE`: the records that match, as Parquet, CSV or JSON lines."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from audit import display
from audit.aside import aside
from audit.browse import Filter, Found
from audit.commands.arguments import Commands, add_command, within, word
from audit.commands.find import add_filter, filter_of
from audit.connect import Stores
from audit.store import Store
from audit.survey import Survey, surveyed
from audit.wording import counted, listed

if TYPE_CHECKING:
    from audit.export import Format

_FORMATS = ("parquet", "csv", "jsonl")
_ABOUT = """export: the records that match, oldest first, into a file for other programs.

Only what verifies is exported; what does not is named at the end. The file
appears under its name when it is whole. It is derived, never evidence: that
stays in the log, and the columns blob, sequence and line say where."""
_EPILOG = """examples:
  python -m audit export wine.parquet --model wine --since 7d
  python -m audit export labels.csv --kind label --force
  python -m audit export - --format jsonl | jq .record.id

In CSV a text that a spreadsheet would run as a formula (it begins with = + - @
tab line-end or apostrophe, and is no number) gets an apostrophe in front; take
one leading apostrophe away to have it as recorded, or say --as-recorded.
Exit codes: 0 exported, 1 no record matches (no file is made) or a part of the
log does not verify, 2 could not run."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands, "export", _run, "records that match, as Parquet, CSV or JSON lines", _EPILOG, about=_ABOUT
    )
    parser.add_argument(
        "file", metavar="FILE", help="a name that ends in .parquet, .csv or .jsonl; - for standard output"
    )
    parser.add_argument("--format", type=word(_FORMATS), help=f"{listed(_FORMATS)}, if the name does not say it")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--as-recorded", action="store_true", help="CSV: no apostrophes; not for spreadsheets")
    add_filter(parser)


def _run(stores: Stores, options: argparse.Namespace) -> int:
    to_stdout = options.file == "-"
    path = Path(options.file)
    kind: Any = options.format or path.suffix.lower().removeprefix(".")
    problem = _unfit(options, kind, path, to_stdout=to_stdout)
    if problem:
        display.say(f"audit: {problem}")
        return 2
    survey, wanted = Survey(), filter_of(options)
    try:
        if to_stdout:
            count, size_bytes = _export(stores.log, options, wanted, kind, survey, lambda: sys.stdout.buffer), 0
        else:
            with aside(path, overwrite=options.force) as file:
                count = _export(stores.log, options, wanted, kind, survey, file.open)
                size_bytes = file.keep()
    except BrokenPipeError:
        raise
    except OSError as trouble:
        where = "standard output" if to_stdout else options.file
        display.say(f"audit: {where} could not be written: {trouble.strerror or trouble}")
        return 2
    _tell(options, survey, count, size_bytes)
    return 0 if count and not survey.findings else 1


def _unfit(options: argparse.Namespace, kind: str, path: Path, *, to_stdout: bool) -> str | None:
    """Why there can be no such file, before the log is read."""
    if to_stdout:
        if options.json:
            return "--json prints the counts on standard output, where the records go: leave one of the two away"
        fits = options.format in ("csv", "jsonl")
        return None if fits else "standard output takes --format csv or --format jsonl"
    if kind not in _FORMATS:
        return f"{path}: the name must end in .parquet, .csv or .jsonl, or say --format"
    if path.is_dir():
        return f"{path} is a folder: name a file in it"
    if path.is_symlink() or (path.exists() and not path.is_file()):  # a rename would put a file in its place
        return f"{path} is a link or a device, which is never replaced: name a file, or - for standard output"
    if path.exists() and not options.force:
        return f"{path} is there already: choose another name, or --force replaces it"
    return None if path.parent.is_dir() else f"there is no folder {path.parent}"


def _export(
    store: Store,
    options: argparse.Namespace,
    wanted: Filter,
    kind: Format,
    survey: Survey,
    open_file: Callable[[], BinaryIO],
) -> int:
    from audit.export import export

    with display.progress_bar("reading hours", wanted=not options.json) as bar:
        shown = _Shown(bar)
        records = _matching(store, wanted, survey, shown.hour)
        return export(records, open_file, kind, escape=not options.as_recorded, progress=shown.exported)


class _Shown:
    """A bar of hours that also tells the records, of which one hour may have millions."""

    def __init__(self, bar: Callable[[int, int | None, str], None] | None) -> None:
        self._bar = bar
        self._done, self._total, self._hour, self._count = 0, 0, "", 0

    def hour(self, done: int, total: int, hour: str) -> None:
        self._done, self._total, self._hour = done, total, hour
        self.exported(self._count)

    def exported(self, count: int) -> None:
        self._count = count
        if self._bar:
            self._bar(self._done, self._total, f"{self._hour}, {counted(count, 'record')}")


def _matching(
    store: Store, wanted: Filter, survey: Survey, progress: Callable[[int, int, str], None]
) -> Iterator[Found]:
    for hour in surveyed(store, wanted, survey, progress=progress, oldest_first=True):
        yield from hour


def _tell(options: argparse.Namespace, survey: Survey, count: int, size_bytes: int) -> None:
    if options.json:
        told = {"file": options.file if count else None, "records": count, "bytes": size_bytes}
        seen = {"looked_at": survey.looked_at, "open_blobs": survey.open_blobs, "findings": survey.findings}
        print(json.dumps(told | seen))
        return
    if not count:
        display.say(f"audit: no record matches{within(options)}; no file was made")
    else:
        where = "" if options.file == "-" else f" in {options.file}, {counted(size_bytes, 'byte')}"
        display.say(f"{count:,} of {counted(survey.looked_at, 'record')} exported{where}")
    if survey.open_blobs:
        still = "is" if survey.open_blobs == 1 else "are"
        display.say(f"{counted(survey.open_blobs, 'blob')} {still} still written to: more may come")
    for finding in survey.findings:
        display.say(f"audit: not exported, for it does not verify: {finding}")
    if survey.findings:
        display.say("audit: run `python -m audit verify`")
