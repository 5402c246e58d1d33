"""Ids of instances that came without one: UUID version 7 (RFC 9562), which begins with the time.

Whoever holds such an id knows the hour whose blobs hold its record, so that finding it reads one hour and not a year.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable

_UUID7 = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_VARIANT = 0b10 << 62
_VERSION = 7 << 76


def new_id(clock: Callable[[], int] = time.time_ns) -> str:
    """A new UUIDv7: 48 bits of Unix milliseconds (`clock` gives nanoseconds), 74 random bits.

    >>> new_id(lambda: 0)[:15]
    '00000000-0000-7'
    """
    milliseconds = (clock() // 1_000_000) & 0xFFFF_FFFF_FFFF
    noise = secrets.randbits(74)
    value = milliseconds << 80 | _VERSION | (noise >> 62) << 64 | _VARIANT | noise & 0x3FFF_FFFF_FFFF_FFFF
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def id_time_s(text: str) -> float | None:
    """The Unix time inside a UUIDv7, `None` for any other id. A client's clock may have made it: a hint, no proof.

    >>> id_time_s("0193580e-2bf8-7000-8000-000000000000")
    1732349144.056
    >>> id_time_s("patient-17") is None
    True
    """
    match = _UUID7.fullmatch(text)
    return int(match[1] + match[2], 16) / 1000 if match else None
