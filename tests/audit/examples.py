"""Records, blobs and logs to test with."""

from __future__ import annotations

from collections.abc import Sequence

from audit.appender import Appender
from audit.memory_store import MemoryStore
from audit.reader import Position, records
from audit.records import Record, encode_record, timestamp
from audit.store import Store

NOON_S = 1_795_435_200.0  # 2026-11-23T12:00:00Z
HOUR = "2026/11/23/12"
WRITER = "20261123T120000-00000000"


class Clock:
    """A clock that a test sets."""

    def __init__(self, now_s: float = NOON_S) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


def score(name: str, model: str = "wine", at_s: float = NOON_S, **fields: object) -> Record:
    given: dict[str, object] = {"kind": "score", "outcome": "scored", "x": {"a": 1.5}, "y": {"label": 1}} | fields
    return Record(v=1, id=name, ts=timestamp(at_s), model=model, writer=WRITER, **given)  # type: ignore[arg-type]


def lines(*names: str) -> list[bytes]:
    """One line for each id."""
    return [encode_record(score(name)) for name in names]


def appender(store: Store, writer: str = WRITER, clock: Clock | None = None, blob_blocks: int = 40_000) -> Appender:
    return Appender(store, writer_id=writer, opening={"code": "test"}, clock=clock or Clock(), blob_blocks=blob_blocks)


def log_of(*frames: Sequence[str], close: bool = True) -> MemoryStore:
    """A log of one blob with these ids, frame by frame."""
    store = MemoryStore()
    writer = appender(store)
    for names in frames:
        writer.append(lines(*names))
    if close:
        writer.leave()
    return store


def copy_with(store: MemoryStore, changes: dict[str, bytes | None]) -> MemoryStore:
    """The same log with other bytes in some blobs; `None` takes one away."""
    copy = MemoryStore()
    held: dict[str, bytes | None] = {info.name: store.read(info.name) for info in store.list()}
    for name, data in (held | changes).items():
        if data is not None and name.startswith("digest/"):
            copy.put(name, data, overwrite=False)
        elif data is not None:
            copy.create(name)
            copy.append(name, data, at=0)
    return copy


def only_name(store: Store) -> str:
    (info,) = store.list()
    return info.name


def ids(store: Store) -> list[str]:
    return [record.id for record, _ in records(store)]


def positions(store: Store) -> list[Position]:
    return [position for _, position in records(store)]
