"""Times as a person types them at a command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_UNITS_S = {"m": 60, "h": 3600, "d": 86400}


def parse_when(text: str, now_s: float) -> float:
    """Unix seconds of `2026-11-23`, `2026-11-23T14:05` (UTC unless it has an offset), or an age: `30m`, `2h`, `7d`.

    >>> parse_when("1970-01-02", now_s=0), parse_when("2h", now_s=7200)
    (86400.0, 0.0)
    """
    age = re.fullmatch(r"(\d{1,6})([mhd])", text)
    if age:
        return float(now_s) - int(age[1]) * _UNITS_S[age[2]]
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError("a UTC date or time such as 2026-11-23T14:05, or an age such as 30m, 2h or 7d") from None
