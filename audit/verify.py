"""An independent check of the whole log: what was altered, moved, cut off, added or taken away, and where.

It reads every byte and believes no listing, size or earlier result. For each blob: frames, hashes, positions and chain
(`audit.reader`), readable records, an end. Between blobs: every writer's blobs are numbered without gaps, and every
`open` frame names the head at which the writer's blob before ended.

What hashes alone cannot show: that a writer's newest blob was removed, that the newest frames were cut off a blob that
is not closed yet, or that somebody wrote a whole log anew. For these there must be something outside the container.
"""

from __future__ import annotations

import io
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import msgspec

from audit.errors import NotFound
from audit.frames import Opening, decode_opening
from audit.layout import HOUR_S, LogName, hour_start_s, parse_name
from audit.reader import BlobReader, Frame, in_hours, log_prefixes
from audit.records import decode_record
from audit.store import BlobInfo, Store

_SEALED_BY_S = 2 * HOUR_S  # after an hour's beginning: the hour itself, and one in which it is sealed

_LINES_TOLD = 20  # of a blob's unreadable ones
_LONGEST_TEXT = 300

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, order=True)
class Finding:
    """Something that is not as it should be. `what` is one of the words in audit/README.md."""

    blob: str
    what: str
    detail: str


@dataclass
class _Checked:
    """What is left of a blob after it was read."""

    name: LogName
    opening: Opening | None = None
    ends: frozenset[str] = frozenset()  # heads that the writer may know as the blob's last
    filled: bool = False  # whether it holds records
    sound: bool = True


def verify(
    store: Store,
    since_s: float | None = None,
    until_s: float | None = None,
    *,
    now_s: float | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """Every finding in the hours that overlap [since, until), sorted by blob; an empty list is a log that verifies.

    `progress` is told (blobs read, blobs in all, name). Raises `Unavailable` when it could not read everything.
    """
    now_s = time.time() if now_s is None else now_s
    findings: list[Finding] = []
    ours = _ours(store, since_s, until_s, findings)
    checked: dict[str, _Checked] = {}
    for number, (info, name) in enumerate(ours):
        if progress:
            progress(number, len(ours), info.name)
        checked[info.name] = _check_blob(store, name, now_s, findings)
    if progress:
        progress(len(ours), len(ours), "")
    links = list(_links(store, checked, now_s))
    known_missing = {finding.blob for finding in links if finding.what == "missing"}
    findings += links
    findings += _numbering(checked.values(), known_missing, from_zero=since_s is None)
    return sorted(set(findings))


def _ours(
    store: Store, since_s: float | None, until_s: float | None, findings: list[Finding]
) -> list[tuple[BlobInfo, LogName]]:
    """The log's blobs in that time; whatever else lies among them is a finding."""
    ours = []
    for prefix in ["log/"] if since_s is None else log_prefixes(since_s, until_s):
        for info in store.list(prefix):
            name = parse_name(info.name)
            if name is None:
                findings.append(Finding(info.name, "foreign", "no blob of the log has such a name"))
            elif in_hours(name.hour, since_s, until_s):
                ours.append((info, name))
                if not info.append:
                    findings.append(Finding(info.name, "foreign", "not an append blob: it was put here whole"))
    return ours


def _check_blob(store: Store, name: LogName, now_s: float, findings: list[Finding]) -> _Checked:
    result = _Checked(name)
    reader = BlobReader(store, str(name))
    heads: list[str] = []
    unreadable: list[str] = []
    try:
        for frame in reader:
            heads = [*heads[-1:], frame.head]
            if frame.kind == "open":
                result.opening = decode_opening(frame.body)
            result.filled = result.filled or frame.kind == "records"
            if len(unreadable) < _LINES_TOLD:
                unreadable += islice(_unreadable(frame), _LINES_TOLD - len(unreadable))
    except NotFound:
        findings.append(Finding(str(name), "missing", "it was listed, and gone when it was read"))
        result.sound = False
        return result
    findings += [Finding(str(name), "unreadable", detail) for detail in unreadable]
    if len(unreadable) == _LINES_TOLD:
        findings.append(Finding(str(name), "unreadable", f"after {_LINES_TOLD} such lines no more were looked at"))
    result.ends = frozenset(heads if reader.closed else heads[-1:])
    trouble = _trouble(reader, name, now_s)
    if trouble:
        findings.append(trouble)
        result.sound = trouble.what in ("not closed", "empty")
    if result.opening and result.opening.writer != name.writer:
        findings.append(
            Finding(str(name), "moved", f"its `open` frame names writer {_short(repr(result.opening.writer))}")
        )
    return result


def _trouble(reader: BlobReader, name: LogName, now_s: float) -> Finding | None:
    """Why the blob does not end as it should."""
    if reader.finding:
        return Finding(reader.name, reader.finding_kind, reader.finding)
    if reader.closed or now_s < (hour_start_s(name.hour) or 0) + _SEALED_BY_S:
        return None
    if reader.place.sequence == 0:
        return Finding(reader.name, "empty", "no frame at all, and its hour is long over; sealing the hour closes it")
    return Finding(
        reader.name,
        "not closed",
        f"its hour is long over and it ends after frame {reader.place.sequence - 1} without `close`: the hour was "
        "never sealed, or the end was cut off",
    )


def _unreadable(frame: Frame) -> Iterator[str]:
    if frame.kind != "records":
        return
    for number, line in enumerate(io.BytesIO(frame.body)):  # not all lines at once: 100 MiB may be as many newlines
        try:
            decode_record(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            yield f"frame {frame.sequence}, line {number} is no record: {_short(str(problem))}"


def _numbering(checked: Iterable[_Checked], known_missing: set[str], *, from_zero: bool) -> Iterable[Finding]:
    """A writer counts its blobs from 0 and leaves none out."""
    numbers: dict[str, dict[int, str]] = defaultdict(dict)
    for blob in checked:
        named = numbers[blob.name.writer]
        if blob.name.n in named:
            yield Finding(
                str(blob.name), "extra", f"its writer has a blob of that number already: {named[blob.name.n]}"
            )
        named[blob.name.n] = str(blob.name)
    told = {(name.writer, name.n) for name in map(parse_name, known_missing) if name}
    for writer, named in numbers.items():
        expected = 0 if from_zero else min(named)
        for n in sorted(named):
            if n > expected and not all((writer, absent) in told for absent in range(expected, min(n, expected + 99))):
                which = f"blob {expected}" if n == expected + 1 else f"blobs {expected} to {n - 1}"
                yield Finding(named[n], "missing", f"it follows {which} of writer {writer}, which cannot be found")
            expected = n + 1


def _links(store: Store, checked: dict[str, _Checked], now_s: float) -> Iterable[Finding]:
    writers: dict[str, dict[int, _Checked]] = defaultdict(dict)
    for blob in checked.values():
        writers[blob.name.writer][blob.name.n] = blob
    for name, blob in sorted(checked.items()):
        if blob.opening is None:
            continue
        before = blob.opening.previous_blob
        parsed = parse_name(before) if before is not None else None
        if before is not None and (not parsed or parsed.writer != blob.name.writer or parsed.n >= blob.name.n):
            yield Finding(name, "chain", f"its `open` frame says that it follows {_short(repr(before))}: it cannot")
            continue
        if before is not None:
            yield from _link(before, blob, checked.get(before) or _outside(store, before, now_s))
        yield from _left_out(blob, parsed.n if parsed else -1, writers[blob.name.writer])


def _link(before: str, blob: _Checked, previous: _Checked | None) -> Iterable[Finding]:
    """The blob before must be there, and end where this one's `open` frame says."""
    head = blob.opening.previous_head if blob.opening else None
    if previous is None:
        yield Finding(before, "missing", f"its writer filled it before {blob.name}, which says so; it is not there")
    elif previous.sound and head not in previous.ends:
        yield Finding(
            before, "chain", f"its writer left it at head {_short(str(head))}, as {blob.name} says; it ends otherwise"
        )


def _left_out(blob: _Checked, after: int, named: dict[int, _Checked]) -> Iterable[Finding]:
    """A writer's next blob names the last one that it knows of, and it knows of every one that holds records."""
    for n, other in sorted(named.items()):
        if after < n < blob.name.n and other.filled:
            detail = f"it holds records, but by its `open` frame {blob.name}, which comes later, does not follow it"
            yield Finding(str(other.name), "chain", detail)


def _outside(store: Store, name: str, now_s: float) -> _Checked | None:
    """A blob of an hour that is not verified now, read for its end only."""
    parsed = parse_name(name)
    if parsed is None:
        return None
    try:
        store.size(name)
    except NotFound:
        return None
    return _check_blob(store, parsed, now_s, [])


def _short(text: str) -> str:
    """What stands in the log may be long and hostile; a finding is a line or two."""
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
