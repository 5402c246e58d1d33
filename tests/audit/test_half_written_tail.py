"""A frame that is only half there at the end of a blob: the service or a copy broke off in the middle of it."""

from __future__ import annotations

import pytest

from audit.browse import Filter, newest
from audit.errors import Ambiguous
from audit.known_ids import KnownIds
from audit.lookup import find
from audit.memory_store import MemoryStore
from audit.reader import blobs, read_blob
from audit.seal import seal_hour
from audit.verify import verify
from tests.audit.examples import HOUR, NOON_S, WRITER, appender, copy_with, ids, lines, log_of
from tests.audit.writers import writer_on

BLOB = f"log/v1/{HOUR}/{WRITER}-0.jsonl"
LATER_S = NOON_S + 100 * 3600


def torn_log(share: float) -> MemoryStore:
    """Records a and b, and so much of the frame that holds c."""
    whole = log_of(["a"], ["b"], ["c"], close=False)
    last = read_blob(whole, BLOB).frames[-1]
    return copy_with(whole, {BLOB: whole.read(BLOB, 0, last.offset + round((last.end - last.offset) * share))})


class TornStore(MemoryStore):
    """Keeps only half of the append whose number comes up, and does not answer; all others go well."""

    def __init__(self, torn: int) -> None:
        super().__init__()
        self._left = torn

    def append(self, name: str, data: bytes, at: int) -> None:
        self._left -= 1
        if self._left == 0:
            super().append(name, data[: len(data) // 2], at)
            raise Ambiguous("the reply was lost")
        super().append(name, data, at)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
class TestATornTail:
    """Of a blob that nobody writes to any more."""

    def test_whoever_reads_gets_what_is_whole(self, share: float) -> None:
        store = torn_log(share)
        assert ids(store) == ["a", "b"]
        assert [record.id for record, _ in newest(store, Filter(), 10)] == ["b", "a"]
        assert len(find(store, "b")) == 1
        assert find(store, "c") == []
        assert KnownIds(store, clock=lambda: NOON_S).known("wine", ["a", "b", "c"]) == {"a", "b"}

    def test_verify_names_it_at_once_and_for_ever(self, share: float) -> None:
        store = torn_log(share)
        for now_s in (NOON_S, LATER_S):
            (finding,) = verify(store, now_s=now_s)
            assert (finding.blob, finding.what) == (BLOB, "torn")
            assert "at offset" in finding.detail

    def test_sealing_leaves_it_as_evidence(self, share: float) -> None:
        store = torn_log(share)
        before = store.read(BLOB)
        assert seal_hour(store, HOUR) == []
        assert store.read(BLOB) == before

    def test_a_new_writer_is_not_concerned(self, share: float) -> None:
        store = torn_log(share)
        assert appender(store, writer="new").append(lines("d")).blob == f"log/v1/{HOUR}/new-0.jsonl"
        assert ids(store) == ["a", "b", "d"]
        assert [finding.blob for finding in verify(store, now_s=NOON_S)] == [BLOB]


@pytest.mark.parametrize("torn", [1, 2, 3, 4])
def test_a_writer_whose_append_was_torn_goes_on_in_a_new_blob_with_the_same_records(torn: int) -> None:
    """Its first append is that of the `open` frame."""
    store = TornStore(torn)
    writer = writer_on(store, give_up_s=5, resolve_s=5)
    receipts = [writer.commit_blocking(lines(name), 10)[0] for name in ("a", "b", "c")]
    writer.close()
    (hour,) = {receipt.blob.rpartition("/")[0] for receipt in receipts}
    assert ids(store) == ["a", "b", "c"]
    first, second = (info.name for info in blobs(store, hour.removeprefix("log/v1/")))
    assert [receipt.blob for receipt in receipts] == [first] * (torn - 2) + [second] * (3 - max(0, torn - 2))
    assert [(finding.blob, finding.what) for finding in verify(store)] == [(first, "torn")]
