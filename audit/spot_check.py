"""Spot checks of one model: the newest records that match, or a random sample of them, as an auditor asks over HTTP.

| parameter | what | without it |
|---|---|---|
| `kind` | `score`, `request_error`, `label` or `note` | any |
| `outcome` | of scores and labels, one of `OUTCOMES` | any |
| `reason` | one of `record_words.REASONS` | any |
| `since`, `until` | UTC date or time, or an age such as `2h` | the 24 hours before `until`, or before now |
| `limit` | the newest so many, at most 1,000 | 100 |
| `sample` | a uniform sample of so many, at most 1,000, in place of the newest | none |
| `seed` | draws the same sample again | one is made, and told |

Parameters are strangers' text: anything else is `Refused`, unknown names too, since a filter that is silently left out
shows what it should not. An empty value is none, as forms send it.

What a request may cost is bounded: it reads for `READ_S`, and of a record of more than `RECORD_BYTES` it keeps all but
`x` and `flags`. What was not read is told (`hours_left`), and belongs to no result.
"""

from __future__ import annotations

import heapq
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from audit import record_words
from audit.browse import Filter, Found
from audit.errors import Refused
from audit.records import Record, encode_record, timestamp
from audit.sample import sample
from audit.store import Store
from audit.survey import Survey, TimeIsUp, surveyed
from audit.when import parse_when

MOST = 1_000  # records of an answer
DEFAULT_LIMIT = 100
DEFAULT_WINDOW_S = 24 * 3600.0
READ_S = 20.0
RECORD_BYTES = 16 * 1024
OUTCOMES = record_words.OUTCOMES
KINDS = record_words.KINDS
PARAMETERS = ("kind", "outcome", "reason", "since", "until", "sample", "seed", "limit")
OF_EVERY_PAGE = ("code", "clientid", "format")
MOST_SEED = 2**53
_NAME = re.compile(r"[a-z_]{1,32}")
_LATEST_S = 253_000_000_000.0  # in the year 9987; later hours have no names


@dataclass(frozen=True)
class Asked:
    """What to look for. Without `sample` the newest `limit` are meant."""

    wanted: Filter
    limit: int = DEFAULT_LIMIT
    sample: int | None = None
    seed: int = 0
    now_s: float = 0.0  # when it was asked


@dataclass(frozen=True)
class SpotCheck:
    """What was found, newest first, and what was seen on the way."""

    records: list[Found]
    survey: Survey

    @property
    def complete(self) -> bool:
        """Whether all was read that had to be."""
        return self.survey.hours_left == 0


class Shortened(Record):
    """A record without its `x` and `flags`, which are too large for a list."""


def asked(model: str, parameters: Mapping[str, str], now_s: float, new_seed: Callable[[], int] | None = None) -> Asked:
    """What a request's parameters ask for; raises `Refused`.

    >>> asked("wine", {"outcome": "abstained", "since": "2h", "code": "…"}, now_s=7200.0).wanted.since_s
    0.0
    """
    given = {name.lower(): value for name, value in parameters.items() if value != ""}
    unknown = [name for name in given if name not in (*PARAMETERS, *OF_EVERY_PAGE)]
    if unknown:
        name = f" {unknown[0]!r}" if _NAME.fullmatch(unknown[0]) else ""
        raise Refused(f"unknown parameter{name}; there are {', '.join(PARAMETERS)}")
    since_s, until_s = _window(given, now_s)
    wanted = Filter(
        model=model,
        kind=_word(given, "kind", KINDS),
        outcome=_word(given, "outcome", OUTCOMES),
        reason=_word(given, "reason", record_words.REASONS),
        since_s=since_s,
        until_s=until_s,
    )
    seed = _number(given, "seed", 0, MOST_SEED)
    if seed is None:
        seed = (new_seed or _new_seed)()
    return Asked(
        wanted, _number(given, "limit", 1, MOST) or DEFAULT_LIMIT, _number(given, "sample", 1, MOST), seed, now_s
    )


def spot_check(store: Store, what: Asked, read_s: float = READ_S) -> SpotCheck:
    """Read the log for it; blocks. Raises `Unavailable`."""
    ends_s = time.monotonic() + read_s

    def time_is_up() -> bool:
        return time.monotonic() > ends_s

    if what.sample is None:
        return _newest(store, what, time_is_up)
    drawn = sample(store, what.wanted, what.sample, what.seed, kept=shortened, time_is_up=time_is_up)
    return SpotCheck(drawn.records, drawn.survey)


def told(model: str, what: Asked, found: SpotCheck) -> dict[str, Any]:
    """What was found, as a program gets it."""
    wanted, survey = what.wanted, found.survey
    drawn = {"sample": what.sample, "seed": what.seed} if what.sample is not None else {"limit": what.limit}
    return {
        "model": model,
        "since": timestamp(wanted.since_s or 0.0),
        "until": None if wanted.until_s is None else timestamp(wanted.until_s),
        **drawn,
        "looked_at": survey.looked_at,
        "matched": survey.matched,
        "provisional": survey.provisional,
        "hours_left": survey.hours_left,
        "findings": survey.findings,
        "records": [
            {"record": record, **asdict(position), "whole": not isinstance(record, Shortened)}
            for record, position in found.records
        ],
    }


def shortened(record: Record) -> Record:
    """The record as a list holds it."""
    if len(encode_record(record)) <= RECORD_BYTES:
        return record
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    return Shortened(**fields | {"x": None, "flags": {}, "redacted": []})


def _newest(store: Store, what: Asked, time_is_up: Callable[[], bool]) -> SpotCheck:
    """By server time within the hour of their blobs, as `browse.newest`; reads no older hours than it must."""
    survey = Survey()
    records: list[Found] = []
    for hour in surveyed(store, what.wanted, survey, time_is_up=time_is_up):
        kept = ((shortened(record), position) for record, position in hour)
        try:
            records += heapq.nlargest(what.limit - len(records), kept, key=lambda pair: (pair[0].ts, pair[1]))
        except TimeIsUp:
            break
        if len(records) >= what.limit:
            survey.hours_left = 0  # none of them is missing in the answer
            break
    return SpotCheck(records, survey)


def _window(given: Mapping[str, str], now_s: float) -> tuple[float, float | None]:
    until_s = _time(given, "until", now_s)
    since_s = _time(given, "since", now_s)
    if since_s is None:
        since_s = max(0.0, (now_s if until_s is None else until_s) - DEFAULT_WINDOW_S)
    if until_s is not None and since_s >= until_s:
        raise Refused("since: expected a time before until")
    return since_s, until_s


def _time(given: Mapping[str, str], name: str, now_s: float) -> float | None:
    text = given.get(name)
    if text is None:
        return None
    try:
        time_s = parse_when(text.strip(), now_s)
    except ValueError as expected:
        raise Refused(f"{name}: expected {expected}") from None
    if not 0 <= time_s < _LATEST_S:
        raise Refused(f"{name}: expected a time after 1970 and before 9987")
    return time_s


def _word(given: Mapping[str, str], name: str, words: tuple[str, ...]) -> str | None:
    word = given.get(name)
    if word is not None and word not in words:
        raise Refused(f"{name}: expected one of {', '.join(words)}")
    return word


def _number(given: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 20 or not least <= int(text) <= most:
        raise Refused(f"{name}: expected a whole number from {least:,} to {most:,}")
    return int(text)


def _new_seed() -> int:
    return secrets.randbelow(2**32)  # short enough to be written down
