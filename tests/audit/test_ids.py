from __future__ import annotations

import uuid

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
