"""An independent check of the whole log: what was altered, moved, cut off, added or taken away, and where.

It reads every byte of every blob once and believes no listing, size or earlier result. Of each blob: frames, hashes,
positions, chain, readable records, an end (`audit.blob_check`). Between the blobs of a writer: numbers and heads
(`audit.blob_links`). Of the digests: signature, chain, every hour (`audit.digest_chain`); and that each blob is as its
digest says, and none is there that no digest has (`audit.digest_check`).

What the container cannot show by itself stands in audit/README.md; `receipts` and `witnesses` are what was kept
outside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import suppress
from itertools import count, islice

from audit.blob_check import CheckedBlob, check_blob
from audit.blob_links import check_links
from audit.chain_beginning import check_beginning
from audit.container_listing import ContainerListing, list_container, list_log
from audit.digest import BadDigest, digest_name
from audit.digest_chain import DigestChain
from audit.digest_check import DigestCheck
from audit.digest_log import read_digest
from audit.finding import Finding, Progress
from audit.late_blobs import LATE_HOURS
from audit.layout import LOG, LogName, hours_after, parse_name
from audit.reader import in_hours
from audit.receipts import KeptReceipts, PackedReceipts, sequences
from audit.signing import PublicKeys
from audit.store import Store
from audit.witnesses import Witness, check_witnesses

__all__ = ["Finding", "Progress", "verify", "verify_blobs"]

_ASKED_FOR = 100  # blobs that receipts name: each by itself, since the log may be long
_ABSENT_TOLD = 1_000

type _ReadBlob = Callable[[LogName], CheckedBlob]


def verify(
    store: Store,
    since_s: float | None = None,
    until_s: float | None = None,
    *,
    keys: PublicKeys | None = None,
    receipts: KeptReceipts | None = None,
    witnesses: Iterable[Witness] = (),
    now_s: float | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """Every finding in the hours that overlap [since, until), sorted by blob; an empty list is a log that verifies.

    Without `keys` no signature is checked. Receipts and witnesses are checked whatever their hour. `progress` is told
    (read, in all, name) of blobs and digests. Raises `Unavailable` when it could not read everything.
    """
    now_s = time.time() if now_s is None else now_s
    listing, unread = list_container(store, since_s, until_s), receipts.by_blob() if receipts else {}
    chain = DigestChain(store, listing.digests, keys, now_s)
    hours = [hour for hour in chain.hours if in_hours(hour, since_s, until_s)]
    elsewhere = _elsewhere(store, unread.keys() - {str(name) for names in listing.blobs.values() for name in names})
    tell = _teller(progress, sum(map(len, listing.blobs.values())) + len(hours) + len(elsewhere))

    def read_blob(name: LogName) -> CheckedBlob:
        tell(str(name))
        return check_blob(store, name, now_s, unread.pop(str(name), b""))

    checked, listed = _hour_by_hour(listing, set(hours), chain, since_s, read_blob, tell)
    receipts_elsewhere = list(_receipts_elsewhere(store, unread, elsewhere, now_s, tell))
    tell("")
    found = [*listing.foreign, *chain.findings, *chain.gaps(since_s, until_s), *listed.findings]
    if since_s is None or chain.hours[:1] == hours[:1]:  # what the log begins with was asked for
        found += check_beginning(store, chain.hours, now_s)
    found += chain.stale(min(listing.blobs, default=None), since_s, until_s)
    found += (finding for blob in checked.values() for finding in blob.findings)
    found += check_links(store, checked, found, now_s, from_zero=since_s is None)
    found += _not_listed(store, chain, until_s, listed)
    found += receipts_elsewhere
    found += check_witnesses(store, witnesses)
    return sorted(set(found))


def verify_blobs(
    store: Store,
    since_s: float | None = None,
    until_s: float | None = None,
    *,
    now_s: float | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """The same of the log's blobs alone, for a log that has no digests (yet): each blob, and what lies between them."""
    now_s = time.time() if now_s is None else now_s
    listing = list_log(store, since_s, until_s)
    tell = _teller(progress, sum(map(len, listing.blobs.values())))
    checked = {}
    for hour in sorted(listing.blobs):
        for name in listing.blobs[hour]:
            tell(str(name))
            checked[str(name)] = check_blob(store, name, now_s)
    tell("")
    found = [*listing.foreign, *(finding for blob in checked.values() for finding in blob.findings)]
    found += check_links(store, checked, found, now_s, from_zero=since_s is None)
    return sorted(set(found))


def _hour_by_hour(
    listing: ContainerListing,
    digests: set[str],
    chain: DigestChain,
    since_s: float | None,
    read_blob: _ReadBlob,
    tell: Callable[[str], None],
) -> tuple[dict[str, CheckedBlob], DigestCheck]:
    """Every blob and every digest, once; one digest is in memory at a time."""
    checked: dict[str, CheckedBlob] = {}
    listed = DigestCheck(since_s)
    for hour in sorted(listing.blobs.keys() | digests):
        signed = None
        if hour in digests:
            tell(digest_name(hour))
            signed = chain.read(hour)
        here = {str(name): read_blob(name) for name in listing.blobs.get(hour, ())}
        listed.take(here, signed.digest if signed else None)
        checked |= here
    return checked, listed


def _not_listed(store: Store, chain: DigestChain, until_s: float | None, listed: DigestCheck) -> Iterator[Finding]:
    """Blobs that no digest has; one of an hour shortly before `until` may stand in a digest after it."""
    waiting = [blob.name.hour for blob in listed.waiting.values()]
    if until_s is not None and waiting:
        last = (hours_after(max(waiting), LATE_HOURS) or [max(waiting)])[-1]
        for hour in chain.hours:
            if not in_hours(hour, None, until_s) and hour <= last:
                with suppress(BadDigest):
                    later = read_digest(store, hour)
                    if later:
                        listed.take_late(later.digest)
    yield from listed.left_over(chain.hours[0] if chain.hours else None)


def _elsewhere(store: Store, names: Set[str]) -> set[str]:
    """Those of these names that blobs of the log have, if there are so many that a listing is cheaper than asking."""
    named = {name for name in names if parse_name(name)}
    return named if len(named) <= _ASKED_FOR else {info.name for info in store.list(LOG) if info.name in named}


def _receipts_elsewhere(
    store: Store,
    unread: Mapping[str, PackedReceipts],
    there: Set[str],
    now_s: float,
    tell: Callable[[str], None],
) -> Iterator[Finding]:
    """Receipts for blobs of another time, and for blobs that are not there."""
    absent = 0
    for name, packed in sorted(unread.items()):
        parsed = parse_name(name) if name in there else None
        blob = check_blob(store, parsed, now_s, packed) if parsed else None
        if blob is not None and blob.stored is not None:
            tell(name)
            yield from (finding for finding in blob.findings if finding.what == "receipt")
            continue
        absent += 1
        if absent <= _ABSENT_TOLD:
            frames = ", ".join(map(str, islice(sequences(packed), 10)))
            yield Finding(name, "receipt", f"a client's receipt names frame {frames} of it; it is not there")
    if absent > _ABSENT_TOLD:
        more = f"receipts name {absent:,} blobs that are not there; the first {_ABSENT_TOLD:,} by name are told"
        yield Finding(LOG, "receipt", more)


def _teller(progress: Progress | None, total: int) -> Callable[[str], None]:
    """Tells how many were read before this one."""
    numbers = count()

    def tell(name: str) -> None:
        if progress:
            progress(next(numbers), total, name)

    return tell
