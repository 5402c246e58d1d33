from __future__ import annotations

import os
import threading
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.ids import id_time_s, new_id


@given(st.integers(0, 2**48 - 1))
def test_an_id_is_a_uuid_of_version_7_that_holds_its_time(milliseconds: int) -> None:
    text = new_id(lambda: milliseconds * 1_000_000 + 999_999)
    parsed = uuid.UUID(text)
    assert str(parsed) == text
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert id_time_s(text) == milliseconds / 1000
    assert id_time_s(text.upper()) == milliseconds / 1000


@given(st.text(max_size=50))
def test_no_other_text_has_a_time(text: str) -> None:
    assert id_time_s(text) is None


def test_other_versions_have_no_time_and_ids_differ() -> None:
    assert id_time_s(str(uuid.uuid4())) is None
    assert id_time_s(str(uuid.uuid1())) is None
    assert id_time_s(new_id() + "\n") is None
    assert len({new_id(lambda: 0) for _ in range(1000)}) == 1000


def test_every_random_bit_is_drawn_and_none_of_the_fixed_ones() -> None:
    values = [uuid.UUID(new_id(lambda: 0)).int for _ in range(1000)]
    ever, always = 0, (1 << 128) - 1
    for value in values:
        ever, always = ever | value, always & value
    fixed = 7 << 76 | 0b10 << 62
    assert always == fixed
    assert ever == fixed | ((1 << 12) - 1) << 64 | (1 << 62) - 1


def test_threads_that_draw_at_once_never_get_the_same_id() -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend([new_id(lambda: 0) for _ in range(2000)])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 16_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_makes_other_ids_than_its_parent() -> None:
    new_id()  # so that there is a supply which both could use
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, "\n".join(new_id(lambda: 0) for _ in range(50)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        theirs = set(answer.read().split())
    assert os.waitpid(child, 0)[1] == 0
    assert len(theirs) == 50
    assert not theirs & {new_id(lambda: 0) for _ in range(200)}
