"""Bugs that a log like this may have, each planted in one part of it: the simulator must catch every one of them.

A simulator that finds nothing proves nothing by that alone; one that catches these looks at the right places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from audit.appender import Appender, Receipt, _Blob, _Frame
from audit.commit import Commit, answer
from audit.commit_loop import CommitLoop
from audit.commit_queue import Batch
from audit.digest_writer import write_digests
from audit.errors import Ambiguous, AuditError, Conflict, Fenced, Unavailable
from audit.frames import Place, encode_frame, is_close
from audit.layout import LOG
from audit.reader import BlobReader, blobs
from audit.signing import Signer
from audit.store import BlobInfo, Store
from tests.audit.simulation.world import Parts


class _Through:
    """A store that hands every call on."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, name: str) -> None:
        self._store.create(name)

    def append(self, name: str, data: bytes, at: int) -> None:
        self._store.append(name, data, at)

    def put(self, name: str, data: bytes, *, overwrite: bool, content_type: str = "application/octet-stream") -> None:
        self._store.put(name, data, overwrite=overwrite, content_type=content_type)

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        return self._store.read(name, start, length)

    def size(self, name: str) -> int:
        return self._store.size(name)

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        return self._store.list(prefix)

    def delete(self, name: str) -> None:
        self._store.delete(name)


class RetriesOn(_Through):
    """The SDK appends again when a reply was lost, wherever the blob ends by now, and reports success."""

    def append(self, name: str, data: bytes, at: int) -> None:
        try:
            self._store.append(name, data, at)
        except Ambiguous:
            self._store.append(name, data, self._store.size(name))


class Overwrites(_Through):
    """A digest is stored without the condition that there is none."""

    def put(self, name: str, data: bytes, *, overwrite: bool, content_type: str = "application/octet-stream") -> None:
        self._store.put(name, data, overwrite=True, content_type=content_type)


class NoFence(Appender):
    """A writer that finds a `close` goes on behind it."""

    def _judge_conflict(self, blob: _Blob, frame: _Frame, refusal: Conflict) -> None:
        try:
            super()._judge_conflict(blob, frame, refusal)
        except Fenced:
            found = self._store.read(blob.name, blob.place.offset, 1 << 20)
            if not is_close(found, blob.name, blob.place):
                raise
            self._store.append(blob.name, frame.data, at=blob.place.offset + len(found))


class NoReadBack(Appender):
    """A 412 is taken for a proof that the frame is not in."""

    def _judge_conflict(self, blob: _Blob, frame: _Frame, refusal: Conflict) -> None:
        raise Fenced("412")


class TakesRefusalForSuccess(Appender):
    """A 412 is taken for a proof that the frame is in."""

    def _judge_conflict(self, blob: _Blob, frame: _Frame, refusal: Conflict) -> None:
        return


class NotRead(Appender):
    """A 412 that cannot be looked into is taken for a proof that nothing is in: a bug that was ours."""

    def _judge_conflict(self, blob: _Blob, frame: _Frame, refusal: Conflict) -> None:
        try:
            super()._judge_conflict(blob, frame, refusal)
        except Ambiguous as problem:
            raise Unavailable(str(problem)) from problem


class LeavesNumbersOut(Appender):
    """A blob that is said to be there is taken to be there: a bug that was ours."""

    def _check_exists(self, blob: _Blob, refusal: AuditError) -> None:
        return


class GoesBack(Appender):
    """A clock that is set back opens a blob in an hour that is over."""

    def _ready_blob(self) -> _Blob:
        self._hour = ""
        return super()._ready_blob()


class ForgetsWhatIsPending(Appender):
    """After a lost reply the lines are sent anew, as another frame, instead of the same bytes again."""

    def resolve(self) -> Receipt | None:
        blob, _ = self._unsettled()
        self._pending = None
        self._abandon(blob, Ambiguous("a new blob is safer, is it not"))
        return None


class AnswersEarly(CommitLoop):
    """Callers are answered before the append is certain."""

    def _append(self, lines: Sequence[bytes]) -> Receipt:
        if self._batch:
            answer(self._batch.finished())
        return super()._append(lines)


class GivesUpInDoubt(CommitLoop):
    """When patience ends, what may be in is called not recorded, and no `close` makes it so."""

    def _last_try(self, problem: Unavailable) -> Receipt:
        raise Unavailable(str(problem))


class CallsPartsUnrecorded(CommitLoop):
    """A large commit of which some frames are in is answered as if none were."""

    def _stopped_by(self, batch: Batch) -> list[Commit]:
        commits = super()._stopped_by(batch)
        for commit in commits:
            commit.receipts.clear()
        return commits


class ForgetsInSilence(CommitLoop):
    """Deferred lines of a frame that failed are given up, and nobody counts them."""

    def _say_given_up(self, count: int, why: str) -> None:
        return


def _seal_anywhere(store: Store, hour: str) -> list[str]:
    """A sealer that appends its `close` wherever the blob ends by then."""
    closed = []
    for info in blobs(store, hour):
        reader = BlobReader(store, info.name)
        for _ in reader:
            continue
        if not reader.closed and not reader.finding:
            place: Place = reader.place
            data, _head = encode_frame("close", info.name, place.offset, place.sequence, [], place.previous)
            store.append(info.name, data, at=store.size(info.name))
            closed.append(info.name)
    return closed


class _WithoutLate(_Through):
    """Late blobs are looked for day by day, those of an hour by themselves."""

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        a_day = prefix.startswith(LOG) and len(prefix) == len(f"{LOG}2026/11/23/")
        return iter(()) if a_day else super().list(prefix)


def _forget_late_blobs(store: Store, signer: Signer, now_s: float) -> object:
    """A digest that leaves out the late blobs of earlier hours."""
    return write_digests(_WithoutLate(store), signer, now_s)


def _parts(**parts: Any) -> Parts:
    return Parts(**parts)


PLANTED: dict[str, Parts] = {
    "retries on": _parts(store=RetriesOn),
    "no fence: the writer goes on behind a close": _parts(appender=NoFence),
    "no fence: the sealer has no position condition": _parts(seal=_seal_anywhere),
    "acknowledge early": _parts(loop=AnswersEarly),
    "no read-back: 412 is a failure": _parts(appender=NoReadBack),
    "no read-back: 412 is a success": _parts(appender=TakesRefusalForSuccess),
    "412 that cannot be looked into is a failure (was ours)": _parts(appender=NotRead),
    "409 without a blob leaves its number out (was ours)": _parts(appender=LeavesNumbersOut),
    "a clock set back opens an hour that is over": _parts(appender=GoesBack),
    "a lost reply: the lines are sent as another frame": _parts(appender=ForgetsWhatIsPending),
    "patience ends: in doubt is called not recorded": _parts(loop=GivesUpInDoubt),
    "a commit of which a part is in is called not recorded": _parts(loop=CallsPartsUnrecorded),
    "deferred lines are given up in silence": _parts(loop=ForgetsInSilence),
    "a digest is overwritten": _parts(store=Overwrites),
    "late blobs are in no digest": _parts(digests=_forget_late_blobs),
}
