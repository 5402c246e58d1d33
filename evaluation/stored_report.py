"""A `report.json` as it was found in the derived container: a report, or one sentence on what is wrong with it.

Whoever may write to that container may have written anything. Nothing of it is evidence: every report can be built
again from the log, and the sentence says by which command. Imports nothing heavy.
"""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Callable

import msgspec

from evaluation.report_format import Report, decode_report
from evaluation.report_store import LARGEST_REPORT_BYTES
from evaluation.windows import is_report_id

_ID = re.compile(r"(?P<kind>[a-z]+)-(?P<start>[0-9T-]+)-(?P<second>[0-9]{8}T[0-9]{6})(?P<fraction>[0-9]{6})?Z")
_HOUR = len("2026-11-23T14")
_LONGEST_REASON = 200
_log = logging.getLogger("hyperplane.evaluation")


class DamagedReport(ValueError):
    """What is stored is no report of that model and id; the message says why, and how to build it again."""

    def __init__(self, model: str, report_id: str, why: str) -> None:
        self.command = rebuild_command(model, report_id)
        super().__init__(
            f"the stored report {report_id} of model {model} is damaged: {why}; "
            f"build it again from the log: `{self.command}`"
        )


def decode_stored(data: bytes, model: str, report_id: str) -> Report:
    """The report in these bytes; `latest` is any report of the model. Raises `DamagedReport`."""
    if len(data) > LARGEST_REPORT_BYTES:
        raise DamagedReport(model, report_id, f"it is larger than {LARGEST_REPORT_BYTES >> 20} MiB")
    try:
        report = decode_report(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as problem:
        raise DamagedReport(model, report_id, _shown(str(problem))) from None
    if report.model.name != model:
        raise DamagedReport(model, report_id, f"it is a report of model {_shown(repr(report.model.name))}")
    if report.id != report_id and (report_id != "latest" or not is_report_id(report.id)):
        raise DamagedReport(model, report_id, f"it says that its id is {_shown(repr(report.id))}")
    return report


def drawn_stored(data: bytes, model: str, report_id: str, draw: Callable[[Report], str]) -> str:
    """Its page. Raises `DamagedReport`, also for values that have the right types and that no report can have."""
    report = decode_stored(data, model, report_id)
    try:
        return draw(report)
    except Exception as problem:
        _log.exception("the stored report %s of %s cannot be drawn", report.id, model)
        why = f"it holds values that cannot be drawn ({type(problem).__name__})"
        raise DamagedReport(model, report_id, why) from problem


def rebuild_command(model: str, report_id: str) -> str:
    """What builds the report of this id, which says its window and its moment.

    >>> rebuild_command("wine", "day-2026-11-23-20261124T000700Z")
    'python -m evaluation report --model wine --window day --since 2026-11-23 --as-of 20261124T000700Z'
    >>> rebuild_command("m", "custom-2026-11-23T14-2026-11-24T02-20261124T000700123456Z")
    'python -m evaluation report --model m --since 2026-11-23T14 --until 2026-11-24T02 --as-of 20261124T000700.123456Z'
    >>> rebuild_command("wine", "latest")
    'python -m evaluation report --model wine'
    """
    command, found = f"python -m evaluation report --model {shlex.quote(model)}", _ID.fullmatch(report_id)
    if found is None:
        return command
    kind, start = found["kind"], found["start"]
    window = {
        "all": "--window all",
        "custom": f"--since {start[:_HOUR]} --until {start[_HOUR + 1 :]}",
    }.get(kind, f"--window {kind} --since {start}")
    fraction = f".{found['fraction']}" if found["fraction"] else ""
    return f"{command} {window} --as-of {found['second']}{fraction}Z"


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:_LONGEST_REASON])
