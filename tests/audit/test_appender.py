"""Every way an append can end, and that each record is in the log once if and only if we said so."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audit.appender import Appender, Receipt
from audit.errors import Ambiguous, Exists, Unavailable
from audit.memory_store import MemoryStore
from audit.reader import blobs, read_blob
from audit.seal import seal_hour
from audit.verify import verify
from tests.audit.examples import HOUR, NOON_S, WRITER, Clock, appender, ids, lines
from tests.audit.faulty_store import Fate, FaultyStore

BLOB = f"log/v1/{HOUR}/{WRITER}-0.jsonl"
NEXT = f"log/v1/{HOUR}/{WRITER}-1.jsonl"


def opened(fates: Sequence[Fate] = ()) -> tuple[MemoryStore, FaultyStore, Appender]:
    """A store, the same store with these fates from now on, and an appender with its first record in."""
    store = MemoryStore()
    faulty = FaultyStore(store)
    writer = appender(faulty)
    writer.append(lines("first"))
    faulty.fates.extend(fates)
    return store, faulty, writer


def clean(store: MemoryStore) -> bool:
    return verify(store, now_s=NOON_S) == []


def test_a_receipt_names_the_frame() -> None:
    store = MemoryStore()
    receipt = appender(store).append(lines("a", "b"))
    frame = read_blob(store, BLOB).frames[1]
    assert receipt == Receipt(BLOB, 1, frame.head)
    assert ids(store) == ["a", "b"]


def test_an_append_that_never_arrived_is_sent_again_and_is_in_once() -> None:
    store, _, writer = opened(["lost"])
    with pytest.raises(Ambiguous):
        writer.append(lines("a"))
    assert writer.pending
    assert writer.resolve() is not None
    writer.append(lines("b"))
    assert ids(store) == ["first", "a", "b"]
    assert clean(store)


def test_an_append_whose_reply_was_lost_is_recognised_and_not_sent_twice() -> None:
    store, _, writer = opened(["reply lost"])
    with pytest.raises(Ambiguous):
        writer.append(lines("a"))
    receipt = writer.resolve()
    assert receipt is not None
    assert receipt.head == read_blob(store, BLOB).frames[2].head
    writer.append(lines("b"))
    assert ids(store) == ["first", "a", "b"]
    assert clean(store)


def test_an_append_that_arrives_late_is_in_once() -> None:
    store, faulty, writer = opened(["late"])
    with pytest.raises(Ambiguous):
        writer.append(lines("a"))
    assert writer.resolve() is not None
    faulty.deliver_late()
    assert faulty.calls[-1] == "late call refused: Conflict"
    assert ids(store) == ["first", "a"]
    assert clean(store)


def test_while_an_outcome_is_unknown_nothing_else_is_taken() -> None:
    store, faulty, writer = opened(["lost"])
    with pytest.raises(Ambiguous):
        writer.append(lines("a"))
    with pytest.raises(Ambiguous, match="not known yet"):
        writer.append(lines("b"))
    faulty.outage = True
    with pytest.raises(Ambiguous):
        writer.resolve()
    assert writer.pending
    faulty.outage = False
    assert writer.resolve() is not None
    assert ids(store) == ["first", "a"]


def test_refusing_closes_the_blob_so_that_a_late_append_cannot_get_in() -> None:
    store, faulty, writer = opened(["late"])
    with pytest.raises(Ambiguous):
        writer.append(lines("a"))
    assert writer.refuse() is None
    faulty.deliver_late()
    assert ids(store) == ["first"]
    assert writer.append(lines("a")).blob == NEXT
    assert ids(store) == ["first", "a"]
    assert read_blob(store, BLOB).state == "closed"
    assert clean(store)


def test_refusing_what_was_in_after_all_says_so_and_goes_on_in_the_same_blob() -> None:
    store, _, writer = opened(["reply lost"])
    with pytest.raises(Ambiguous):
        writer.append(lines("a"))
    receipt = writer.refuse()
    assert receipt is not None
    assert receipt.sequence == 2
    assert writer.append(lines("b")).blob == BLOB
    assert ids(store) == ["first", "a", "b"]
    assert clean(store)


def test_refusing_may_itself_get_no_reply() -> None:
    store, _, writer = opened(["lost", "reply lost"])
    with pytest.raises(Ambiguous):
        writer.append(lines("a"))
    with pytest.raises(Ambiguous):
        writer.refuse()
    assert writer.pending
    assert writer.refuse() is None
    assert ids(store) == ["first"]
    assert writer.append(lines("b")).blob == NEXT
    assert clean(store)


def test_a_fenced_writer_goes_on_in_a_new_blob_with_the_same_records() -> None:
    store, _, writer = opened()
    assert seal_hour(store, HOUR) == [BLOB]
    receipt = writer.append(lines("a"))
    assert receipt.blob == NEXT
    assert ids(store) == ["first", "a"]
    assert clean(store)


def test_a_writer_fenced_while_an_outcome_is_unknown_learns_that_it_is_not_in() -> None:
    store, faulty, writer = opened(["late"])
    with pytest.raises(Ambiguous):
        writer.append(lines("a"))
    seal_hour(store, HOUR)
    assert writer.resolve() is None
    faulty.deliver_late()
    writer.append(lines("a"))
    assert ids(store) == ["first", "a"]
    assert clean(store)


def test_an_append_that_was_in_before_the_fence_is_recognised() -> None:
    store, _, writer = opened(["reply lost"])
    with pytest.raises(Ambiguous):
        writer.append(lines("a"))
    seal_hour(store, HOUR)
    assert writer.resolve() is not None
    assert writer.append(lines("b")).blob == NEXT
    assert ids(store) == ["first", "a", "b"]
    assert clean(store)


def test_a_store_that_is_down_gets_the_record_later_and_once() -> None:
    store, faulty, writer = opened()
    faulty.outage = True
    for _ in range(3):
        with pytest.raises(Unavailable):
            writer.append(lines("a"))
        assert not writer.pending
    faulty.outage = False
    writer.append(lines("b"))
    assert ids(store) == ["first", "b"]
    assert clean(store)


def test_an_exception_that_no_store_should_let_through_counts_as_a_lost_reply() -> None:
    store, _, writer = opened(["bug"])
    with pytest.raises(Ambiguous, match="unexpected RuntimeError"):
        writer.append(lines("a"))
    assert writer.resolve() is not None
    assert ids(store) == ["first", "a"]


def test_a_conflict_that_cannot_be_looked_into_leaves_it_pending_if_it_was() -> None:
    store, faulty, writer = opened(["reply lost"])
    with pytest.raises(Ambiguous):
        writer.append(lines("a"))
    faulty.reads_fail = 1
    with pytest.raises(Ambiguous):
        writer.resolve()
    assert writer.resolve() is not None
    assert ids(store) == ["first", "a"]


def test_an_append_that_a_proxy_sent_twice_is_recognised() -> None:
    store, _, writer = opened(["twice"])
    assert writer.append(lines("a")).sequence == 2
    writer.append(lines("b"))
    assert ids(store) == ["first", "a", "b"]
    assert clean(store)


def test_a_conflict_that_cannot_be_looked_into_is_not_called_unrecorded() -> None:
    store, faulty, writer = opened(["twice"])
    faulty.reads_fail = 1
    with pytest.raises(Ambiguous, match="cannot be read"):
        writer.append(lines("a"))
    assert writer.pending
    assert writer.resolve() is not None
    writer.append(lines("b"))
    assert ids(store) == ["first", "a", "b"]
    assert clean(store)


def test_a_name_that_is_refused_though_it_is_not_there_leaves_no_gap() -> None:
    class Refusing(MemoryStore):
        refusals = 1

        def create(self, name: str) -> None:
            if self.refusals:
                self.refusals -= 1
                raise Exists(f"{name}: 412")
            super().create(name)

    store = Refusing()
    writer = appender(store)
    with pytest.raises(Unavailable, match="not there"):
        writer.append(lines("a"))
    assert writer.append(lines("a")).blob == BLOB
    assert clean(store)


def test_a_blob_that_somebody_else_wrote_to_is_left_as_it_is() -> None:
    store, _, writer = opened()
    store.append(BLOB, b"junk\n", at=store.size(BLOB))
    assert writer.append(lines("a")).blob == NEXT
    assert ids(store) == ["first", "a"]
    (finding,) = verify(store, now_s=NOON_S)
    assert (finding.blob, finding.what) == (BLOB, "altered")


def test_a_blob_that_was_removed_or_cut_short_is_given_up() -> None:
    store, _, writer = opened()
    store.delete(BLOB)
    assert writer.append(lines("a")).blob == NEXT
    store.delete(NEXT)
    store.create(NEXT)
    third = writer.append(lines("b")).blob
    assert third == f"log/v1/{HOUR}/{WRITER}-2.jsonl"
    assert {finding.what for finding in verify(store, now_s=NOON_S)} == {"missing", "chain"}


@pytest.mark.parametrize("fates", [["reply lost"], ["lost"], ["ok", "lost"], ["ok", "reply lost"], ["down"]])
def test_opening_a_blob_can_fail_at_any_call_and_nothing_of_the_request_is_in(fates: list[Fate]) -> None:
    store = MemoryStore()
    writer = appender(FaultyStore(store, fates))
    with pytest.raises(Unavailable) as refused:
        writer.append(lines("a"))
    assert not isinstance(refused.value, Ambiguous)
    assert ids(store) == []
    assert writer.append(lines("b")).sequence == 1
    assert ids(store) == ["b"]
    assert [info.name for info in blobs(store, HOUR)] == [BLOB]
    assert clean(store)


def test_a_blob_of_that_name_is_never_written_to() -> None:
    store = MemoryStore()
    appender(store).append(lines("old"))
    before = store.read(BLOB)
    assert appender(store).append(lines("new")).blob == NEXT
    assert store.read(BLOB) == before


def test_a_new_hour_opens_a_new_blob_and_closes_the_old_one() -> None:
    store, clock = MemoryStore(), Clock()
    writer = appender(store, clock=clock)
    writer.append(lines("a"))
    clock.now_s += 3600
    receipt = writer.append(lines("b"))
    assert receipt.blob == f"log/v1/2026/11/23/13/{WRITER}-1.jsonl"
    assert read_blob(store, BLOB).state == "closed"
    clock.now_s -= 3600
    assert writer.append(lines("c")).blob == receipt.blob, "a clock set back opens no blob in the past"
    assert clean(store)


def test_an_idle_writer_closes_its_blob_when_the_hour_is_over() -> None:
    store, clock = MemoryStore(), Clock()
    writer = appender(store, clock=clock)
    writer.append(lines("a"))
    writer.leave_past_hour()
    assert read_blob(store, BLOB).state == "open"
    clock.now_s += 3600
    writer.leave_past_hour()
    assert read_blob(store, BLOB).state == "closed"


def test_a_full_blob_is_closed_and_the_next_one_opened() -> None:
    store = MemoryStore()
    writer = appender(store, blob_blocks=3)
    receipts = [writer.append(lines(name)) for name in "abcde"]
    assert [(receipt.blob[-7], receipt.sequence) for receipt in receipts] == [
        ("0", 1), ("0", 2), ("1", 1), ("1", 2), ("2", 1)
    ]  # fmt: skip
    assert ids(store) == list("abcde")
    assert clean(store)


def test_a_close_that_fails_holds_nothing_up_and_sealing_makes_up_for_it() -> None:
    store, clock = MemoryStore(), Clock()
    faulty = FaultyStore(store)
    writer = appender(faulty, clock=clock)
    writer.append(lines("a"))
    clock.now_s += 3600
    faulty.fates.append("lost")
    assert writer.append(lines("b")).blob.endswith("-1.jsonl")
    assert read_blob(store, BLOB).state == "open"
    assert seal_hour(store, HOUR) == [BLOB]
    assert clean(store)


FATES: list[Fate] = ["ok", "down", "lost", "reply lost", "late", "twice", "bug"]
STEPS = st.lists(
    st.sampled_from(["append", "resolve", "refuse", "leave", "seal", "hour", "deliver", "unread"]), max_size=25
)


@settings(max_examples=300)
@example(["append"], ["ok", "ok", "twice"], 1)
@given(STEPS, st.lists(st.sampled_from(FATES), max_size=25), st.integers(0, 2))
def test_whatever_happens_what_was_acknowledged_is_in_once_and_what_was_refused_is_not(
    steps: list[str], fates: list[Fate], reads_fail: int
) -> None:
    store, clock = MemoryStore(), Clock()
    faulty = FaultyStore(store, fates)
    faulty.reads_fail = reads_fail
    writer = appender(faulty, clock=clock)
    acknowledged: list[str] = []
    refused: list[str] = []
    pending = ""

    def settled(receipt: Receipt | None, name: str) -> None:
        (acknowledged if receipt else refused).append(name)

    for number, step in enumerate([*steps, "deliver", "refuse", "deliver"]):
        name = f"id-{number}"
        if number == len(steps):
            faulty.reads_fail = 0
        if step == "append" and not pending:
            try:
                settled(writer.append(lines(name)), name)
            except Ambiguous:
                pending = name
            except Unavailable:
                refused.append(name)
        elif step in {"resolve", "refuse"} and pending:
            try:
                settled(writer.resolve() if step == "resolve" else writer.refuse(), pending)
                pending = ""
            except Ambiguous:
                assert writer.pending
        elif step == "leave" and not pending:
            writer.leave()
        elif step == "seal":
            seal_hour(store, HOUR)
        elif step == "hour":
            clock.now_s += 3600
        elif step == "deliver":
            faulty.deliver_late()
        elif step == "unread":
            faulty.reads_fail += 1

    found = ids(store)
    assert len(found) == len(set(found)), "twice in the log"
    assert set(acknowledged) <= set(found), "lost"
    assert not set(refused) & set(found), "in the log though refused"
    assert verify(store, now_s=NOON_S) == []
