"""A sample of the instances that a model was run on, each as likely as any other, in one pass over the log.

Only verified frames are read; of a line no more is decoded than decides whether it counts. The reservoir (Vitter 1985,
algorithm R, https://doi.org/10.1145/3147.3165) holds no instance, only what a replay needs to know to find it again, so
that a sample of any log takes little memory. The same log, seed and options give the same sample.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from audit.errors import NotFound
from audit.layout import HOUR_S
from audit.reader import BlobReader, Frame, Position, between, blobs, hours
from audit.records import Record, decode_record
from audit.store import Store

Progress = Callable[[int, int, str], None]  # blobs read, blobs in all, name


@dataclass(frozen=True)
class Sample:
    """What was drawn, by blob and position, and from how many; the records lack `x`, `flags` and `us`."""

    found: list[tuple[Record, Position]]
    of: int


class _Facts(msgspec.Struct):
    """Of a line, what decides whether it counts."""

    kind: str
    ts: str
    model: str
    run: tuple[str, int, int] | None = None


_facts = msgspec.json.Decoder(_Facts)


def sample(
    log: Store,
    count: int,
    seed: int,
    *,
    model: str | None = None,
    since_s: float | None = None,
    until_s: float | None = None,
    progress: Progress | None = None,
) -> Sample:
    """At most `count` of the records that were run, by any version, as champion or challenger."""
    draw, drawn, seen = random.Random(seed), list[tuple[Record, Position]](), 0  # noqa: S311
    for line, position in _lines(log, model, since_s, until_s, progress):
        place = seen if seen < count else draw.randrange(seen + 1)
        if place < count:
            record = _record(line)
            if record is None:
                continue
            drawn[place : place + 1] = [(record, position)]
        seen += 1
    return Sample(sorted(drawn, key=lambda pair: pair[1]), seen)


def _lines(
    log: Store, model: str | None, since_s: float | None, until_s: float | None, progress: Progress | None
) -> Iterator[tuple[bytes, Position]]:
    since, until = between(since_s, until_s)
    listed = hours(log, since_s, None if until_s is None else until_s + HOUR_S)
    names = [info.name for hour in listed for info in blobs(log, hour)]
    for number, name in enumerate(names):
        if progress:
            progress(number, len(names), name)
        for frame in _frames(log, name):
            for line, facts, position in _run_lines(frame):
                in_time = since <= facts.ts and (until is None or facts.ts < until)
                if in_time and model in (None, facts.model):
                    yield line, position


def _frames(log: Store, name: str) -> Iterator[Frame]:
    try:
        yield from BlobReader(log, name)
    except NotFound:
        return  # listed a moment ago; `verify` reports what is gone


def _run_lines(frame: Frame) -> Iterator[tuple[bytes, _Facts, Position]]:
    if frame.kind != "records":
        return
    for number, line in enumerate(io.BytesIO(frame.body)):  # not all lines at once: there may be millions
        try:
            facts = _facts.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if facts.kind == "score" and facts.run is not None:
            yield line, facts, Position(frame.blob, frame.sequence, number)


def _record(line: bytes) -> Record | None:
    try:
        record = decode_record(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return msgspec.structs.replace(record, x=None, flags={}, us={})
