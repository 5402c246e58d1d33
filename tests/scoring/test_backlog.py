"""What waits for the challengers is bounded, and what does not fit keeps its ids as long as these fit."""

from __future__ import annotations

from scoring.backlog import Backlog
from scoring.evidence import Call
from scoring.protocols.protocol import ScoreRequest

CALL = Call("amount", "1", "b" * 64, champion=True, request_id="r", ts="t", writer="w")


def put(backlog: Backlog, *ids: str, size_bytes: int = 10) -> bool:
    request = ScoreRequest([{"age": 1.0}] * len(ids), list(ids), None, plain=True)
    return backlog.put(CALL, list(ids), request, size_bytes)


def taken(backlog: Backlog) -> list[tuple[str, bool]]:
    """Everything that waits, each with whether its instances were kept."""
    backlog.end()
    found = []
    while (waiting := backlog.take()) is not None:
        found.append((",".join(waiting.ids), waiting.request is not None))
    return found


def test_requests_come_out_in_the_order_in_which_they_went_in() -> None:
    backlog = Backlog()
    assert all(put(backlog, name) for name in "abc")
    assert taken(backlog) == [("a", True), ("b", True), ("c", True)]


def test_more_requests_than_may_wait_are_kept_as_ids() -> None:
    backlog = Backlog(most_requests=2)
    assert all(put(backlog, name) for name in "abc")
    assert taken(backlog) == [("a", True), ("b", True), ("c", False)]
    assert put(backlog, "d")
    assert taken(backlog) == [("d", True)]


def test_more_bytes_than_may_wait_are_kept_as_ids_and_what_is_smaller_still_fits() -> None:
    backlog = Backlog(most_bytes=100)
    assert put(backlog, "a", size_bytes=60)
    assert put(backlog, "b", size_bytes=60)
    assert put(backlog, "c", size_bytes=40)
    assert taken(backlog) == [("a", True), ("b", False), ("c", True)]


def test_when_even_the_ids_are_too_many_there_is_no_room() -> None:
    backlog = Backlog(most_requests=1, most_skipped=3)
    assert put(backlog, "a")
    assert put(backlog, "b", "c")
    assert not put(backlog, "d", "e")
    assert put(backlog, "f")
    assert taken(backlog) == [("a", True), ("b,c", False), ("f", False)]


def test_dropping_counts_instances_and_makes_room() -> None:
    backlog = Backlog(most_requests=1)
    put(backlog, "a", "b")
    put(backlog, "c")
    assert backlog.drop() == 3
    assert put(backlog, "d")
    assert taken(backlog) == [("d", True)]


def test_whoever_takes_waits_no_longer_than_it_wants_to() -> None:
    assert Backlog().take(0.001) is None
