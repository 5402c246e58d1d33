"""A run of the model, found again in the log: the records of all its rows, in the order of the run.

A row's bits depend on the batch that it was run in, so a replay needs them all. They went to the log in one commit, in
the order of the run. A small commit is in one frame; a large one, and a challenger's, lies in several, between other
requests' records, and in the writer's next blob if the hour changed meanwhile or the writer was fenced. So the blob of
one of them is read first, then its writer's next, or those before it, as long as rows are missing and at most
`_NEIGHBOURS` in either direction. Only lines that hold the id of a wanted run are decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from audit.errors import NotFound
from audit.layout import LOG, day_prefixes, hour_start_s, parse_name
from audit.reader import BlobReader, Frame
from audit.records import Record, decode_record
from audit.store import Store
from scoring.replay_result import CannotReplay

_NEIGHBOURS = 4  # a writer that is fenced again and again leaves a blob each time
_DAY_S = 86_400
_SHOWN = 5
_RUN = re.compile(rb'"run":\["([^"\\]{1,128})"')


class RecordedRun:
    """The rows of one run as far as they were found, at first none.

    `record` is one of its rows, or says as much of it; `blob` is where that lies, at `place` in the run.
    """

    def __init__(self, record: Record, blob: str) -> None:
        assert record.run is not None, "only what was run has a run"
        self.id, self.place, self.size = record.run
        self.blob = blob
        self.rows: dict[int, Record] = {}
        self.findings: list[str] = []  # where the log did not verify any further
        self._ways = _ways(record)
        self._unclear: int | None = None

    @property
    def complete(self) -> bool:
        """Whether every row is there."""
        return len(self.rows) >= self.size

    def add(self, record: Record) -> None:
        """Take a record if it is one of this run's rows."""
        if record.kind != "score" or record.run is None or record.run[0] != self.id:
            return
        _, place, size = record.run
        alike = self.rows.setdefault(place, record) == record and _ways(record) == self._ways
        if not alike or size != self.size or not 0 <= place < size:
            self._unclear = place

    def records(self) -> list[Record]:
        """The rows in the order of the run; raises `CannotReplay` if they are not all there and of one kind."""
        if self._unclear is not None:
            raise CannotReplay(
                "run_unclear",
                f"The log holds two records that contradict each other about the run {self.id}, row {self._unclear}.",
            )
        if not self.complete:
            raise CannotReplay("run_incomplete", self._missing())
        return [self.rows[place] for place in range(self.size)]

    def is_missing_before(self) -> bool:
        """Whether a row before the one that it was looked up for is missing."""
        return sum(found < self.place for found in self.rows) < self.place

    def is_missing_after(self) -> bool:
        """Whether that one or a row after it is missing."""
        return sum(found >= self.place for found in self.rows) < self.size - self.place

    def _missing(self) -> str:
        absent = [place for place in range(min(self.size, len(self.rows) + _SHOWN)) if place not in self.rows][:_SHOWN]
        rest = self.size - len(self.rows) - len(absent)
        named = ", ".join(map(str, absent)) + (f" and {rest} more" if rest > 0 else "")
        where = f" Reading stopped in {self.findings[0]}." if self.findings else ""
        return f"Of the {self.size} rows of its run the log does not hold {named} (counted from 0).{where}"


def collect(log: Store, blob: str, wanted: dict[str, RecordedRun]) -> Iterator[RecordedRun]:
    """Read a blob into the runs that are wanted; yields each that is complete and takes it out of `wanted`, so that
    no more rows are held than those of runs under way."""
    reader = BlobReader(log, blob)
    try:
        for frame in reader:
            for record in _rows(frame, wanted):
                run = wanted[record.run[0]] if record.run is not None else None
                if run is None:
                    continue
                run.add(record)
                if run.complete:
                    yield wanted.pop(run.id)
            if not wanted:
                return
    except NotFound:
        _tell(wanted, f"{blob}: it is not there any more")
    if reader.finding is not None:
        _tell(wanted, f"{blob} {reader.finding}")


def read_around(log: Store, run: RecordedRun) -> None:
    """Look for rows that are still missing in the blobs around the run's own."""
    if run.is_missing_after():
        _read_neighbours(log, run, 1)
    if run.is_missing_before():
        _read_neighbours(log, run, -1)


def _read_into(log: Store, blob: str, run: RecordedRun) -> None:
    if not run.complete:
        for _ in collect(log, blob, {run.id: run}):
            return


def _read_neighbours(log: Store, run: RecordedRun, direction: int) -> None:
    for name in _neighbours(log, run.blob, direction):
        _read_into(log, name, run)


def _neighbours(log: Store, blob: str, direction: int) -> list[str]:
    """The same writer's next blobs, or those before it, the nearest first; of the same day and the one beside it."""
    own = parse_name(blob)
    start_s = hour_start_s(own.hour) if own else None
    if own is None or start_s is None:
        return []
    beside_s = start_s + direction * _DAY_S
    found: dict[int, str] = {}
    for prefix in day_prefixes(min(start_s, beside_s), max(start_s, beside_s)):
        for info in log.list(prefix if prefix.startswith(LOG) else f"{LOG}{prefix}"):
            name = parse_name(info.name)
            if name and info.append and name.writer == own.writer and (name.n - own.n) * direction > 0:
                found[name.n] = info.name
    return [found[n] for n in sorted(found, reverse=direction < 0)[:_NEIGHBOURS]]


def _rows(frame: Frame, wanted: Mapping[str, RecordedRun]) -> Iterator[Record]:
    """The records of a frame that belong to wanted runs. A client's text may look like a run; its record does not."""
    if frame.kind != "records":
        return
    names, last = {name.encode() for name in wanted}, -1
    for match in _RUN.finditer(frame.body):
        if match[1] not in names:
            continue
        start = frame.body.rfind(b"\n", 0, match.start()) + 1
        if start == last:
            continue
        last = start
        try:
            record = decode_record(frame.body[start : frame.body.find(b"\n", match.end())])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if record.run is not None and record.run[0] in wanted:
            yield record


def _ways(record: Record) -> tuple[str | None, ...]:
    """What all rows of a run have in common."""
    return (record.writer, record.request, record.model, record.version, record.bundle, record.policies, record.role)


def _tell(wanted: Mapping[str, RecordedRun], finding: str) -> None:
    for run in wanted.values():
        run.findings.append(finding)
