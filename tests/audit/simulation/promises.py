"""What must hold when a seed has ended, whatever befell it; each broken promise is a line of text.

- A recorded commit is in the log exactly once, in order, in the frames that its receipts name. One whose outcome is
  unknown is there at most once, in order; a refused one is not. Deferred lines are there at most once, in the order of
  handing over, and none is missing that a writer which ended in order does not say it gave up.
- Nobody who handed something to a writer that was not killed still waits.
- `verify` finds nothing: every blob verifies to its end and is closed, numbers and links between blobs are whole, each
  receipt's frame is there, and so are the digests.
- A writer never goes back to an hour that it left.
- Digests are signed and chained, every hour has one, and every blob is in exactly one, as it is stored. (The signature
  is a quick one, which `verify` does not know; the rest is looked at here once more.)
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from audit.appender import Receipt
from audit.digest import SignedDigest, decode_digest, digest_name, encode_digest, sha256_of
from audit.digest_log import digest_hours
from audit.errors import Ambiguous
from audit.frames import ZERO_HEAD
from audit.layout import hour_start_s, parse_name
from audit.reader import BlobReader
from audit.receipts import KeptReceipts
from audit.verify import verify
from tests.audit.simulation.clients import id_of
from tests.audit.simulation.timers import QuickSigner
from tests.audit.simulation.world import Handed, Process, World

_HOUR_S = 3600


class Place(NamedTuple):
    """Where a line stands; places of one writer sort as they were written."""

    n: int
    sequence: int
    line: int
    blob: str
    head: str


class Log:
    """The log as `audit.reader` reads it."""

    def __init__(self, world: World) -> None:
        self.places: dict[bytes, list[Place]] = {}
        self.troubles: list[str] = []
        self.hours: dict[str, list[tuple[int, str]]] = {}
        for info in world.memory.list("log/"):
            self._read(world, info.name)

    def _read(self, world: World, blob: str) -> None:
        name = parse_name(blob)
        assert name, blob
        self.hours.setdefault(name.writer, []).append((name.n, name.hour))
        reader = BlobReader(world.memory, blob)
        for frame in reader:
            if frame.kind == "records":
                for number, line in enumerate(frame.lines):
                    place = Place(name.n, frame.sequence, number, blob, frame.head)
                    self.places.setdefault(id_of(line), []).append(place)
        if reader.finding or not reader.closed:
            self.troubles.append(f"{blob}: {reader.finding or 'not closed'}")


def broken_promises(world: World) -> tuple[list[str], Counter[str]]:
    """Every promise that does not hold, and how many commits heard what."""
    log, heard = Log(world), Counter[str]()
    broken = [*world.broken, *log.troubles]
    broken += [
        f"an error that nobody caught: {type(problem).__name__}: {problem}" for problem in world.schedule.trouble
    ]
    if world.schedule.asleep or world.schedule.overrun:
        broken.append("it does not come to rest")
    for process in world.processes:
        for handed in process.handed:
            kind = _heard(handed)
            heard[kind] += 1
            broken += _wrong(handed, kind, log)
        broken += _deferred(process, log)
    known = sum(len(handed.ids) for process in world.processes for handed in process.handed)
    if len(log.places) > known:
        broken.append("there are ids in the log that nobody handed over")
    found = verify(world.memory, now_s=world.now_s(), receipts=KeptReceipts(_all_receipts(world)))
    broken += [f"{finding.blob}: {finding.what}: {finding.detail}" for finding in found]
    broken += _gone_back(log)
    broken += _digests(world)
    return broken, heard


def _all_receipts(world: World) -> Iterator[Receipt]:
    """Whatever clients were given, `verify` must find."""
    for process in world.processes:
        for handed in process.handed:
            if _heard(handed) == "recorded" and handed.commit:
                yield from handed.commit.receipts


def _heard(handed: Handed) -> str:
    if handed.refused:
        return "refused"
    if not handed.commit:
        return "deferred"
    future = handed.commit.future
    if not future.done():
        return "unknown, killed" if not handed.writer.alive else "waiting"
    problem = future.exception()
    if problem is None:
        return "recorded"
    return "unknown" if isinstance(problem, Ambiguous) else "refused"


def _wrong(handed: Handed, kind: str, log: Log) -> Iterator[str]:
    places = [log.places.get(name, []) for name in handed.ids]
    first = handed.ids[0].decode()
    if kind == "waiting":
        yield f"{first} was neither recorded nor refused, and still waits"
    if any(len(found) > 1 for found in places):
        yield f"{first} ({kind}) is in the log twice: {places}"
    if kind == "refused" and any(places):
        yield f"{first} was refused and is in the log: {places}"
    if kind == "recorded":
        if not all(places):
            yield f"{first} was recorded and is not all in the log: {places}"
        yield from _receipts(handed, places, first)
    if handed.commit:
        yield from _out_of_order(handed.ids, log)


def _deferred(process: Process, log: Log) -> Iterator[str]:
    """Those of a process together: in their order, and none is missing that was not given up."""
    taken = [name for handed in process.handed if not handed.commit and not handed.refused for name in handed.ids]
    yield from _out_of_order(taken, log)
    missing = sum(name not in log.places for name in taken)
    if process.given_up is not None and missing > process.given_up:
        yield f"{process.name} says that it gave up {process.given_up} deferred lines, and {missing} are missing"


def _receipts(handed: Handed, places: list[list[Place]], first: str) -> Iterator[str]:
    """They name the frames that hold the lines, each once, in order."""
    assert handed.commit
    found = dict.fromkeys((place.blob, place.sequence, place.head) for some in places for place in some)
    told = [(receipt.blob, receipt.sequence, receipt.head) for receipt in handed.commit.receipts]
    if list(found) != told:
        yield f"{first} has receipts {told} and is in {list(found)}"


def _out_of_order(ids: list[bytes], log: Log) -> Iterator[str]:
    found = [log.places[name][0] for name in ids if name in log.places]
    if found != sorted(found):
        yield f"the lines from {ids[0].decode()} on are not in their order"


def _gone_back(log: Log) -> Iterator[str]:
    for writer, named in log.hours.items():
        for (_, before), (n, hour) in pairwise(sorted(named)):
            if hour < before:
                yield f"{writer} goes back from hour {before} to {hour} with its blob {n}"


def _digests(world: World) -> Iterator[str]:
    found, previous, at_s = list[SignedDigest](), ZERO_HEAD, None
    for hour in digest_hours(world.memory):
        data = world.memory.read(digest_name(hour))
        signed = decode_digest(data, hour)
        if data != encode_digest(signed.digest, QuickSigner()):
            yield f"the digest of {hour} is not signed as it should be"
        start_s = hour_start_s(hour) or 0
        if at_s is not None and start_s != at_s + _HOUR_S:
            yield f"there is no digest of the hour before {hour}"
        if signed.digest.previous != previous:
            yield f"the digest of {hour} does not name the one before"
        found, previous, at_s = [*found, signed], sha256_of(data), start_s
    yield from _digested(world, found)


def _digested(world: World, digests: list[SignedDigest]) -> Iterator[str]:
    stored = {info.name: info.size_bytes for info in world.memory.list("log/")}
    listed = Counter[str]()
    for signed in digests:
        for blob in (*signed.digest.blobs, *signed.digest.late):
            listed[blob.name] += 1
            data = world.memory.read(blob.name)
            if (blob.length, blob.sha256, blob.closed) != (len(data), hashlib.sha256(data).hexdigest(), True):
                yield f"{blob.name} is not as the digest of {signed.digest.hour} says"
    for name in stored:
        if listed[name] != 1:
            yield f"{name} is in {listed[name]} digests"
