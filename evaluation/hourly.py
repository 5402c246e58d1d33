"""The hourly timer: hours that are over are sealed, compacted and profiled, and the day's reports are written.

Every step can be killed and run again with the same result: sealing appends a `close` only where none is, a blob's
index is written after everything it names, a report's entry after the report. What is done already is not done again,
so a run after downtime catches up on the last 48 hours. An hour or a blob that cannot be dealt with is logged, stands
in the report as a finding, is tried again by the next run, and never keeps the others waiting. Only storage that
cannot be reached at all ends a run.

A day's report is made as of the end of its newest hour with records, and once the day is over as of its end. A day
whose instances get labels later gets a fresh report, as of the end of the newest hour with such labels (see
`evaluation.late_labels`); the ones before it stay. Each is a moment taken from the log and not from the clock, so that
two runs write the same bytes.

The verdicts of a report are logged when it is new, or says something else than before: right before it is stored, so
that an alert may be told twice by a run that was killed in between, and never not at all.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audit.errors import AuditError, Unavailable
from audit.id_upkeep import keep_index
from audit.layout import hour_start_s
from audit.reader import blobs, listed_blobs, read_blob
from audit.reader import hours as log_hours
from audit.records import timestamp
from audit.seal import SETTLED_S, seal_hour
from audit.store import Store
from evaluation.audit_section import audit_section
from evaluation.blob_index import BlobIndex, day_prefix, index_blob, read_index
from evaluation.evidence import collect
from evaluation.late_labels import labelled_days
from evaluation.references import References
from evaluation.report import build_report
from evaluation.report_format import Report, ReportEntry, Window, encode_report, section_verdicts
from evaluation.report_store import newest_made, read_report_json, write_report, written_s
from evaluation.vouching.means import Means
from evaluation.windows import DAY_S, HOUR_S, at, day_window, report_id, split_id

LOOKS_BACK_S = 48 * HOUR_S

Progress = Callable[[int, int, str], None]
_log = logging.getLogger("hyperplane.evaluation")


@dataclass
class Run:
    """What a run did."""

    hours: list[str] = field(default_factory=list)  # hours in which something was done
    blobs: int = 0  # profiled
    reports: list[ReportEntry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # what must be tried again
    labelled: list[BlobIndex] = field(default_factory=list)  # of all hours that were due, those with labels


def run_due(
    log: Store,
    derived: Store,
    models: Path,
    now: float,
    *,
    thresholds: Mapping[str, float] | None = None,
    means: Means | None = None,
) -> Run:
    """Everything that is due: hours that ended at least five minutes ago, up to 48 hours back, and their reports.

    `now` is Unix seconds. Raises `Unavailable` when the storage cannot be reached; run it again then.
    """
    return backfill(log, derived, models, now, since_s=now - LOOKS_BACK_S, thresholds=thresholds, means=means)


def backfill(
    log: Store,
    derived: Store,
    models: Path,
    now: float,
    *,
    since_s: float | None = None,
    until_s: float | None = None,
    thresholds: Mapping[str, float] | None = None,
    reports: bool = True,
    progress: Progress | None = None,
    means: Means | None = None,
) -> Run:
    """The same for any stretch of the log."""
    run, references, means = Run(), References(models), means or Means()
    due = [hour for hour in log_hours(log, since_s, until_s) if _ended_s(hour) + SETTLED_S <= now]
    for number, hour in enumerate(due):
        if progress:
            progress(number, len(due), hour)
        _hour(log, derived, references, hour, run)
    _keep_index(log, derived, due, now, run)
    if reports:
        work = _Reports(log, derived, references, thresholds, run, means)
        for day, as_of in _days(due, now).items():
            for model in references.models():
                work.make(model, day_window(day), timestamp(as_of))
        for (model, date), hour in sorted(_late(derived, run).items()):
            if model in references.models():
                work.make_again(model, day_window(at(f"{date}T00:00:00Z")), timestamp(_ended_s(hour)))
    return run


def run_hour(log: Store, derived: Store, models: Path, hour: str) -> Run:
    """Seal, compact and profile one hour (`2026/11/23/14`), without reports."""
    run = Run()
    _hour(log, derived, References(models), hour, run)
    return run


def make_report(
    log: Store,
    derived: Store,
    references: References,
    model: str,
    window: Window,
    as_of: str,
    thresholds: Mapping[str, float] | None = None,
    progress: Progress | None = None,
    means: Means | None = None,
) -> Report:
    """Read and build one report; nothing is stored. `means`: what its audit section may vouch with."""
    evidence = collect(log, derived, references, model, window, as_of, progress)
    return build_report(evidence, thresholds, audit_section(log, derived, evidence, means, progress))


def store_report(derived: Store, report: Report) -> ReportEntry:
    """Store a report with its page."""
    from evaluation.pages.report import report_page

    return write_report(derived, report, report_page(report))


def log_verdicts(report: Report) -> None:
    """One line of JSON for each section, for alert rules to match; docs/operations.md lists the fields."""
    for section, verdict in section_verdicts(report).items():
        line = {
            "event": "verdict",
            "model": report.model.name,
            "version": report.model.version,
            "report": report.id,
            "window": report.window.kind,
            "since": report.window.since,
            "until": report.window.until,
            "as_of": report.as_of,
            "provisional": report.provisional,
            "section": section,
            "level": verdict.level,
            "figure": verdict.figure,
            "value": verdict.value,
            "before": verdict.before,
            "threshold": verdict.threshold,
            "sentence": verdict.sentence,
        }
        level = logging.WARNING if verdict.level in ("warn", "alert") else logging.INFO
        _log.log(level, "%s", json.dumps(line))


def _hour(log: Store, derived: Store, references: References, hour: str, run: Run) -> None:
    indexes = [read_index(derived, info, references) for info in blobs(log, hour)]
    if not all(indexes):
        indexes = _worked_on(log, derived, references, hour, run)
        run.hours.append(hour)
    run.labelled += [index for index in indexes if index is not None and index.labels]


def _worked_on(log: Store, derived: Store, references: References, hour: str, run: Run) -> list[BlobIndex | None]:
    try:
        seal_hour(log, hour)
    except Unavailable:
        raise
    except AuditError as problem:
        _trouble(run, f"{hour} cannot be sealed", problem)
    indexes = []
    for info in blobs(log, hour):
        index = read_index(derived, info, references)
        if index is None:
            index = _blob(log, derived, references, info.name, run)
            run.blobs += index is not None
        indexes.append(index)
    return indexes


def _blob(log: Store, derived: Store, references: References, name: str, run: Run) -> BlobIndex | None:
    try:
        reading = read_blob(log, name)
        if reading.state != "closed":
            run.problems.append(f"{name} is not closed: {reading.finding or 'its writer is still busy'}")
            return None
        return index_blob(derived, reading, references)
    except Unavailable:
        raise
    except Exception as problem:  # noqa: BLE001 - one bad blob must never keep the others waiting
        _trouble(run, f"{name} cannot be compacted and profiled", problem)
        return None


def _keep_index(log: Store, derived: Store, due: Sequence[str], now: float, run: Run) -> None:
    """Index what no run indexed, and merge days: an id is then found in a few reads (audit/id_index.py)."""
    if not due:
        return
    try:
        listed = listed_blobs(log, _ended_s(due[0]) - HOUR_S, _ended_s(due[-1]))
        done = keep_index(log, derived, {hour: listed[hour] for hour in due if hour in listed}, now)
        run.problems += done.problems
    except Unavailable:
        raise
    except Exception as problem:  # noqa: BLE001 - without an index ids are found all the same, only later
        _trouble(run, "the index of ids cannot be kept", problem)


def _late(derived: Store, run: Run) -> dict[tuple[str, str], str]:
    """(model, day) → the newest hour with labels for the instances of that earlier day."""
    try:
        return labelled_days(derived, run.labelled)
    except Unavailable:
        raise
    except Exception as problem:  # noqa: BLE001 - the reports of earlier days must never cost the others anything
        _trouble(run, "it is not known which earlier days got labels", problem)
        return {}


@dataclass(frozen=True)
class _Reports:
    """Makes and stores reports, each unless it is there already; one that fails keeps no other waiting."""

    log: Store
    derived: Store
    references: References
    thresholds: Mapping[str, float] | None
    run: Run
    means: Means | None

    def make(self, model: str, window: Window, as_of: str) -> None:
        """The report of a window as of a moment."""
        if _is_current(self.derived, model, window, as_of):
            return
        try:
            report = make_report(
                self.log, self.derived, self.references, model, window, as_of, self.thresholds, means=self.means
            )
            if _worth_storing(report):
                if read_report_json(self.derived, model, report.id) != encode_report(report):
                    log_verdicts(report)
                self.run.reports.append(store_report(self.derived, report))
        except Unavailable:
            raise
        except Exception as problem:  # noqa: BLE001 - one model must never cost the others their report
            _trouble(self.run, f"no report of {model} on {window.since[:10]}", problem)

    def make_again(self, model: str, window: Window, as_of: str) -> None:
        """The same, unless there is one of a later moment."""
        made = newest_made(self.derived, model, window)
        if made is None or made <= split_id(report_id(window, as_of))[1]:
            self.make(model, window, as_of)


def _is_current(derived: Store, model: str, window: Window, as_of: str) -> bool:
    """Whether the report is there and younger than all it was made from: a run may have been killed before it."""
    made_s = written_s(derived, model, report_id(window, as_of))
    if made_s is None:
        return False
    return all(info.modified_s < made_s for info in derived.list(day_prefix(window.since[:10])))


def _worth_storing(report: Report) -> bool:
    """Whether the window holds anything of the model."""
    return bool(report.coverage.counts.calls or report.performance.labels.labels)


def _days(due: Sequence[str], now: float) -> dict[float, float]:
    """Start of each day with a due hour → the moment its report speaks of."""
    days: dict[float, float] = {}
    for hour in due:
        start = _ended_s(hour) - HOUR_S
        day = start // DAY_S * DAY_S
        over = now >= day + DAY_S + SETTLED_S
        days[day] = day + DAY_S if over else max(days.get(day, 0.0), _ended_s(hour))
    return days


def _ended_s(hour: str) -> float:
    start = hour_start_s(hour)
    if start is None:
        raise ValueError(f"{hour!r} is no hour; one is written 2026/11/23/14")
    return start + HOUR_S


def _trouble(run: Run, what: str, problem: Exception) -> None:
    _log.exception("%s", what)
    run.problems.append(f"{what}: {type(problem).__name__}: {problem}")
