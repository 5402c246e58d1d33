"""Ids of instances that came without one: UUID version 7 (RFC 9562), which begins with the time.

Whoever holds such an id knows the hour whose blobs hold its record, so that finding it reads one hour and not a year.

The random bits come from the system's generator, for many ids at a time: a call for each id costs more than the rest of
it. A forked child throws its parent's supply away, or both would make the same ids.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable

_UUID7 = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_SUPPLY = 64  # ids
_NOISE = 20  # hexadecimal digits for an id
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))  # the two high bits are 10


def new_id(clock: Callable[[], int] = time.time_ns) -> str:
    """A new UUIDv7: 48 bits of Unix milliseconds (`clock` gives nanoseconds), 74 random bits.

    >>> new_id(lambda: 0)[:15]
    '00000000-0000-7'
    """
    time_part = f"{clock() // 1_000_000 & 0xFFFF_FFFF_FFFF:012x}"
    return f"{time_part[:8]}-{time_part[8:]}-{_random_part()}"


def id_time_s(text: str) -> float | None:
    """The Unix time inside a UUIDv7, `None` for any other id. A client's clock may have made it: a hint, no proof.

    >>> id_time_s("0193580e-2bf8-7000-8000-000000000000")
    1732349144.056
    >>> id_time_s("patient-17") is None
    True
    """
    match = _UUID7.fullmatch(text)
    return int(match[1] + match[2], 16) / 1000 if match else None


_supply: list[str] = []
if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_supply.clear)


def _random_part() -> str:
    """What follows the time: version, 12 random bits, variant, 62 random bits. Threads may call it at once."""
    while True:
        try:
            return _supply.pop()
        except IndexError:
            noise = secrets.token_hex(_NOISE // 2 * _SUPPLY)
            _supply.extend([_written(noise[start : start + _NOISE]) for start in range(0, len(noise), _NOISE)])


def _written(noise: str) -> str:
    """80 random bits, as hexadecimal digits, in the form of an id; the six under version and variant are dropped."""
    return f"7{noise[1:4]}-{_VARIANT[noise[4]]}{noise[5:8]}-{noise[8:]}"
