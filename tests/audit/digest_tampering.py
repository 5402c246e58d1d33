"""What somebody with the right to write to the container may do to a log with digests, and what must be said of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from audit.digest import BEGINS, Digest, digest_name, encode_digest, sha256_of
from audit.frames import ZERO_HEAD
from audit.layout import hours_after
from audit.signing import Signer
from tests.audit.digests import SIGNER, STRANGER, digest_all, digest_of
from tests.audit.examples import HOUR, NOON_S
from tests.audit.tampering import (
    FIRST,
    OTHER,
    SECOND,
    THIRD,
    Log,
    forged_chain,
    frames_of,
    other_record,
    rewritten,
    same,
    store_of,
    stored,
    whole_log,
)

HOURS = [HOUR, *hours_after(HOUR, 2)]
DIGESTS = AT_12, AT_13, AT_14 = tuple(digest_name(hour) for hour in HOURS)
NOW_S = NOON_S + 4 * 3600 + 300  # the last of these hours is just long over
MADE_UP = f"log/v1/{HOUR}/made-up-0.jsonl"


class Forger:
    """Signs with a key of its own and says that it is ours."""

    kid = SIGNER.kid
    public_key_pem = SIGNER.public_key_pem
    sign = staticmethod(STRANGER.sign)


@dataclass(frozen=True)
class Scenario:
    """A log that was tampered with, and all that must be found in it."""

    log: Log
    found: set[tuple[str, str]]


def digested(log: Log, signer: Signer = SIGNER) -> Log:
    """The log's blobs with a digest for each of the three hours."""
    store = store_of({name: data for name, data in log.items() if name.startswith("log/")})
    digest_all(store, HOUR, len(HOURS), signer)
    return {info.name: store.read(info.name) for info in store.list()}


def scenarios() -> Iterator[tuple[str, Scenario]]:
    """By what was done."""
    log = digested(whole_log())
    yield from _of_blobs(log)
    yield from _of_digests(log)
    yield from _of_entries(log)
    yield from _of_the_beginning(log)


def _of_blobs(log: Log) -> Iterator[tuple[str, Scenario]]:
    frames = frames_of(log, THIRD)
    _open, one, two, three, close = (stored(log, frame) for frame in frames)
    yield "nothing", Scenario(log, set())
    for name in (FIRST, OTHER, SECOND, THIRD):
        rest = {other: data for other, data in log.items() if other != name}
        yield f"{name} removed", Scenario(rest, {(name, "missing")})
    yield (
        "newest blob removed and its hour digested anew without the key",
        Scenario(_newest_digest(log, {THIRD: None}, Forger()), {(AT_14, "bad signature")}),
    )
    forged = rewritten(THIRD, frames, other_record)
    yield "a record altered, all hashes made anew", Scenario(log | {THIRD: forged}, {(THIRD, "altered")})
    made_up = rewritten(MADE_UP, frames_of(log, OTHER), lambda n, frame: [b'{"writer":"made-up"}'] if not n else [])
    yield "a blob of a writer that never was", Scenario(log | {MADE_UP: made_up}, {(MADE_UP, "extra")})
    moved = THIRD.replace("/14/", "/13/")
    rest = {name: data for name, data in log.items() if name != THIRD}
    found = {(THIRD, "missing"), (moved, "altered"), (moved, "extra")}
    yield "a blob moved to another hour", Scenario(rest | {moved: log[THIRD]}, found)
    found = {(THIRD, "missing"), (moved, "extra")}
    anew = rewritten(moved, frames, same)
    yield "a blob moved to another hour, all hashes made anew", Scenario(rest | {moved: anew}, found)
    yield "frames reordered", Scenario(log | {THIRD: _open + two + one + three + close}, {(THIRD, "altered")})
    found = {(THIRD, "after close"), (THIRD, "altered")}
    yield "bytes after `close`", Scenario(log | {THIRD: log[THIRD] + b"\n"}, found)
    yield "a second `close`", Scenario(log | {THIRD: log[THIRD] + close}, found)
    yield "a torn tail", Scenario(log | {THIRD: log[THIRD][:-2]}, {(THIRD, "torn"), (THIRD, "altered")})
    found = {(THIRD, "not closed"), (THIRD, "altered")}
    yield "the end cut off", Scenario(log | {THIRD: _open + one + two}, found)
    shorter = rewritten(THIRD, [*frames[:2], frames[-1]], same)
    yield "frames cut off and closed anew", Scenario(log | {THIRD: shorter}, {(THIRD, "altered")})
    yield "a blob of zero bytes in its place", Scenario(log | {THIRD: b""}, {(THIRD, "empty"), (THIRD, "altered")})
    empty = f"log/v1/{HOURS[2]}/empty-0.jsonl"
    yield "one more blob of zero bytes", Scenario(log | {empty: b""}, {(empty, "empty"), (empty, "extra")})
    for name in ("notes.txt", "log/v2/x", f"log/v1/{HOUR}/notes.txt", f"{AT_12}.bak", "digest/v1/newest.json"):
        yield f"a foreign file: {name}", Scenario(log | {name: b"hello"}, {(name, "foreign")})


def _of_digests(log: Log) -> Iterator[tuple[str, Scenario]]:
    blobs = {name: data for name, data in log.items() if name.startswith("log/")}
    yield "all digests removed", Scenario(blobs, {(AT_12, "stale")})
    without = {name: data for name, data in log.items() if name != AT_13}
    yield "a digest removed", Scenario(without, {(AT_13, "gap")})
    without = {name: data for name, data in log.items() if name != AT_14}
    yield "the newest digest removed", Scenario(without, {(AT_13, "stale")})
    without = {name: data for name, data in log.items() if name != AT_12}
    found = {(AT_13, "gap"), (FIRST, "extra"), (OTHER, "extra"), (BEGINS, "chain")}
    yield "the first digest removed", Scenario(without, found)
    found = {(name, "bad signature") for name in DIGESTS}
    forged = digested(forged_chain(), Forger())
    yield "a record altered, blobs and digests made anew without the key", Scenario(forged, found)
    found = {(name, "unknown key") for name in DIGESTS}
    yield "all digests signed with another key", Scenario(digested(log, STRANGER), found)
    forged = _newest_digest(log, {}, STRANGER)
    yield "the newest digest signed with another key", Scenario(forged, {(AT_14, "unknown key")})
    signed_anew = encode_digest(digest_of(store_of(log), HOURS[1], sha256_of(log[AT_12])), Forger())
    found = {(AT_13, "bad signature"), (AT_14, "chain")}
    yield "a digest with another signature", Scenario(log | {AT_13: signed_anew}, found)
    yield (
        "a digest in the place of another",
        Scenario(log | {AT_13: log[AT_12]}, {(AT_13, "altered"), (AT_14, "chain")}),
    )
    for what, data in (("emptied", b""), ("cut off", log[AT_14][:-1]), ("with a newline", log[AT_14] + b"\n")):
        yield f"the newest digest {what}", Scenario(log | {AT_14: data}, {(AT_14, "altered")})
    ahead = digest_name(hours_after(HOUR, 9)[-1])
    yield "a digest of an hour to come", Scenario(log | {ahead: log[AT_14]}, {(ahead, "dated")})


def _of_entries(log: Log) -> Iterator[tuple[str, Scenario]]:
    """Digests that only who holds the key can write."""
    digest = digest_of(store_of(log), HOURS[2], sha256_of(log[AT_13]))
    (entry,) = digest.blobs
    replace = msgspec.structs.replace
    for field, value in (("length", 1), ("sha256", "0" * 64), ("head", ZERO_HEAD), ("frames", 1), ("records", 0)):
        other = replace(digest, blobs=[replace(entry, **{field: value})])
        yield f"a digest with another {field}", Scenario(_with(log, other), {(THIRD, "altered")})
    yield "a digest that does not list a blob", Scenario(_with(log, replace(digest, blobs=[])), {(THIRD, "extra")})
    yield "a blob listed twice", Scenario(_with(log, replace(digest, blobs=[entry, entry])), {(THIRD, "twice")})
    again = digest_of(store_of(log), HOURS[2], sha256_of(log[AT_13]), late=[FIRST])
    yield "a blob listed again as late", Scenario(_with(log, again), {(FIRST, "twice")})
    for name in (SECOND, AT_14, "nonsense"):
        other = replace(digest, blobs=[entry, replace(entry, name=name)])
        yield f"a digest that lists {name} among its hour's", Scenario(_with(log, other), {(AT_14, "altered")})
    yield "a digest without a time", Scenario(_with(log, replace(digest, ts="soon")), {(AT_14, "altered")})
    for ts in ("2026-11-24T00:00:00.000000Z", "2026-11-23T14:59:59.999999Z"):
        yield f"a digest written at {ts}", Scenario(_with(log, replace(digest, ts=ts)), {(AT_14, "dated")})
    other = replace(digest, previous=ZERO_HEAD)
    yield "a digest that follows none", Scenario(_with(log, other), {(AT_14, "chain")})


def _of_the_beginning(log: Log) -> Iterator[tuple[str, Scenario]]:
    without = {name: data for name, data in log.items() if name != BEGINS}
    yield "the beginning removed", Scenario(without, {(BEGINS, "missing")})
    for hour in (HOURS[1], "2026/11/23/11", "9999/12/31/23"):
        said = b'{"v":1,"hour":"%b"}' % hour.encode()
        yield f"a beginning at {hour}", Scenario(log | {BEGINS: said}, {(BEGINS, "chain")})
    whole = log[BEGINS]
    for what, data in (("emptied", b""), ("cut off", whole[:-1]), ("with a newline", whole + b"\n"), ("{}", b"{}")):
        yield f"the beginning {what}", Scenario(log | {BEGINS: data}, {(BEGINS, "altered")})
    blobs = {name: data for name, data in log.items() if name.startswith("log/")}
    for hour, what in ((HOURS[0], ""), ("2026/11/23/17", "dated"), ("2026/13/23/17", "altered")):
        said = b'{"v":1,"hour":"%b"}' % hour.encode()
        found = {(AT_12, "stale")} | ({(BEGINS, what)} if what else set())
        yield f"all digests removed but a beginning at {hour}", Scenario(blobs | {BEGINS: said}, found)


def _with(log: Log, digest: Digest) -> Log:
    return log | {AT_14: encode_digest(digest, SIGNER)}


def _newest_digest(log: Log, changes: dict[str, bytes | None], signer: Signer) -> Log:
    """The log with some blobs changed and its newest digest made for that."""
    changed = {name: data for name, data in (log | changes).items() if data is not None}
    digest = digest_of(store_of(changed), HOURS[2], sha256_of(changed[AT_13]))
    return changed | {AT_14: encode_digest(digest, signer)}
