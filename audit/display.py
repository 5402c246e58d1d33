"""Records and findings on a terminal, in a pipe, or as JSON lines.

A terminal gets tables cut to its width (`audit.rows`). A pipe or a file gets the same rows whole, one a line whatever
the other rows are, with a tab between two columns; no value has a tab or a line end in it. JSON lines are pure ASCII.

Values come from clients and may be hostile: what a terminal would obey (escape sequences, other control characters,
direction overrides) is shown as an escape, and nothing is read as markup.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from audit.finding import Finding
from audit.reader import Position
from audit.records import Record
from audit.rows import Steps, fitted

_LONGEST_CELL = 2_000
_COLUMNS = ("time", "kind", "id", "model", "outcome", "reasons", "result")
_GIVE_WAY: Steps = (
    ("time", 17),  # to the minute
    ("reasons", 8),
    ("result", 6),
    ("model", 6),
    ("kind", 5),
    ("reasons", 4),
    ("result", 4),
    ("time", 11),  # to the day
    ("outcome", 6),
    ("id", 12),
)
_OUTCOME_STYLES = {"scored": "green", "recorded": "green", "abstained": "yellow", "unmatched": "yellow"}


class HasModel(Protocol):
    """A record, or what was made of one."""

    @property
    def model(self) -> str: ...
    @property
    def version(self) -> str | None: ...
    @property
    def role(self) -> str | None: ...


def print_json(records: Iterable[tuple[Record, Position]]) -> int:
    """One line `{"record": …, "position": …}` each; returns how many."""
    count = 0
    for record, position in records:
        print(json_line(record, position))
        count += 1
    return count


def json_line(record: Record, position: Position) -> str:
    """A record and where it stands, in ASCII."""
    place = {"blob": position.blob, "sequence": position.sequence, "line": position.line}
    return json.dumps({"record": msgspec.to_builtins(record), "position": place})


def print_table(records: Iterable[tuple[Record, Position]], *, header: bool = True) -> int:
    """One row each; returns how many."""
    return print_rows(_COLUMNS, (_cells(record) for record, _ in records), _GIVE_WAY, header=header)


def print_rows(names: Sequence[str], rows: Iterable[Sequence[Text]], steps: Steps, *, header: bool = True) -> int:
    """A table, nothing if there are no rows; returns how many. `steps`: how columns give way on a narrow terminal."""
    if not sys.stdout.isatty():
        return _print_whole_rows(names, rows, header=header)
    every = list(rows)
    for line in fitted(names, every, steps, terminal_width())[0 if header and every else 1 :]:
        print_line(line)
    return len(every)


def print_line(line: Text) -> None:
    """One line as it is, on a terminal in its colours."""
    _console().print(line, soft_wrap=True)


def print_below(text: Text) -> None:
    """What belongs to the row above, folded to the terminal's width and set in."""
    _console().print(Padding(text, (0, 0, 0, 4)))


def terminal_width() -> int:
    """Cells of a line."""
    return shutil.get_terminal_size().columns


def _print_whole_rows(names: Sequence[str], rows: Iterable[Sequence[Text]], *, header: bool) -> int:
    count = 0
    for count, row in enumerate(rows, 1):
        if header and count == 1:
            print(*names, sep="\t")
        print(*(cell.plain for cell in row), sep="\t")
    return count


def _cells(record: Record) -> list[Text]:
    return [
        plain(record.ts),
        plain(record.kind),
        plain(record.id),
        plain(model_of(record)),
        plain(record.outcome or "", _OUTCOME_STYLES.get(record.outcome or "", "red")),
        plain(", ".join(record.reasons)),
        plain(_result(record)),
    ]


def print_whole(records: Iterable[tuple[Record, Position]]) -> int:
    """Every field of each record; returns how many."""
    count = 0
    for count, (record, position) in enumerate(records, 1):
        if count > 1:
            print()
        fields = [
            (name, plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
            for name, value in msgspec.to_builtins(record).items()
        ]
        fields.append(("stored in", plain(f"{position.blob}, frame {position.sequence}, line {position.line}")))
        _print_fields(fields)
    return count


def _print_fields(fields: Sequence[tuple[str, Text]]) -> None:
    """On a terminal long values are folded beside their names."""
    if not sys.stdout.isatty():
        for name, value in fields:
            print(name, value.plain, sep="\t")
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in fields:
        table.add_row(name, value)
    _console().print(table)


def print_findings(findings: Iterable[Finding], *, as_json: bool) -> None:
    """One line each."""
    for finding in findings:
        if as_json:
            print(json.dumps({"blob": finding.blob, "what": finding.what, "detail": finding.detail}))
        else:
            line = Text.assemble(
                plain(finding.what, "bold red"), "  ", plain(finding.blob), "\n    ", plain(finding.detail)
            )
            print_line(line)


def say(text: str) -> None:
    """A line for the person, beside the output."""
    _console(stderr=True).print(plain(text), soft_wrap=True)


def plain(text: str, style: str = "") -> Text:
    """The text with nothing in it that a terminal would obey.

    >>> plain("a\\x1b[31m\\u202e[bold]").plain
    'a\\\\x1b[31m\\\\u202e[bold]'
    """
    shown = "".join(char if char.isprintable() else _escaped(char) for char in text[:_LONGEST_CELL])
    if len(text) > _LONGEST_CELL:
        shown += f"… ({len(text)} characters; --json shows all)"
    return Text(shown, style=style)


@contextmanager
def progress_bar(what: str, *, wanted: bool = True) -> Iterator[Callable[[int, int | None, str], None] | None]:
    """A bar on stderr if that is a terminal: a function to be told (done, in all if known, name); else `None`."""
    console = _console(stderr=True)
    if not (wanted and console.is_terminal):
        yield None
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[name]}", markup=False))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None, name="")
        yield lambda done, total, name: bar.update(task, completed=done, total=total, name=plain(name).plain)


def model_of(record: HasModel) -> str:
    """The model and version of a record, and whether that was a challenger."""
    model = f"{record.model} {record.version}" if record.version else record.model
    return f"{model} (challenger)" if record.role == "challenger" else model


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _console(*, stderr: bool = False) -> Console:
    return _Piped(stderr=stderr)


class _Piped(Console):
    """Leaves it to `audit.terminal` what a closed pipe means; rich would end the process with 1, "nothing found"."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _result(record: Record) -> str:
    y: dict[str, Any] = record.y or {}
    if record.kind == "note":
        return ", ".join(str(y[name]) for name in ("verdict", "author") if name in y)
    parts = [json.dumps(y[name], ensure_ascii=False) for name in ("label", "value") if name in y]
    probabilities = y.get("probabilities")
    if isinstance(probabilities, dict) and probabilities:
        numbers = [value for value in probabilities.values() if isinstance(value, int | float)]
        parts += [f"({max(numbers):.3f})"] if numbers else []
    return " ".join(parts)
