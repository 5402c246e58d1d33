"""A run of the model, found again in the log: the records of all its rows, in the order of the run.

A row's bits depend on the batch that it was run in, so a replay needs them all. They went to the log in one commit, in
the order of the run. A small commit is in one frame; a large one, and a challenger's, lies in several, between other
requests' records, and in the writer's next blob if the hour changed meanwhile or the writer was fenced. So the blob of
one of them is read first, then its writer's next, or those before it, as long as rows are missing and at most
`_NEIGHBOURS` in either direction. Only lines that hold the id of a wanted run are decoded, each once.

A record says itself of which run it is and how large that was, and whoever may write the log writes what they like. So
no more rows are held than a run can have, no more bytes than `ReplayLimits` allows, and of two records that claim one
row none is chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

import msgspec

from audit.errors import NotFound
from audit.layout import LOG, day_prefixes, hour_start_s, parse_name
from audit.reader import BlobReader, Frame, Position
from audit.records import Record, decode_record
from audit.store import Store
from scoring.inference import MOST_ROWS
from scoring.replay_limits import ReplayLimits
from scoring.replay_result import CannotReplay

_NEIGHBOURS = 4  # a writer that is fenced again and again leaves a blob each time
_DAY_S = 86_400
_SHOWN = 5
_RUN = re.compile(rb'"run":\["([^"\\]{1,128})"')


class RecordedRun:
    """The rows of one run as far as they were found, at first none.

    `record` is one of its rows, or says as much of it; `blob` is where that lies, at `place` in the run.
    """

    def __init__(self, record: Record, blob: str, limits: ReplayLimits | None = None) -> None:
        assert record.run is not None, "only what was run has a run"
        self.id, self.place, self.size = record.run
        self.blob = blob
        self.rows: dict[int, Record] = {}
        self.findings: list[str] = []  # where the log did not verify any further
        self.lacks_room = False  # whether its rows were let go, since too many bytes were held
        self._record = record
        self._positions: dict[int, Position] = {}
        self._limits = limits or ReplayLimits()
        self._held_bytes = 0
        self._ways = _ways(record)
        self._unclear = None if 0 <= self.place < self.size <= MOST_ROWS else self.place

    @property
    def complete(self) -> bool:
        """Whether nothing is to be looked for any more: every row is there, or one of them is not clear."""
        return self._unclear is not None or len(self.rows) >= self.size

    def add(self, record: Record, position: Position, size_bytes: int) -> None:
        """Take a record, a line of so many bytes, if it is one of this run's rows."""
        if record.kind != "score" or record.run is None or record.run[0] != self.id or self._unclear is not None:
            return
        _, place, size = record.run
        if size != self.size or not 0 <= place < size or _ways(record) != self._ways:
            self._unclear = place
        elif place in self.rows:
            self._unclear = None if self.rows[place] == record else place
        elif not self.lacks_room:
            self._hold(place, record, position, size_bytes)

    def records(self) -> list[Record]:
        """The rows in the order of the run; raises `CannotReplay` if they are not all there and of one kind."""
        if self._unclear is not None:
            raise _contradiction(self.id, self._unclear)
        if self.lacks_room:
            raise CannotReplay("run_too_large", "The records of its run are more than a replay holds at once.")
        if not self.complete:
            raise CannotReplay("run_incomplete", self._missing())
        return [self.rows[place] for place in range(self.size)]

    def check(self, record: Record, position: Position) -> None:
        """`CannotReplay` if another record stands in the place of this one: the same words elsewhere in the log too,
        since their input may be another."""
        place = record.run[1] if record.run is not None else -1
        if self._positions.get(place) != position or _told(self.rows[place]) != _told(record):
            raise _contradiction(self.id, place)

    def let_go(self) -> None:
        """Hold no rows any more."""
        self.rows.clear()
        self._positions.clear()
        self._limits.give_back(self._held_bytes)
        self._held_bytes = 0

    def anew(self) -> RecordedRun:
        """The same run, of which nothing was found yet."""
        return RecordedRun(self._record, self.blob, self._limits)

    def _hold(self, place: int, record: Record, position: Position, size_bytes: int) -> None:
        if not self._limits.take(size_bytes):
            self.lacks_room = True
            self.let_go()
            return
        self._held_bytes += size_bytes
        self.rows[place], self._positions[place] = record, position

    def lacks(self, direction: int) -> bool:
        """Whether rows are missing that would lie after the one that it was looked up for (1), or before it (-1)."""
        if self.lacks_room or self.complete:
            return False
        if direction < 0:
            return sum(found < self.place for found in self.rows) < self.place
        return sum(found >= self.place for found in self.rows) < self.size - self.place

    def _missing(self) -> str:
        absent = [place for place in range(min(self.size, len(self.rows) + _SHOWN)) if place not in self.rows][:_SHOWN]
        rest = self.size - len(self.rows) - len(absent)
        named = ", ".join(map(str, absent)) + (f" and {rest} more" if rest > 0 else "")
        where = f" Reading stopped in {self.findings[0]}." if self.findings else ""
        return f"Of the {self.size} rows of its run the log does not hold {named} (counted from 0).{where}"


def collect(
    log: Store, blob: str, wanted: dict[str, RecordedRun], limits: ReplayLimits | None = None
) -> Iterator[RecordedRun]:
    """Read a blob into the runs that are wanted; yields each that is complete and takes it out of `wanted`, so that
    no more rows are held than those of runs under way. Ends early when time is up."""
    reader = BlobReader(log, blob)
    names = {run_id.encode() for run_id in wanted}
    try:
        for frame in reader:
            if limits is not None and limits.is_over():
                return
            for record, position, size_bytes in _rows(frame, names):
                run = wanted.get(record.run[0]) if record.run is not None else None
                if run is None:
                    continue
                run.add(record, position, size_bytes)
                if run.complete:
                    names.discard(run.id.encode())
                    yield wanted.pop(run.id)
            if not wanted:
                return
    except NotFound:
        _tell(wanted, f"{blob}: it is not there any more")
    if reader.finding is not None:
        _tell(wanted, f"{blob} {reader.finding}")


def collect_around(
    log: Store, blob: str, wanted: dict[str, RecordedRun], limits: ReplayLimits | None = None
) -> Iterator[RecordedRun]:
    """The same for rows that are still missing, from the blobs around the one that the runs were looked up in."""
    for direction in (1, -1):
        if not any(run.lacks(direction) for run in wanted.values()):
            continue
        for name in _neighbours(log, blob, direction):
            for run in collect(log, name, {key: run for key, run in wanted.items() if run.lacks(direction)}, limits):
                yield wanted.pop(run.id)


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


def _rows(frame: Frame, names: AbstractSet[bytes]) -> Iterator[tuple[Record, Position, int]]:
    """The records of a frame that may belong to runs of these ids, where they stand, and the bytes of their lines: a
    client's text may look like a run, and as often as there is room in a line, so that each line is looked at once."""
    if frame.kind != "records":
        return
    end = number = counted = 0  # of the last line that was decoded; of the line at `counted`
    for match in _RUN.finditer(frame.body):
        if match[1] not in names or match.start() < end:
            continue
        start = frame.body.rfind(b"\n", end, match.start()) + 1
        end = frame.body.find(b"\n", match.end())
        number, counted = number + frame.body.count(b"\n", counted, start), start
        try:
            record = decode_record(frame.body[start:end])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        yield record, Position(frame.blob, frame.sequence, number), end - start


def _ways(record: Record) -> tuple[str | None, ...]:
    """What all rows of a run have in common."""
    return (record.writer, record.request, record.model, record.version, record.bundle, record.policies, record.role)


def _told(record: Record) -> tuple[object, ...]:
    """By what two records that claim the same row are told apart, without `x`, `flags` and `us`."""
    return (record.id, record.ts, record.row, record.rows, record.outcome, record.reasons, record.y, record.run)


def _contradiction(run_id: str, place: int) -> CannotReplay:
    sentence = f"The log holds records that contradict each other about row {place} of the run {run_id}."
    return CannotReplay("run_unclear", sentence)


def _tell(wanted: Mapping[str, RecordedRun], finding: str) -> None:
    for run in wanted.values():
        run.findings.append(finding)
