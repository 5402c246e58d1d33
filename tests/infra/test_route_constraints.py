"""Constraints hold as in ASP.NET Core."""

import pytest

from infra.local.route_constraints import constraint


@pytest.mark.parametrize(
    ("name", "argument", "yes", "no"),
    [
        ("int", None, ["0", "-1", "+7", " 12 ", "2147483647"], ["", "1.0", "x", "2147483648", "٣", "1" * 5000]),
        ("long", None, ["9223372036854775807"], ["9223372036854775808"]),
        ("BOOL", None, ["true", "False"], ["1", "yes", ""]),
        ("double", None, ["1", "-1.5e3", ".5", "1."], ["", ".", "e5", "1,5x"]),
        ("guid", None, ["cd2c1638-1638-72d5-1638-deadbeef1638"], ["cd2c1638", ""]),
        ("alpha", None, ["abcXYZ"], ["abc1", "é"]),
        ("required", None, ["x"], [""]),
        ("length", "3", ["abc"], ["ab", "abcd"]),
        ("length", "2, 3", ["ab", "abc"], ["a", "abcd"]),
        ("minlength", "2", ["ab"], ["a"]),
        ("maxlength", "2", ["", "ab"], ["abc"]),
        ("min", "18", ["18", "19"], ["17", "x"]),
        ("max", "120", ["-5", "120"], ["121"]),
        ("range", "18,120", ["18", "120"], ["17", "121", "x"]),
        ("regex", "^a+$", ["a", "AA"], ["ab", ""]),
        ("regex", "b", ["abc"], ["ac"]),
    ],
)
def test_a_constraint_holds_for_these_and_not_for_those(
    name: str, argument: str | None, yes: list[str], no: list[str]
) -> None:
    holds = constraint(name, argument)
    assert [text for text in yes if not holds(text)] == []
    assert [text for text in no if holds(text)] == []
