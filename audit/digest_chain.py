"""The digests themselves: readable, signed, one for every hour, each naming the one before it.

They are read in the order of their hours and one at a time. What they say of the log's blobs is for
`audit.digest_check`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from audit.blob_check import SEALED_BY_S
from audit.digest import MAX_DIGEST_BYTES, BadDigest, SignedDigest, decode_digest, digest_name, sha256_of
from audit.digest_log import digest_bytes, stored_sha256
from audit.finding import Finding, What, short
from audit.frames import ZERO_HEAD
from audit.layout import HOUR_S, hour_of, hour_start_s
from audit.records import unix_s
from audit.signing import BadSignature, PublicKeys, UnknownKey
from audit.store import Store

CLOCKS_DIFFER_S = 300  # by so much may the clocks of who writes and who verifies
_TS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


class DigestChain:
    """The digests of a container, `hours` being all that it has, sorted; `findings` grows as they are read."""

    def __init__(self, store: Store, hours: Sequence[str], keys: PublicKeys | None, now_s: float) -> None:
        self._store = store
        self._keys = keys
        self._now_s = now_s
        self._over_s = now_s + CLOCKS_DIFFER_S - HOUR_S  # an hour that began by then may be over
        self.hours = [hour for hour in hours if _start_s(hour) <= self._over_s]
        self.findings = [
            Finding(digest_name(hour), "dated", "its hour is not over yet: it is dated in the future")
            for hour in hours
            if _start_s(hour) > self._over_s
        ]
        self._read: tuple[str, str] = ("", "")  # the newest hour that was read, and the SHA-256 of its digest

    def read(self, hour: str) -> SignedDigest | None:
        """The digest of an hour that has one, `None` if it cannot be read. Raises `Unavailable`."""
        name, data = digest_name(hour), digest_bytes(self._store, hour)
        if data is None:
            self._say(name, "gap", "it was listed, and gone when it was read")
            return None
        before = self._before(hour)
        whole = len(data) <= MAX_DIGEST_BYTES
        self._read = (hour, sha256_of(data) if whole else stored_sha256(self._store, hour) or "")
        try:
            signed = decode_digest(data, hour)
        except BadDigest as problem:
            self._say(name, "altered", f"it is no digest as it would have been written: {short(str(problem))}")
            return None
        self._check_signature(name, signed)
        self._check_place(name, signed, before)
        self._check_time(name, signed)
        return signed

    def gaps(self, since_s: float | None, until_s: float | None) -> Iterator[Finding]:
        """Hours of [since, until) that have no digest though one before and one after them do."""
        for hour, following in zip(self.hours, self.hours[1:], strict=False):
            first_s, end_s = _start_s(hour) + HOUR_S, _start_s(following)
            if first_s < end_s and (since_s is None or end_s > since_s) and (until_s is None or first_s < until_s):
                absent = int((end_s - first_s) // HOUR_S)
                which = "this hour has" if absent == 1 else f"{absent} hours from this one on have"
                detail = f"{which} no digest, but {hour} before and {following} after it do"
                yield Finding(digest_name(hour_of(first_s)), "gap", detail)

    def stale(self, oldest_blobs: str | None, since_s: float | None, until_s: float | None) -> Iterator[Finding]:
        """The newest digest, if it is not that of the newest hour that is long over.

        `oldest_blobs` is the oldest hour of [since, until) with blobs.
        """
        due_s = (self._now_s - SEALED_BY_S) // HOUR_S * HOUR_S  # the beginning of that hour
        if not self.hours:
            if oldest_blobs is not None and _start_s(oldest_blobs) <= due_s:
                detail = "there is no digest at all, though the log has hours that are long over"
                yield Finding(digest_name(oldest_blobs), "stale", detail)
            return
        newest = self.hours[-1]
        first_s = _start_s(newest) + HOUR_S
        if due_s < first_s or (until_s is not None and first_s >= until_s):
            return
        if since_s is None or due_s + HOUR_S > since_s:
            behind = f"{int((due_s - first_s) // HOUR_S) + 1} later hours are long over"
            yield Finding(digest_name(newest), "stale", f"it is the newest digest, but {behind} and have none")

    def _before(self, hour: str) -> str | None:
        """The SHA-256 of the digest of the hour before, `None` if there is none."""
        start_s = _start_s(hour)
        before = hour_of(start_s - HOUR_S) if start_s - HOUR_S >= _start_s(self.hours[0]) else ""
        if before and before == self._read[0]:
            return self._read[1]
        return stored_sha256(self._store, before) if before else None

    def _check_signature(self, name: str, signed: SignedDigest) -> None:
        if self._keys is None:
            return
        try:
            self._keys.check(signed.kid, signed.signed, signed.signature)
        except UnknownKey as problem:
            self._say(name, "unknown key", short(str(problem)))
        except BadSignature as problem:
            self._say(name, "bad signature", short(str(problem)))

    def _check_place(self, name: str, signed: SignedDigest, before: str | None) -> None:
        previous = signed.digest.previous
        if before is None:
            if previous != ZERO_HEAD and signed.digest.hour == self.hours[0]:
                follows = f"it follows a digest with the SHA-256 {previous}, but there is none before it"
                self._say(name, "gap", follows)
        elif previous != before:
            detail = f"it follows a digest with the SHA-256 {previous}; the one of the hour before it has {before}"
            self._say(name, "chain", detail)

    def _check_time(self, name: str, signed: SignedDigest) -> None:
        ts = signed.digest.ts
        try:
            written_s = unix_s(ts) if _TS.fullmatch(ts) else None
        except ValueError:
            written_s = None
        if written_s is None:
            self._say(name, "altered", f"its `ts` is no time: {short(repr(ts))}")
        elif written_s > self._now_s + CLOCKS_DIFFER_S:
            self._say(name, "dated", f"it was written at {ts}, which is in the future")
        elif written_s < _start_s(signed.digest.hour) + HOUR_S:
            self._say(name, "dated", f"it was written at {ts}, before its hour was over")

    def _say(self, name: str, what: What, detail: str) -> None:
        self.findings.append(Finding(name, what, detail))


def _start_s(hour: str) -> float:
    return hour_start_s(hour) or 0.0
