"""One writer's blobs, one append after the other; what to do when an append's outcome is not known.

No threads and no waiting in here: every method makes one attempt and says how it went, so that all ways it can go can
be played through. `LogWriter` adds the queue, the thread and the patience.

Every append expects the blob to be exactly as long as it was left, and a frame's bytes never change once they were
sent. So a lost reply is settled by sending the same bytes to the same position again: either they go in now, or the
store says 412 and the blob holds what won that position: the same bytes (they were in), a `close` (this writer was
fenced; the records go to its next blob), or something else. While it is not settled nothing else is sent. `refuse`
settles it the other way: a `close` at that position; exactly one of the two gets in.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from audit.errors import Ambiguous, AuditError, Conflict, Exists, Fenced, NotFound, Unavailable
from audit.frames import FrameKind, Opening, Place, encode_frame, is_close
from audit.guarded_store import GuardedStore
from audit.layout import LogName, check_writer_id, hour_of
from audit.store import Store

_MOST_BLOBS_TRIED = 8
_log = logging.getLogger(__name__)


class Receipt(msgspec.Struct, frozen=True):
    """Proof for a client: its records are in this frame of this blob, whose head is this."""

    blob: str
    sequence: int
    head: str


@dataclass(frozen=True)
class _Frame:
    """Bytes that were or will be sent to one position."""

    kind: FrameKind
    data: bytes
    head: str


@dataclass
class _Blob:
    name: str
    hour: str
    place: Place
    created: bool = False
    create_unsure: bool = False  # a create's reply was lost
    opening: _Frame | None = None  # until it is in


class Appender:
    """Appends frames of records to blobs of its own. Not thread-safe: one thread uses it."""

    def __init__(
        self,
        store: Store,
        *,
        writer_id: str,
        opening: Mapping[str, str],
        clock: Callable[[], float] = time.time,
        blob_blocks: int = 40_000,
    ) -> None:
        self._store = GuardedStore(store)
        self._writer_id = check_writer_id(writer_id)
        self._about = dict(opening)
        self._clock = clock
        self._blob_blocks = blob_blocks
        self._blob: _Blob | None = None
        self._pending: _Frame | None = None
        self._next_n = 0
        self._hour = ""
        self._last: Receipt | None = None
        self._append_us = 0

    @property
    def pending(self) -> bool:
        """Whether it is unknown if the last records are in."""
        return self._pending is not None

    def append(self, lines: Sequence[bytes]) -> Receipt:
        """One attempt to append one frame of records, after opening a blob if needed.

        `Unavailable`: none of it is in. `Ambiguous`: it may be; now `pending`, to be settled by `resolve` or `refuse`.
        """
        if self._pending:
            raise Ambiguous("the outcome of the append before is not known yet")
        for _ in range(_MOST_BLOBS_TRIED):
            blob = self._ready_blob()
            frame = self._frame(blob, "records", lines)
            try:
                return self._send(blob, frame)
            except Ambiguous:
                self._pending = frame
                raise
            except Fenced as fence:
                self._abandon(blob, fence)
        raise Unavailable("blob after blob was closed by somebody else; is an hour sealed before it is over?")

    def resolve(self) -> Receipt | None:
        """One attempt to settle the pending frame by sending it again.

        A receipt: it is in. `None`: it is not and never will be, append its records anew. `Ambiguous`: still unknown.
        """
        blob, frame = self._unsettled()
        try:
            receipt = self._send(blob, frame)
        except Fenced as fence:
            self._pending = None
            self._abandon(blob, fence)
            return None
        except Unavailable as problem:
            raise Ambiguous(str(problem)) from problem
        self._pending = None
        return receipt

    def refuse(self) -> Receipt | None:
        """One attempt to settle the pending frame by closing the blob at its position; answers as `resolve` does."""
        blob, frame = self._unsettled()
        close = self._frame(blob, "close", [])
        try:
            self._send(blob, close)
        except Fenced as fence:
            if self._holds(blob, frame):
                self._pending = None
                return self._advance(blob, frame)
            self._abandon(blob, fence)
        except Unavailable as problem:
            raise Ambiguous(str(problem)) from problem
        self._pending = None
        self._blob = None
        return None

    def probe(self) -> None:
        """Learn whether the store can be reached, at no cost to the log: open a blob, or ask how long ours is."""
        blob = self._ready_blob()
        try:
            self._store.size(blob.name)
        except NotFound as problem:
            self._abandon(blob, problem)

    def leave_past_hour(self) -> None:
        """Close the blob if its hour is over."""
        if self._blob and self._blob.hour < hour_of(self._clock()):
            self.leave()

    def leave(self) -> None:
        """End the blob with a `close` frame, in one attempt: where it fails, sealing the hour does it."""
        blob = self._blob
        if blob is None or self._pending or blob.opening or not blob.created:
            return  # a blob that could not be opened yet keeps its number: a gap would look like a blob taken away
        self._blob = None
        try:
            self._send(blob, self._frame(blob, "close", []))
        except AuditError as problem:
            _log.warning("%s stays open until its hour is sealed: %s", blob.name, problem)

    def _ready_blob(self) -> _Blob:
        """A blob with its `open` frame in. `Unavailable` if there can be none now; its records were not sent then."""
        self._hour = max(self._hour, hour_of(self._clock()))  # a clock that is set back opens no blob in the past
        blob = self._blob
        if blob and not blob.opening and (blob.hour != self._hour or blob.place.sequence >= self._blob_blocks):
            self.leave()
        for _ in range(_MOST_BLOBS_TRIED):
            blob = self._blob = self._blob or self._new_blob()
            try:
                self._open(blob)
            except Ambiguous as problem:
                raise Unavailable(f"{blob.name} cannot be opened: {problem}") from problem
            except (Exists, Fenced) as problem:
                self._abandon(blob, problem)
            else:
                return blob
        raise Unavailable(f"no blob can be opened as {self._writer_id}: such blobs are there already")

    def _new_blob(self) -> _Blob:
        name = LogName(self._hour, self._writer_id, self._next_n)
        self._next_n += 1
        return _Blob(str(name), name.hour, Place())

    def _open(self, blob: _Blob) -> None:
        if not blob.created:
            self._create(blob)
        if blob.opening:
            self._send(blob, blob.opening)
            blob.opening = None

    def _create(self, blob: _Blob) -> None:
        try:
            self._store.create(blob.name)
        except Ambiguous:
            blob.create_unsure = True
            raise
        except Exists as refusal:
            if not blob.create_unsure:
                self._check_exists(blob, refusal)
                raise
        blob.created = True
        last = self._last
        line = msgspec.json.encode(
            Opening(
                writer=self._writer_id,
                previous_blob=last.blob if last else None,
                previous_head=last.head if last else None,
                about=self._about,
            )
        )
        blob.opening = self._frame(blob, "open", [line])

    def _check_exists(self, blob: _Blob, refusal: Exists) -> None:
        """`Unavailable` if there is no such blob: a number left out would look like a blob taken away."""
        try:
            self._store.size(blob.name)
        except NotFound:
            raise Unavailable(f"refused as if it were there, and it is not there: {refusal}") from refusal

    def _frame(self, blob: _Blob, kind: FrameKind, lines: Sequence[bytes]) -> _Frame:
        place = blob.place
        data, head = encode_frame(kind, blob.name, place.offset, place.sequence, lines, place.previous, self._append_us)
        return _Frame(kind, data, head)

    def _send(self, blob: _Blob, frame: _Frame) -> Receipt:
        """One append. `Fenced` when this frame is not in the blob and never will be."""
        started_ns = time.perf_counter_ns()
        try:
            self._store.append(blob.name, frame.data, at=blob.place.offset)
        except Conflict as refusal:
            self._judge_conflict(blob, frame, refusal)
        except NotFound as problem:
            raise Fenced(f"{blob.name} is gone") from problem
        self._append_us = (time.perf_counter_ns() - started_ns) // 1000
        return self._advance(blob, frame)

    def _judge_conflict(self, blob: _Blob, frame: _Frame, refusal: Conflict) -> None:
        """Returns if the frame is in the blob, raises `Fenced` if it cannot be, `Ambiguous` if that is not known."""
        offset = blob.place.offset
        try:
            found = self._store.read(blob.name, offset, len(frame.data))
            size_bytes = offset + len(found) if found else self._store.size(blob.name)
        except NotFound as problem:
            raise Fenced(f"{blob.name} is gone") from problem
        except Unavailable as problem:  # a proxy may have sent it twice: then it is in
            raise Ambiguous(f"refused at offset {offset}, and why cannot be read: {problem}") from problem
        if found == frame.data:
            return
        if size_bytes == offset:
            raise Ambiguous(
                f"refused at offset {offset}, which is its length: {refusal}"
            )  # a lease, an immutability policy
        if is_close(found, blob.name, blob.place):
            raise Fenced(f"{blob.name} was closed by somebody else at offset {offset}")
        raise Fenced(f"{blob.name} is not as this writer left it: other bytes, or none, at offset {offset}")

    def _holds(self, blob: _Blob, frame: _Frame) -> bool:
        try:
            return self._store.read(blob.name, blob.place.offset, len(frame.data)) == frame.data
        except NotFound:
            return False
        except Unavailable as problem:
            raise Ambiguous(str(problem)) from problem

    def _advance(self, blob: _Blob, frame: _Frame) -> Receipt:
        receipt = Receipt(blob.name, blob.place.sequence, frame.head)
        blob.place = Place(blob.place.offset + len(frame.data), blob.place.sequence + 1, frame.head)
        self._last = receipt
        return receipt

    def _abandon(self, blob: _Blob, problem: Exception) -> None:
        _log.warning("going on in a new blob: %s", problem)
        if self._blob is blob:
            self._blob = None

    def _unsettled(self) -> tuple[_Blob, _Frame]:
        if self._blob is None or self._pending is None:
            raise RuntimeError("no append is pending")
        return self._blob, self._pending
