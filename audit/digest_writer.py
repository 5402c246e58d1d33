"""Writing digests: every hour that is over is closed, read to its last byte, signed, and stored once.

The chain begins at the log's first hour and leaves none out; an hour without blobs has a digest too, so that a missing
one is missed. A run does what is due since the newest digest, hour by hour in their order. It can be killed anywhere
and run again, and two may run at once: a digest is created once, and who comes second goes on from the other's. A blob
that does not verify is listed as it is, and the digest after one that is damaged names that one's stored bytes all the
same: both are for `verify` to tell, and neither keeps an hour waiting.

Not promised: a digest while the storage or the signing key cannot be reached; the next run makes up for it. And the
clock is believed: one that is ahead writes digests of hours that are not over. They stay, every run until then says so,
and what is recorded in those hours comes late.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, takewhile

from audit.blob_digest import digest_blob
from audit.chain_beginning import chain_beginning
from audit.digest import Digest, DigestedBlob, digest_name, encode_digest, sha256_of
from audit.digest_log import digest_bytes, digest_hours, newest_hour_before, oldest_digest_hour, stored_sha256
from audit.errors import Ambiguous, Exists, Unavailable
from audit.frames import ZERO_HEAD
from audit.late_blobs import LateBlobs
from audit.layout import HOUR_S, LOG, hour_of, hour_start_s, parse_name
from audit.reader import blobs
from audit.records import timestamp
from audit.seal import SETTLED_S
from audit.signing import Signer
from audit.store import BlobInfo, Store

MAX_BLOBS = 100_000  # of one digest, which must stay readable; what is left over comes late, in the next
FIRST_HOUR = "2026/01/01/00"  # no writer of this format is older: a blob of an earlier hour had no clock
_ATTEMPTS = 3
_AHEAD_S = 24 * HOUR_S

Progress = Callable[[int, int, str], None]
_log = logging.getLogger("hyperplane.audit")


@dataclass(frozen=True)
class WrittenDigest:
    """A digest that this run stored. `sha256` is of its stored bytes: what the next one names."""

    hour: str
    sha256: str
    kid: str


def write_digests(
    store: Store, signer: Signer, now_s: float, *, settled_s: float = SETTLED_S, progress: Progress | None = None
) -> list[WrittenDigest]:
    """Write the digest of every hour that ended `settled_s` before `now_s` and comes after the newest digest.

    Each is logged in a line of JSON, for those who keep its hash outside the container. Raises `Unavailable` and
    `SigningError`; what was written by then is written, and the next run goes on from there.
    """
    newest, due = _due(store, now_s, settled_s)
    previous = _stored(store, newest) if newest else ZERO_HEAD
    late, written = LateBlobs(store), list[WrittenDigest]()
    for number, hour in enumerate(due):
        if progress:
            progress(number, len(due), hour)
        digest = _digest(store, late, hour, previous, now_s)
        data = encode_digest(digest, signer)
        if _put(store, hour, data):
            previous = sha256_of(data)
            written.append(WrittenDigest(hour, previous, signer.kid))
            _log_witness(digest, written[-1])
        else:
            previous = _stored(store, hour)
    if progress:
        progress(len(due), len(due), "")
    return written


def _due(store: Store, now_s: float, settled_s: float) -> tuple[str | None, list[str]]:
    """The newest hour with a digest of those that are over, and the hours since then that are over too."""
    _tell_of_digests_ahead(store, now_s)
    last_s = _start_s(hour_of(now_s - settled_s - HOUR_S))
    newest = _newest(store, last_s)
    first_s = _start_s(newest) + HOUR_S if newest else _first_s(store, last_s)
    if newest is None and first_s <= last_s:
        first_s = chain_beginning(store, first_s, last_s)
    hours = range(int(first_s), int(last_s) + 1, HOUR_S)
    return newest, [hour_of(start_s) for start_s in hours]


def _newest(store: Store, last_s: float) -> str | None:
    """The newest hour with a digest of those that are over; one from before there were any is not gone on from."""
    newest = newest_hour_before(store, last_s + HOUR_S)
    if newest is None and (first := oldest_digest_hour(store)):
        _log.error("the log's first digest is of %s: a clock was ahead when it was written, or is behind now", first)
    if newest is not None and newest < FIRST_HOUR:
        _log.error("%s is not gone on from: no digest is that old, somebody put it there", digest_name(newest))
        return None
    return newest


def _tell_of_digests_ahead(store: Store, now_s: float) -> None:
    """A clock was ahead when they were written, or is behind now: their hours' blobs must wait for the one after."""
    ahead = digest_hours(store, now_s, now_s + _AHEAD_S)
    if ahead:
        _log.error(
            "there are digests of hours that are not over, %s to %s or later: a clock was ahead when they were "
            "written, or the one here is behind. What is recorded in those hours comes as `late` into the first "
            "digest after them",
            ahead[0],
            ahead[-1],
        )


def _first_s(store: Store, last_s: float) -> float:
    """When the chain begins: the log's first hour. After `last_s`, so that nothing is due, if the log is empty."""
    older = False
    for info in _log_blobs(store):
        if info.name > f"{LOG}{FIRST_HOUR}":
            return _hour_s(info)
        older = True
    return last_s if older else last_s + HOUR_S


def _digest(store: Store, late: LateBlobs, hour: str, previous: str, now_s: float) -> Digest:
    infos = blobs(store, hour)[:MAX_BLOBS]
    older = _older(store, hour) if previous == ZERO_HEAD else late.of(hour)
    return Digest(
        hour=hour,
        previous=previous,
        ts=timestamp(now_s),
        blobs=list(_found(store, infos)),
        late=list(_found(store, islice(older, MAX_BLOBS - len(infos)))),
    )


def _older(store: Store, hour: str) -> Iterator[BlobInfo]:
    """All blobs of earlier hours, for the first digest of all."""
    return takewhile(lambda info: info.name < f"{LOG}{hour}/", _log_blobs(store))


def _found(store: Store, infos: Iterable[BlobInfo]) -> Iterator[DigestedBlob]:
    return (found for info in infos if (found := digest_blob(store, info.name)) is not None)


def _put(store: Store, hour: str, data: bytes) -> bool:
    """Store the digest unless the hour has one; whether what is there now is ours."""
    for _ in range(_ATTEMPTS):
        try:
            store.put(digest_name(hour), data, overwrite=False, content_type="application/json")
        except Exists:
            return digest_bytes(store, hour) == data
        except Ambiguous:  # the reply was lost: ours, another's or none is there; a second try settles which
            found = digest_bytes(store, hour)
            if found is not None:
                return found == data
        else:
            return True
    raise Unavailable(f"the digest of {hour} could not be stored in {_ATTEMPTS} attempts")


def _stored(store: Store, hour: str) -> str:
    """What the next digest names: the SHA-256 of the bytes that are there, whatever they are."""
    found = stored_sha256(store, hour)
    if found is None:
        raise Unavailable(f"the digest of {hour} was there a moment ago and is gone")
    return found


def _log_witness(digest: Digest, written: WrittenDigest) -> None:
    """One line of JSON: a copy of the chain's head, outside the container."""
    found = [*digest.blobs, *digest.late]
    line = {
        "event": "digest",
        "hour": written.hour,
        "sha256": written.sha256,
        "kid": written.kid,
        "blobs": len(found),
        "records": sum(blob.records for blob in found),
    }
    _log.info("%s", json.dumps(line, separators=(",", ":")))


def _log_blobs(store: Store) -> Iterator[BlobInfo]:
    return (info for info in store.list(LOG) if info.append and parse_name(info.name))


def _hour_s(info: BlobInfo) -> float:
    name = parse_name(info.name)
    return _start_s(name.hour) if name else 0.0


def _start_s(hour: str) -> float:
    start_s = hour_start_s(hour)
    if start_s is None:
        raise ValueError(f"{hour!r} is no hour; one is written 2026/11/23/14")
    return start_s
