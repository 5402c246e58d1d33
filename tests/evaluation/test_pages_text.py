"""What strangers wrote is shown so that it cannot hide anything, and numbers so that they promise nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.pages import numbers
from evaluation.pages.links import link, path
from evaluation.pages.text import LIMIT, LONG_LIMIT, LongText, shown

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=400)


@given(ANY_TEXT)
def test_nothing_invisible_is_left_in_a_value(text: str) -> None:
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in shown(text))
    shown(text).encode("utf-8")


@given(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=LIMIT))
def test_ordinary_words_stay_as_they_are(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize(("text", "limit"), [("x" * 100_000, LIMIT), (LongText("x" * 100_000), LONG_LIMIT)])
def test_a_long_value_is_cut_and_says_how_long_it_was(text: str, limit: int) -> None:
    assert shown(text) == "x" * limit + "… (100,000 characters)"


def test_lines_are_kept_only_in_text_that_has_them() -> None:
    assert shown(LongText("a\n\tb\r\x00")) == "a\n\tb\\u{d}\\u{0}"
    assert shown("a\nb") == "a\\u{a}b"


@given(st.floats(0, 1))
def test_a_share_reads_as_all_or_nothing_only_if_it_is(share: float) -> None:
    written = numbers.percent(share).replace(numbers.NBSP, " ")
    assert (written == "100 %") == (share == 1)
    assert (written == "0 %") == (share == 0)
    assert "100.0" not in written


@given(st.one_of(st.none(), st.floats()))
def test_every_number_can_be_written(value: float | None) -> None:
    for write in (numbers.number, numbers.percent, numbers.milliseconds, numbers.duration):
        written = write(value)
        assert written
        assert not {"nan", "inf", "None"} & set(written.split())


@given(st.floats(1e-300, 1e300), st.booleans())
def test_a_number_is_written_to_at_least_three_digits(value: float, negative: bool) -> None:
    signed = -value if negative else value
    written = numbers.number(signed).replace("−", "-").replace(",", "")
    mantissa, _, power = written.partition("×10")
    exponent = int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)
    assert float(f"{mantissa}e{exponent}") == pytest.approx(signed, rel=0.06 if power else 0.006)


def test_times_that_are_none_stay_what_was_said() -> None:
    assert numbers.when("<b>") == "<b>"
    assert numbers.when("9999-12-31T23:59:59-12:00") == "9999-12-31T23:59:59-12:00"


def test_a_key_never_breaks_out_of_a_link() -> None:
    assert link("/", '"><script>&x=1#') == "/?code=%22%3E%3Cscript%3E%26x%3D1%23"
    assert path("models", "../..", "\ud800?") == "/models/..%2F../%3F%3F"
    assert link("/", None) == link("/", "") == "/"
