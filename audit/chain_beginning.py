"""Where the chain of digests begins: decided once, before the first digest of all.

    digest/v1/begins.json      {"v":1,"hour":"2026/11/23/12"}

Two timers that both find no digest may each see another first hour of the log: a blob of an earlier hour came between
their looks, or one of them stood still for hours. A digest is created once, but two chains that begin at different
hours would never fit together; so the hour itself is created once. It is read only while there is no digest.

It is not signed, so somebody who may write to the container can put one there first. It is followed only as far as a
timer of ours may have written it, held against the log's first hour and the clock as whoever reads it sees them:

- Later than the log's first hour, and over: a blob came late since. Followed; the first digest lists what is older.
- Not over yet, by up to 48 hours: one of the clocks is wrong. No digest until it is over, and each run says so.
- Before the log's first hour, by up to 48 hours: 48 digests of empty hours at most. Followed.
- Further off, or not as we write it: not followed. The chain begins with the log's first hour, which is said.

Not promised: that two timers agree where somebody put what is not followed there. Whatever came of it, `verify` holds
the blob against the first digest (`check_beginning`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Literal

import msgspec

from audit.digest import BEGINS
from audit.digest_chain import CLOCKS_DIFFER_S
from audit.errors import Ambiguous, Exists, NotFound, Unavailable
from audit.finding import Finding, short
from audit.late_blobs import LATE_HOURS
from audit.layout import HOUR_S, hour_of, hour_start_s
from audit.store import Store

_ATTEMPTS = 3
_LONGEST_BYTES = 1024
_FAR_OFF_S = LATE_HOURS * HOUR_S
_log = logging.getLogger("hyperplane.audit")


class _Beginning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: Literal[1]
    hour: str


_decoder = msgspec.json.Decoder(_Beginning)


def chain_beginning(store: Store, first_s: float, last_s: float) -> float:
    """When the hour of the first digest began: the log's first hour, unless another was chosen before.

    `last_s` is the newest hour that is over; what is returned may be later, and then no digest is due. Raises
    `Unavailable`.
    """
    data = _encoded(hour_of(first_s))
    for _ in range(_ATTEMPTS):
        with suppress(Exists, Ambiguous):  # chosen before, or the reply was lost: read which it is
            store.put(BEGINS, data, overwrite=False, content_type="application/json")
            return first_s
        with suppress(NotFound):
            return _followed(_chosen(_stored(store)), first_s, last_s)
    raise Unavailable(f"{BEGINS} could not be stored in {_ATTEMPTS} attempts")


def check_beginning(store: Store, digests: Sequence[str], now_s: float) -> Iterator[Finding]:
    """Whether it says the first of these hours, which are all that have a digest and are over. Raises `Unavailable`."""
    try:
        data = _stored(store)
    except NotFound:
        if digests:
            yield Finding(BEGINS, "missing", f"the chain of digests begins with {digests[0]}, and nothing says so")
        return
    chosen_s = _chosen(data)
    if chosen_s is None:
        yield Finding(BEGINS, "altered", f"it is not as it would have been written: {short(repr(data))}")
    elif digests and chosen_s != hour_start_s(digests[0]):
        said = f"it says {hour_of(chosen_s)}, but the first digest is of {digests[0]}"
        yield Finding(BEGINS, "chain", f"{said}: one of the two was replaced, put there, or taken away")
    elif chosen_s + HOUR_S > now_s + CLOCKS_DIFFER_S:
        yield Finding(BEGINS, "dated", f"it says {hour_of(chosen_s)}, an hour that is not over: no digest is written")


def _stored(store: Store) -> bytes:
    return store.read(BEGINS, 0, _LONGEST_BYTES)


def _chosen(data: bytes) -> float | None:
    """When the hour that was chosen began; `None` if these are not the bytes that we would have written."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        hour = _decoder.decode(data).hour
        start_s = hour_start_s(hour)
        if start_s is not None and _encoded(hour_of(start_s)) == data:
            return start_s
    return None


def _followed(chosen_s: float | None, first_s: float, last_s: float) -> float:
    """What was chosen, if a timer of ours may have chosen it; else the log's first hour."""
    if chosen_s is None:
        return _not_followed("it is not as we write it", first_s)
    says = f"it says {hour_of(chosen_s)}"
    if not first_s - _FAR_OFF_S <= chosen_s <= last_s + _FAR_OFF_S:
        return _not_followed(f"{says}, more than {LATE_HOURS} hours before the log's first or after this one", first_s)
    if chosen_s > last_s:
        until = "until then no digest is written. A clock was ahead when it was written, or the one here is behind"
        _log.error("%s: %s, an hour that is not over: %s; if neither, remove the blob", BEGINS, says, until)
    elif chosen_s != first_s:
        _log.warning("%s: %s, and the log's first hour is %s: begun as it says", BEGINS, says, hour_of(first_s))
    return chosen_s


def _not_followed(why: str, first_s: float) -> float:
    first = hour_of(first_s)
    instead = f"the chain of digests begins with {first}, the log's first. Somebody put it there: see who may write"
    _log.error("%s is not followed: %s; %s to the container", BEGINS, why, instead)
    return first_s


def _encoded(hour: str) -> bytes:
    return msgspec.json.encode(_Beginning(1, hour))
