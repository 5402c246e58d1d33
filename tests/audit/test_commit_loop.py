"""The loop's turns where threads meet: what was taken just before the end is still written. More: the simulator."""

from __future__ import annotations

import concurrent.futures

import pytest

from audit.appender import Receipt
from audit.commit import Commit, checked_size
from audit.commit_loop import CommitLoop, Patience
from audit.commit_queue import Batch, CommitQueue
from audit.errors import Ambiguous
from audit.memory_store import MemoryStore
from audit.reader import read_blob
from tests.audit.examples import appender, ids, lines, only_name
from tests.audit.faulty_store import Fate, FaultyStore


class Surprised(CommitQueue):
    """Just after it was found empty, a commit and a line for later come, and the log is closed."""

    loop: CommitLoop | None = None
    future: concurrent.futures.Future[list[Receipt]]

    def take(self, timeout_s: float) -> Batch | None:
        batch = super().take(0)
        if self.loop:
            loop, self.loop, self.future = self.loop, None, concurrent.futures.Future()
            self.put(Commit(lines("a"), checked_size(lines("a")), self.future, None))
            self.put_later(lines("b"))
            loop.stop("closing")
        return batch


def test_what_was_taken_between_a_look_into_the_queue_and_the_end_is_written() -> None:
    store, queue = MemoryStore(), Surprised(10_000)
    queue.loop = loop = CommitLoop(queue, appender(store), Patience())
    while loop.turn():
        pass
    assert queue.future.result(0)
    assert ids(store) == ["a", "b"]
    assert read_blob(store, only_name(store)).state == "closed"


def test_deferred_lines_that_are_given_up_are_counted() -> None:
    queue = CommitQueue(10_000)
    loop = CommitLoop(queue, appender(MemoryStore()), Patience())
    queue.put_later(lines("a", "b"))
    loop.stop("closing")
    loop.abandon()
    assert loop.given_up == 2
    assert loop.turn() is False


@pytest.mark.parametrize(("lost", "recorded", "given_up"), [(3, ["b"], 0), (4, [], 1)])
def test_a_frame_in_doubt_is_settled_before_the_next_and_never_taken_for_it(
    lost: int, recorded: list[str], given_up: int
) -> None:
    store, queue = MemoryStore(), CommitQueue(10_000)

    def meanwhile(_pause_s: float) -> None:
        queue.put_later(lines("b"))
        loop.stop("closing")

    one_lost: list[Fate] = ["lost"]
    line: list[Fate] = ["ok", "ok", *one_lost * lost]  # create, `open`; the frame, again, the `close` for it, again
    loop = CommitLoop(queue, appender(FaultyStore(store, line)), Patience(), sleep=meanwhile)
    future = concurrent.futures.Future[list[Receipt]]()
    queue.put(Commit(lines("a"), checked_size(lines("a")), future, None))
    while loop.turn():
        pass
    assert isinstance(future.exception(0), Ambiguous)
    assert ids(store) == recorded
    assert loop.given_up == given_up
