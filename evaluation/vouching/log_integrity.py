"""Whether the log of a window is what it was when it was written: its blobs held against its digests.

What `python -m audit verify` does for the whole log is done here for the blobs of one window, with the same parts, so
that a report says by itself whether it can be believed. Not done here: what lies between the blobs of a writer,
receipts, witnesses, and foreign files.

What it costs. Derived data are no evidence, so what an index recorded of a blob is not asked: each blob is read again
when the report is made, once, and hashed as it streams by. A day is read whole. Of a window that stores more than
`most_bytes` as many blobs are read as fit, drawn by lot and in each report anew; of the others, the length is compared
with the digest's. Of blobs of hours without a digest, which take four times as long, an eighth of that is read. (A day
of a million records of 25 features, 1.04 GB, takes 2 to 3 s on two busy cores.)

As of when. Blobs of hours that were not over at `as_of` are `open`, whatever became of them since, and of the digests
only those of hours that were over count (`evaluation.vouching.window_digests` says why). So a report made again says
the same, once the digests of its hours are written; unless the log was altered meanwhile, which it must say. A blob
that no digest lists may still be listed as late for 48 hours, and is no finding before.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from audit.blob_check import CheckedBlob
from audit.digest import Digest, SignedDigest, digest_name
from audit.digest_check import DigestCheck
from audit.finding import Finding as AuditFinding
from audit.late_blobs import LATE_HOURS
from audit.layout import HOUR_S, hour_start_s, hours_after, parse_name
from audit.reader import listed_blobs
from audit.signing import PublicKeys
from audit.store import BlobInfo, Store
from evaluation.pages.numbers import counted
from evaluation.report_format import BlobStates, DigestStates, Finding, LogIntegrity, Window
from evaluation.vouching.blob_proof import NOT_HASHED, proof
from evaluation.vouching.means import READ_BYTES
from evaluation.vouching.window_digests import WindowDigests
from evaluation.windows import at

FINDINGS = 20
UNDIGESTED = 8  # so many times fewer bytes are read of blobs that there is no digest to hold against

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Looked:
    """What came of it, and how many hours lack a digest that was due."""

    integrity: LogIntegrity
    overdue: int


def log_integrity(
    log: Store,
    window: Window,
    as_of: str,
    keys: PublicKeys | None = None,
    *,
    most_bytes: int = READ_BYTES,
    progress: Progress | None = None,
) -> Looked:
    """Look at the window's blobs and digests. Raises `Unavailable`."""
    since_s, until_s, as_of_s = at(window.since), at(window.until), at(as_of)
    digests = WindowDigests(log, since_s, until_s, as_of_s, keys)
    listed = listed_blobs(log, since_s, min(until_s, as_of_s)) if since_s < as_of_s else {}
    over = {hour: listed.pop(hour) for hour in list(listed) if (hour_start_s(hour) or 0) + HOUR_S <= as_of_s}
    stored = [info for infos in over.values() for info in infos]
    chosen = _chosen(over, digests, f"{window.since}:{window.until}:{as_of}", most_bytes)
    held = _Held(log, DigestCheck(since_s), chosen, len(stored), progress)
    for hour in sorted(over.keys() | set(digests.hours)):
        held.take(over.get(hour, []), digests.read(hour))
    for hour in digests.later if held.check.waiting else []:
        held.take_late(digests.read_later(hour))
    findings = sorted({*digests.findings, *held.findings(digests.first)})
    states = held.states(findings, still_open=sum(map(len, listed.values())))
    integrity = LogIntegrity(
        sentence=_sentence(states, digests.states(), len(findings)),
        blobs=states,
        digests=digests.states(),
        stored_bytes=sum(info.size_bytes for info in stored),
        read_bytes=sum(info.size_bytes for info in stored if info.name in chosen),
        findings=[Finding(blob=one.blob, what=f"{one.what}: {one.detail}") for one in findings[:FINDINGS]],
        findings_total=len(findings),
    )
    return Looked(integrity, digests.overdue(as_of_s))


def _chosen(over: Mapping[str, list[BlobInfo]], digests: WindowDigests, seed: str, most_bytes: int) -> frozenset[str]:
    """Blobs to read. Those of hours without a digest are read frame by frame, which takes four times as long."""
    listed = [info for hour, infos in over.items() for info in infos if digests.has(hour)]
    others = [info for hour, infos in over.items() for info in infos if not digests.has(hour)]
    return drawn(listed, seed, most_bytes) | drawn(others, seed, most_bytes // UNDIGESTED)


def drawn(infos: Iterable[BlobInfo], seed: str, most_bytes: int) -> frozenset[str]:
    """Blobs to read: all if they fit into so many bytes, else those of the lowest lots that do."""
    left, chosen = most_bytes, set[str]()
    for info in sorted(infos, key=lambda one: hashlib.sha256(f"{seed}:{one.name}".encode()).digest()):
        if info.size_bytes <= left:
            chosen.add(info.name)
            left -= info.size_bytes
    return frozenset(chosen)


@dataclass
class _Held:
    """The blobs of hours that were over, held against the digests as these are read."""

    log: Store
    check: DigestCheck
    chosen: frozenset[str]
    total: int
    progress: Progress | None
    blobs: dict[str, CheckedBlob] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)  # of blobs that are not read
    own: list[AuditFinding] = field(default_factory=list)
    hours_read: list[str] = field(default_factory=list)  # of digests

    def take(self, infos: list[BlobInfo], signed: SignedDigest | None) -> None:
        """An hour's blobs, and its digest if it has one."""
        digest = signed.digest if signed else None
        entries = {entry.name: entry for entry in digest.blobs} if digest else {}
        here: dict[str, CheckedBlob] = {}
        for info in infos:
            if self.progress:
                self.progress(len(self.blobs) + len(here), self.total, info.name)
            name = parse_name(info.name)
            assert name is not None, "the log lists nothing else"
            if info.name in self.chosen:
                here[info.name] = proof(self.log, name, entries.get(info.name))
            else:
                here[info.name], self.lengths[info.name] = CheckedBlob(name), info.size_bytes
        self.blobs |= here
        if digest:
            self._prove_late(digest)
        self.check.take(here, digest)
        if digest:
            self._note(digest)

    def take_late(self, signed: SignedDigest | None) -> None:
        """A digest after the window, for blobs that wait."""
        if signed:
            self._prove_late(signed.digest)
            self.check.take_late(signed.digest)
            self._note(signed.digest)

    def _prove_late(self, digest: Digest) -> None:
        """Blobs that waited and are listed now have a SHA-256 to be held against."""
        for entry in digest.late:
            blob = self.blobs.get(entry.name)
            if blob and blob.stored and blob.stored.sha256 == NOT_HASHED:
                again = proof(self.log, blob.name, entry)
                blob.stored, blob.findings = again.stored, again.findings

    def _note(self, digest: Digest) -> None:
        self.hours_read.append(digest.hour)
        for entry in (*digest.blobs, *digest.late):
            length = self.lengths.get(entry.name, entry.length)
            if length != entry.length:
                detail = f"its length is {length}, not {entry.length}, by {digest_name(digest.hour)}"
                self.own.append(AuditFinding(entry.name, "altered", detail))

    def findings(self, first: str | None) -> list[AuditFinding]:
        """All of them. A blob that no digest lists is one only when the last that could list it as late did not."""
        last = max(self.hours_read, default="")
        extra = [
            found
            for found in self.check.left_over(first if first in self.hours_read else None)
            if (name := parse_name(found.blob)) and last >= hours_after(name.hour, LATE_HOURS)[-1]
        ]
        own = [found for blob in self.blobs.values() for found in blob.findings]
        return [*self.own, *self.check.findings, *own, *extra]

    def states(self, findings: Iterable[AuditFinding], *, still_open: int) -> BlobStates:
        """Each blob in one state."""
        damaged = {found.blob for found in findings}
        counts = Counter(self._state(name, blob, damaged) for name, blob in self.blobs.items())
        counts["open"] += still_open
        return BlobStates(**counts)

    def _state(self, name: str, blob: CheckedBlob, damaged: set[str]) -> str:
        if name in damaged:
            return "damaged"
        if name not in self.check.waiting:
            return "verified" if blob.stored else "listed"
        if blob.stored is None:
            return "unread"
        return "sealed" if blob.stored.closed else "open"


def _sentence(blobs: BlobStates, digests: DigestStates, findings: int) -> str:
    total = blobs.verified + blobs.listed + blobs.sealed + blobs.open + blobs.damaged + blobs.unread
    if findings:
        return f"{counted(findings, 'finding')} in the log of this window: it is not what it was when it was written."
    if not total:
        return "The log holds no files of this window."
    if not blobs.verified + blobs.listed:
        return f"No digest lists {_of_files(total)} yet; where they were read, they agree with their own hashes."
    one = blobs.verified == 1
    told = f"{blobs.verified:,} of {counted(total, 'log file')} {'is' if one else 'are'} byte for byte as digests list"
    return f"{told} {'it' if one else 'them'}. {_signatures(digests)}"


def _of_files(total: int) -> str:
    return "the only log file of this window" if total == 1 else f"the {total:,} log files of this window"


def _signatures(digests: DigestStates) -> str:
    if digests.not_checked:
        return "No signature was checked: there was no public key."
    if digests.unknown_key:
        many = "is" if digests.unknown_key == 1 else "are"
        return f"{counted(digests.unknown_key, 'digest')} {many} signed by a key that is not known here."
    return "The signatures are good."
