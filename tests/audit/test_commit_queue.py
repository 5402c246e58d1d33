"""Whose turn the next frame is, and that nobody is passed over, cut wrong, or lost. No threads, no store."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.commit import Commit, checked_size
from audit.commit_queue import DEFERRED_FRAME_BYTES, RIDE_BYTES, Batch, CommitQueue
from audit.errors import QueueFull, Unavailable

FRAME = 1000
LINE = 100  # bytes in a frame
SOON = 0.001


def commit(name: str, count: int = 1) -> Commit:
    """A commit of so many lines of 100 bytes, each of which says whose it is and which."""
    lines = [f"{name} {number}".encode().ljust(LINE - 1, b".") for number in range(count)]
    return Commit(lines, checked_size(lines), concurrent.futures.Future(), None)


def queue_of(*commits: Commit, later_s: float = 1000.0) -> CommitQueue:
    queue = CommitQueue(1_000_000, FRAME, later_s=later_s)
    for each in commits:
        queue.put(each)
    return queue


def names(batch: Batch | None) -> list[str]:
    """Whose lines a frame has, in order, each once."""
    assert batch is not None
    return list(dict.fromkeys(line.decode().split()[0] for line in batch.lines))


def frames(queue: CommitQueue) -> Iterator[list[str]]:
    while batch := queue.take(0):
        yield names(batch)


def test_a_small_commit_passes_between_the_frames_of_a_large_one() -> None:
    queue = queue_of(commit("large", 100))
    assert names(queue.take(0)) == ["large"]
    queue.put(commit("small"))
    assert names(queue.take(0)) == ["small"]
    assert names(queue.take(0)) == ["large"]


def test_however_many_small_commits_come_a_large_one_gets_every_second_frame() -> None:
    queue = queue_of(commit("large", 30))
    found = []
    for number in range(12):
        for part in range(3):
            queue.put(commit(f"small-{number}-{part}", 3))
        found.append("large" in names(queue.take(0)))
    assert found == [False, True] * 6, "half a frame each time: 30 lines in six frames of five"


def test_small_commits_ride_along_in_a_frame_of_the_large_one() -> None:
    queue = queue_of(commit("large", 100), commit("a"))
    assert names(queue.take(0)) == ["a"]
    queue.put(commit("b", 2))
    batch = queue.take(0)
    assert names(batch) == ["large", "b"]
    assert batch is not None
    assert (batch.size_bytes, [each.lines[0][:1] for each in batch.finished()]) == (FRAME, [b"b"])


def test_large_commits_are_finished_in_the_order_in_which_they_came() -> None:
    queue = queue_of(commit("first", 25), commit("second", 25))
    assert list(frames(queue)) == [["first"]] * 3 + [["second"]] * 3


def test_a_commit_that_does_not_fit_lets_others_pass_once() -> None:
    queue = queue_of(commit("a", 6), commit("b", 6), commit("c", 3), commit("d", 2))
    assert list(frames(queue)) == [["a", "c"], ["b", "d"]]


def test_a_line_larger_than_a_frame_is_not_held_back_by_small_commits() -> None:
    giant = Commit([b"giant ".ljust(5 * FRAME, b".")], 5 * FRAME + 1, concurrent.futures.Future(), None)
    queue = queue_of(giant, commit("a"))
    assert names(queue.take(0)) == ["a"]
    queue.put(commit("b"))
    assert names(queue.take(0)) == ["giant"]
    assert names(queue.take(0)) == ["b"]


def test_large_commits_leave_room_to_small_ones() -> None:
    queue = CommitQueue(10_000, FRAME)
    queue.put(commit("first", 60))
    with pytest.raises(QueueFull):
        queue.put(commit("second", 30))
    queue.put(commit("second", 27))
    for number in range(13):
        queue.put(commit(f"small-{number}"))
    with pytest.raises(QueueFull):
        queue.put(commit("one more"))


def test_a_commit_of_which_a_part_was_taken_is_not_removed_for_its_age() -> None:
    queue = queue_of(commit("begun", 30), commit("waits", 30))
    queue.take(0)
    queue.put(commit("small"))
    assert [bytes(each.lines[0][:5]) for each in queue.remove_older(time.monotonic())] == [b"small", b"waits"]
    begun = queue.drop_begun()
    assert begun is not None
    assert begun.sent == 10
    assert queue.take(0) is None
    assert queue.drop_begun() is None


def deferred(count: int, size_bytes: int = LINE) -> list[bytes]:
    return [b"later ".ljust(size_bytes - 1, b".")] * count


def test_deferred_lines_ride_along_in_a_small_frame() -> None:
    queue = queue_of()
    queue.put_later(deferred(3))
    assert queue.take(0) is None, "nobody waits for them"
    queue.put(commit("a"))
    batch = queue.take(0)
    assert names(batch) == ["a", "later"]
    assert batch is not None
    assert (batch.deferred, len(batch.finished())) == (3, 1)


def test_a_frame_grows_by_deferred_lines_only_as_long_as_it_takes_no_longer() -> None:
    queue = CommitQueue(10_000_000)
    queue.put_later(deferred(1000, 200))
    queue.put(commit("a", 2))
    batch = queue.take(0)
    assert batch is not None
    assert RIDE_BYTES - 200 < batch.size_bytes <= RIDE_BYTES
    queue.put(commit("b", RIDE_BYTES // LINE))
    assert names(queue.take(0)) == ["b"]


def test_deferred_lines_go_out_by_themselves_after_a_while() -> None:
    queue = queue_of(later_s=SOON)
    queue.put_later(deferred(2))
    assert names(queue.take(10)) == ["later"]
    assert queue.take(0) is None


def test_deferred_lines_that_are_many_go_out_at_once_in_frames_of_their_own() -> None:
    queue = CommitQueue(10_000_000)
    queue.put_later(deferred(3000, 100))
    batch = queue.take(0)
    assert names(batch) == ["later"]
    assert batch is not None
    assert DEFERRED_FRAME_BYTES - 100 < batch.size_bytes <= DEFERRED_FRAME_BYTES
    assert queue.take(0) is None, "those that are left are few"


def test_all_three_take_turns_when_all_are_due() -> None:
    queue = queue_of(commit("large", 100), later_s=0.0)
    found = []
    for _ in range(8):
        queue.put_later(deferred(1, RIDE_BYTES + 10))
        queue.put(commit("small", 10))
        found.append(names(queue.take(0))[0])
    assert found == ["small", "later", "small", "large"] * 2


def test_deferred_lines_have_a_bound_of_their_own() -> None:
    queue = CommitQueue(10_000, FRAME)
    queue.put_later(deferred(100))
    with pytest.raises(QueueFull, match="can wait"):
        queue.put_later(deferred(1))
    queue.put(commit("all", 100))
    with pytest.raises(ValueError, match="newline"):
        queue.put_later([b"a\nb"])


def test_deferred_lines_wait_while_commits_are_refused_and_go_out_on_closing() -> None:
    queue = queue_of(later_s=SOON)
    queue.put_later(deferred(1))
    queue.refuse("the store is down")
    assert queue.take(5 * SOON) is None
    with pytest.raises(Unavailable, match="down"):
        queue.put_later(deferred(1))
    queue.refuse(None)
    assert names(queue.take(1)) == ["later"]
    queue.put_later(deferred(1))
    queue.close("over")
    assert names(queue.take(0)) == ["later"]
    assert queue.take(10) is None


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(st.integers(1, 1500), min_size=1, max_size=40)),
        st.tuples(st.just("later"), st.lists(st.integers(1, 1500), min_size=1, max_size=5)),
        st.tuples(st.just("take"), st.just([0])),
    ),
    max_size=40,
)


@given(steps=STEPS)
def test_whatever_comes_every_line_goes_out_once_in_order_and_the_oldest_small_commit_soon(
    steps: list[tuple[str, list[int]]],
) -> None:
    queue = CommitQueue(1_000_000, FRAME, later_s=0.0)
    sent: dict[int, list[bytes]] = {}
    received: dict[int, list[bytes]] = {}
    waiting: dict[int, int] = {}  # small commits, in order: frames that passed them by since they were the oldest

    def take() -> bool:
        oldest = next(iter(waiting), None)
        batch = queue.take(0)
        if batch is None:
            return False
        for line in batch.lines:
            received.setdefault(int(line.split()[0]), []).append(line)
        for number in [number for number in waiting if number in received]:
            del waiting[number]
        if oldest in waiting:
            waiting[oldest] += 1
            assert waiting[oldest] < 2, "at most one frame of another kind comes before"
        largest = max(map(len, batch.lines)) + 1
        assert batch.size_bytes == sum(map(len, batch.lines)) + len(batch.lines)
        assert batch.size_bytes <= FRAME or largest > FRAME or not batch.commits or batch.deferred
        return True

    for number, (what, sizes) in enumerate(steps):
        if what == "take":
            take()
            continue
        lines = [b"%d %d" % (number, place) + b"." * size for place, size in enumerate(sizes)]
        sent[number] = lines
        if what == "later":
            queue.put_later(lines)
            continue
        new = Commit(lines, checked_size(lines), concurrent.futures.Future(), None)
        queue.put(new)
        if new.size_bytes <= FRAME:
            waiting[number] = 0
    while take():
        pass
    assert received == sent
    assert queue.take(0) is None
