"""Records and findings on a terminal, or as JSON lines.

Values come from clients and may be hostile: what a terminal would obey (escape sequences, other control characters,
direction overrides) is shown as an escape, and nothing is read as markup. JSON lines are pure ASCII.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from audit.reader import Position
from audit.records import Record
from audit.verify import Finding

_WIDE = 200
_LONGEST_CELL = 2_000
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
    return print_rows(
        ("time", "kind", "id", "model", "outcome", "reasons", "result"),
        (
            (
                plain(record.ts),
                plain(record.kind),
                plain(record.id),
                plain(model_of(record)),
                plain(record.outcome or "", _OUTCOME_STYLES.get(record.outcome or "", "red")),
                plain(", ".join(record.reasons)),
                plain(_result(record)),
            )
            for record, _ in records
        ),
        header=header,
    )


def print_rows(names: Iterable[str], rows: Iterable[Sequence[Text]], *, header: bool = True) -> int:
    """A table as wide as it must be, nothing if there are no rows; returns how many."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=header)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    if table.row_count:
        console = _console()
        natural = console.measure(table, options=console.options.update(max_width=_WIDE)).maximum
        console.width = max(console.width, natural)  # ids are there to be copied: the terminal may break a line, we not
        console.print(table)
    return table.row_count


def print_whole(records: Iterable[tuple[Record, Position]]) -> int:
    """Every field of each record; returns how many."""
    console, count = _console(), 0
    for record, position in records:
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, value in msgspec.to_builtins(record).items():
            table.add_row(name, plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
        table.add_row("stored in", plain(f"{position.blob}, frame {position.sequence}, line {position.line}"))
        if count:
            console.print()
        console.print(table)
        count += 1
    return count


def print_findings(findings: Iterable[Finding], *, as_json: bool) -> None:
    """One line each."""
    for finding in findings:
        if as_json:
            print(json.dumps({"blob": finding.blob, "what": finding.what, "detail": finding.detail}))
        else:
            line = Text.assemble(
                plain(finding.what, "bold red"), "  ", plain(finding.blob), "\n    ", plain(finding.detail)
            )
            _console().print(line, soft_wrap=True)


def say(text: str) -> None:
    """A line for the person, beside the output."""
    Console(stderr=True, soft_wrap=True).print(plain(text))


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
    console = Console(stderr=True)
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


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=_WIDE)


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
