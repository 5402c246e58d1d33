"""Both ends of very many records, whatever the order in which they come."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from audit.browse import Found
from audit.oldest_and_newest import oldest_and_newest
from audit.reader import Position
from audit.records import encode_record
from tests.audit.examples import NOON_S, score

ROOM = 1_000_000


def found(count: int, size: int = 0) -> list[Found]:
    """Records of one id, a second apart."""
    records = [score("a", at_s=NOON_S + second, x={"a": "x" * size}) for second in range(count)]
    return [(record, Position("log/v1/2026/11/23/12/w-0.jsonl", 1, line)) for line, record in enumerate(records)]


@given(st.integers(0, 12), st.integers(2, 9), st.randoms(use_true_random=False))
def test_it_is_the_beginning_and_the_end_in_order_and_how_many_lie_between(
    count: int, most: int, draw: random.Random
) -> None:
    given = found(count)
    ends = oldest_and_newest(draw.sample(given, count), most, ROOM)
    first = most - most // 2
    assert ends.records == (given if count <= most else [*given[:first], *given[-(most // 2) :]])
    assert ends.left_out == max(0, count - most)


def test_no_more_bytes_are_held_than_there_is_room_for_but_one_record_of_each_end() -> None:
    given = found(40, size=1_000)
    size_bytes = len(encode_record(given[0][0]))
    ends = oldest_and_newest(given, 1_000, 10 * size_bytes)
    assert (ends.records, ends.left_out) == ([*given[:5], *given[-5:]], 30)
    alone = oldest_and_newest(given, 1_000, 1)
    assert (alone.records, alone.left_out) == ([given[0], given[-1]], 38)


def test_records_of_one_moment_are_told_apart_by_their_place() -> None:
    pairs = [(score("a"), Position("log/v1/2026/11/23/12/w-0.jsonl", 1, line)) for line in range(5)]
    ends = oldest_and_newest(reversed(pairs), 2, ROOM)
    assert [position.line for _, position in ends.records] == [0, 4]
