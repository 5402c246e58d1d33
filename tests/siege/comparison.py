"""What clients were told against what the log holds, record by record."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from audit.appender import Receipt
from audit.reader import BlobReader, blobs, frame_records, hours
from audit.store import Store
from tests.siege.ledger import PROMISES, Sent, Told, fingerprint_of_record

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Place:
    """A record in the log: the frame that holds it, and what it says."""

    frame: Receipt
    answer: bytes


@dataclass
class Comparison:
    """`logged`: by kind of answer, how many records are in the log 0, 1, 2 … times. `violations` name the ids."""

    logged: dict[Told, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    violations: list[str] = field(default_factory=list)


def compare(log: Store, sent: Iterable[Sent], progress: Progress | None = None) -> Comparison:
    """Every promise that was broken. `progress` is told how many records were read so far."""
    places = _places(log, progress)
    result = Comparison()
    for request in sent:
        found = [places.pop(name, []) for name in request.ids]
        result.logged[request.told].update(map(len, found))
        result.violations += _miscounted(request, found)
        if request.told == "acknowledged":
            result.violations += _otherwise(request, found)
    result.violations += [f"{name}: in the log, and no client sent it" for name in places]
    return result


def _places(log: Store, progress: Progress | None) -> dict[str, list[Place]]:
    places: dict[str, list[Place]] = defaultdict(list)
    count = 0
    for hour in hours(log):
        for info in blobs(log, hour):
            for frame in BlobReader(log, info.name):
                receipt = Receipt(frame.blob, frame.sequence, frame.head)
                for record, _ in frame_records(frame):
                    places[record.id].append(Place(receipt, fingerprint_of_record(record)))
                    count += 1
                if progress:
                    progress(count)
    return places


def _miscounted(request: Sent, found: list[list[Place]]) -> Iterator[str]:
    promise = PROMISES[request.told]
    for name, places in zip(request.ids, found, strict=True):
        if not promise.least <= len(places) <= promise.most:
            yield f"{name}: {request.told}, and {len(places)} times in the log"


def _otherwise(request: Sent, found: list[list[Place]]) -> Iterator[str]:
    """Of what was acknowledged, what is in other frames than the receipts say, or says otherwise than the answer."""
    idle = set(request.receipts)
    for number, (name, places) in enumerate(zip(request.ids, found, strict=True)):
        for place in places:
            idle.discard(place.frame)
            if place.frame not in request.receipts:
                yield f"{name}: in frame {place.frame.sequence} of {place.frame.blob}, which its receipt does not name"
            if request.answers and place.answer != request.answers[number]:
                yield f"{name}: its record says otherwise than its answer"
    for receipt in idle:
        yield f"{request.ids[0]}: its receipt names frame {receipt.sequence} of {receipt.blob}, which does not hold it"
