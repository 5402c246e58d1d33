"""What became of a file of labels, for a person or a program: counts, and what to mend in the rows that never count.

Cells come from strangers: they are shown as printable ASCII, shortened, and nothing in them is obeyed by a terminal.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from audit.wording import counted
from scoring.bulk_labels import Rejected, Tally
from scoring.bundle import Manifest, class_key
from scoring.errors import shown
from scoring.fields import ID_RULE
from scoring.label_rows import LabelRow, Wanted

_CLASSES_NAMED = 10
_LONGEST_VALUE = 40
_WIDEST = 1_000


def rejected_rows(tally: Tally, manifest: Manifest, wanted: Wanted) -> list[dict[str, Any]]:
    """One object for each reason of each of the first rejected rows: where, which column, what it holds, the fix."""
    return [_told(rejected, reason, manifest, wanted) for rejected in tally.rejected for reason in rejected.reasons]


def summary(tally: Tally, rejected: list[dict[str, Any]]) -> dict[str, Any]:
    """The counts by name, and the rows."""
    counts = {name: tally.outcomes[name] for name in ("recorded", "unmatched", "rejected")}
    return {"rows": tally.rows} | counts | {"reasons": dict(tally.reasons), "rejected_rows": rejected}


def print_summary(tally: Tally, rejected: list[dict[str, Any]], *, dry: bool) -> None:
    """The same as tables."""
    console = Console(soft_wrap=True)
    counts = Table(box=None, show_header=False, pad_edge=False)
    counts.add_column()
    counts.add_column(justify="right")
    counts.add_row("rows", f"{tally.rows:,}")
    for name in ("recorded", "unmatched", "rejected"):
        counts.add_row(f"would be {name}" if dry else name, f"{tally.outcomes[name]:,}")
    for reason, count in tally.reasons.most_common():
        counts.add_row(f"  {reason}", f"{count:,}")
    console.print(counts)
    if rejected:
        table = _table(rejected)
        if not console.is_terminal:  # which folds what is long; elsewhere each row is one line
            console.width = console.measure(table, options=console.options.update(max_width=_WIDEST)).maximum
        console.print(table, soft_wrap=False)
    more = tally.outcomes["rejected"] - len(tally.rejected)
    if more > 0:
        console.print(f"and {counted(more, 'more rejected row')}")


def _table(rejected: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("row", "column", "holds", "reason", "what to do"):
        table.add_column(name)
    for told in rejected:
        line = f"{told['row']} (line {told['line']})" if told["line"] else str(told["row"])
        cells = (line, told["column"], told["holds"], told["reason"], told["fix"])
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _told(rejected: Rejected, reason: str, manifest: Manifest, wanted: Wanted) -> dict[str, Any]:
    row, whole = rejected.row, not isinstance(rejected.row.given, dict)
    field = "id" if reason == "malformed_id" else "ts" if reason == "malformed_ts" else wanted.field
    named = {"id": wanted.id, "ts": wanted.ts or "ts", wanted.field: wanted.truth or wanted.field}[field]
    return {
        "row": row.number,
        "line": row.line,
        "column": "" if whole else _ascii(named),
        "holds": _holds(row, field),
        "reason": reason,
        "fix": "give the row as many cells as the header has" if whole else _fix(reason, manifest),
    }


def _holds(row: LabelRow, field: str) -> str:
    """
    >>> _holds(LabelRow(1, 2, {"id": None}), "id"), _holds(LabelRow(1, 2, "a,b,c"), "id")
    ('nothing', "'a,b,c'")
    """
    value = row.given.get(field) if isinstance(row.given, dict) else row.given
    if value is None:
        return "nothing"
    return shown(value, _LONGEST_VALUE) if isinstance(value, str) else shown(str(value), _LONGEST_VALUE)[1:-1]


def _fix(reason: str, manifest: Manifest) -> str:
    kind = _class_kind(manifest)
    return {
        "malformed_id": f"the instance's id as its result had it: {ID_RULE}",
        "missing_label": f"leave the row out until the truth is known, or give {_expected(manifest)}",
        "unknown_class": f"give {_expected(manifest)}",
        "wrong_type": f"give {_expected(manifest)}" + (f", of type {kind}" if kind else ""),
        "not_finite": "give a finite number",
        "malformed_ts": "RFC 3339 with its offset, such as 2026-11-23T14:05:06Z",
    }.get(reason, "see docs/scoring.md")


def _expected(manifest: Manifest) -> str:
    if manifest.task == "regression":
        return "a number such as 1234.5, without separators of thousands"
    listed = ", ".join(shown(class_key(label), _LONGEST_VALUE)[1:-1] for label in manifest.classes[:_CLASSES_NAMED])
    more = len(manifest.classes) - _CLASSES_NAMED
    return f"one of {listed}" + (f" and {more} more" if more > 0 else "")


def _class_kind(manifest: Manifest) -> str:
    """
    >>> from types import SimpleNamespace
    >>> _class_kind(SimpleNamespace(classes=[True, False])), _class_kind(SimpleNamespace(classes=["a"]))
    ('boolean', 'text')
    """
    kinds = {
        "text" if isinstance(each, str) else "boolean" if isinstance(each, bool) else "number"
        for each in manifest.classes
    }
    return " or ".join(sorted(kinds))


def _ascii(text: str) -> str:
    return shown(text)[1:-1]


def on_one_line(text: str) -> str:
    """A sentence with names of files and columns in it, as a terminal may show it.

    >>> on_one_line("a\\x1b[31m b") == "a" + chr(92) + "x1b[31m b"
    True
    """
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def as_json(value: dict[str, Any]) -> str:
    """One line, in ASCII."""
    return json.dumps(msgspec.to_builtins(value))
