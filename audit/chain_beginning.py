"""Where the chain of digests begins: decided once, before the first digest of all.

    digest/v1/begins.json      {"v":1,"hour":"2026/11/23/12"}

Two timers that both find no digest may each see another first hour of the log: a blob of an earlier hour came between
their looks, or one of them stood still for hours. A digest is created once, but two chains that begin at different
hours would never fit together; so the hour itself is created once. It is read only while there is no digest, and it
proves nothing: who changes or removes it afterwards changes nothing.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Literal

import msgspec

from audit.digest import BEGINS
from audit.errors import Ambiguous, Exists, NotFound, Unavailable
from audit.layout import hour_start_s
from audit.store import Store

_ATTEMPTS = 3
_LONGEST_BYTES = 1024
_log = logging.getLogger("hyperplane.audit")


class _Beginning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: Literal[1]
    hour: str


def chain_beginning(store: Store, hour: str) -> str:
    """The hour of the first digest: this one, unless another was chosen before. Raises `Unavailable`."""
    data = msgspec.json.encode(_Beginning(1, hour))
    for _ in range(_ATTEMPTS):
        with suppress(Exists, Ambiguous):  # chosen before, or the reply was lost: read which it is
            store.put(BEGINS, data, overwrite=False, content_type="application/json")
            return hour
        with suppress(NotFound):
            return _chosen(store.read(BEGINS, 0, _LONGEST_BYTES), hour)
    raise Unavailable(f"{BEGINS} could not be stored in {_ATTEMPTS} attempts")


def _chosen(data: bytes, otherwise: str) -> str:
    """The hour in these bytes; the other one if they are not what we would have written."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        hour = msgspec.json.decode(data, type=_Beginning).hour
        if hour_start_s(hour) is not None:
            return hour
    _log.error("%s does not say an hour; the chain of digests begins with %s, the log's first", BEGINS, otherwise)
    return otherwise
