"""Which `traceparent` headers are believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.trace_context import trace_id

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "header",
    [
        f"00-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-ff",
        f"01-{TRACE}-{PARENT}-00",
        f"cc-{TRACE}-{PARENT}-01-what-comes-later",
        f"cc-{TRACE}-{PARENT}-01-",
    ],
)
def test_a_trace_id_is_read_from_this_version_and_from_later_ones(header: str) -> None:
    assert trace_id(header) == TRACE


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "trace-1",
        TRACE,
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-01-",
        f"ff-{TRACE}-{PARENT}-01",
        f"cc-{TRACE}-{PARENT}-01.more",
        f"0-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01\n",
        f" 00-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01,00-{TRACE}-{PARENT}-01",
        f"cc-{TRACE}-{PARENT}-01-caf\u00e9",
        f"cc-{TRACE}-{PARENT}-01-two words",
        f"cc-{TRACE}-{PARENT}-01-{'x' * 457}",
        f"00-{TRACE}-{PARENT}-٠١",
    ],
)
def test_a_malformed_header_counts_as_none(header: str | None) -> None:
    assert trace_id(header) is None


@given(st.text(max_size=80) | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"))
def test_whatever_is_sent_gives_a_valid_id_or_none(header: str) -> None:
    found = trace_id(header)
    if found is not None:
        assert header.isascii()
        assert header.isprintable()
        assert len(header) <= 512
        assert len(found) == 32
        assert int(found, 16) > 0
