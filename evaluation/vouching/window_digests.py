"""The digests that a report may go by: those of hours that were over at its `as_of`, and no others.

A digest is written once, some minutes after its hour. When it was written does not count: a report as of the end of an
hour would else never see the digest of that hour. So a report that is made before the digest says "none yet", and made
again afterwards it counts; from then on it says the same for ever, since digests of later hours, also where they list a
blob of the window as late, are not looked at.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from audit.digest import BadDigest, SignedDigest, digest_name
from audit.digest_chain import DigestChain
from audit.digest_log import digest_hours, newest_hour_before, read_digest
from audit.finding import Finding, short
from audit.late_blobs import LATE_HOURS
from audit.layout import HOUR_S, hour_of, hour_start_s
from audit.signing import BadSignature, PublicKeys, UnknownKey
from audit.store import Store
from evaluation.report_format import DigestStates
from evaluation.windows import hour_start


class WindowDigests:
    """The digests of the hours [since, until) that were over at `as_of`, and of those after them that may list their
    blobs as late. `hours` are the window's that were over; `findings` grows as digests are read."""

    def __init__(self, log: Store, since_s: float, until_s: float, as_of_s: float, keys: PublicKeys | None) -> None:
        self._log, self._since_s, self._until_s, self._keys = log, since_s, until_s, keys
        over_s = math.floor(as_of_s / HOUR_S) * HOUR_S
        self.hours = [hour_of(start) for start in _starts(since_s, min(until_s, over_s))]
        listed = digest_hours(log, since_s - HOUR_S, max(since_s, min(over_s, until_s + LATE_HOURS * HOUR_S)))
        if hour_of(since_s - HOUR_S) not in listed and (before := newest_hour_before(log, since_s - HOUR_S)):
            listed = [before, *listed]
        self._listed = listed
        self._chain = DigestChain(log, listed, None, math.inf)  # no clock: only what the digests say themselves counts
        self._states: Counter[str] = Counter()
        self._unsigned: list[Finding] = []

    @property
    def later(self) -> list[str]:
        """Hours after the window whose digests may list a blob of it as late."""
        return [hour for hour in self._listed if _start_s(hour) >= self._until_s]

    @property
    def first(self) -> str | None:
        """The oldest hour with a digest that is known of."""
        return self._listed[0] if self._listed else None

    @property
    def findings(self) -> list[Finding]:
        """What is wrong with the digests that were read, and hours of the window without one between others.

        That the oldest digest of all names one that is gone is not: a rule may have removed what is older than this
        window.
        """
        oldest = digest_name(self._listed[0]) if self._listed else ""
        chain = [found for found in self._chain.findings if (found.blob, found.what) != (oldest, "gap")]
        return [*chain, *self._unsigned, *self._chain.gaps(self._since_s, self._until_s)]

    def has(self, hour: str) -> bool:
        """Whether an hour has a digest, readable or not."""
        return hour in self._listed

    def read(self, hour: str) -> SignedDigest | None:
        """The digest of an hour of the window; None if it has none that can be read. Raises `Unavailable`."""
        if hour not in self._listed:
            older = self._listed and self._listed[0] < hour
            self._states["missing" if older else "before_first"] += 1
            return None
        signed = self._chain.read(hour)
        self._states["unreadable" if signed is None else self._signature(signed)] += 1
        return signed

    def read_later(self, hour: str) -> SignedDigest | None:
        """The digest of an hour after the window; one that cannot be read is for a report on its own hour to tell."""
        try:
            return read_digest(self._log, hour)
        except BadDigest:
            return None

    def overdue(self, as_of_s: float) -> int:
        """Hours of the window at its end that have no digest, though it was due and older hours have one."""
        newest = self._listed[-1] if self._listed else "9"
        return sum(newest < hour and _start_s(hour) + 2 * HOUR_S <= as_of_s for hour in self.hours)

    def states(self) -> DigestStates:
        """The window's hours, counted."""
        own = [hour for hour in self.hours if hour in self._listed]
        return DigestStates(hours=len(self.hours), newest=hour_start(own[-1]) if own else None, **self._states)

    def _signature(self, signed: SignedDigest) -> str:
        if self._keys is None:
            return "not_checked"
        try:
            self._keys.check(signed.kid, signed.signed, signed.signature)
        except UnknownKey:
            return "unknown_key"
        except BadSignature as problem:
            self._unsigned.append(Finding(digest_name(signed.digest.hour), "bad signature", short(str(problem))))
            return "bad_signature"
        return "valid"


def _starts(since_s: float, until_s: float) -> Iterator[float]:
    return (since_s + number * HOUR_S for number in range(max(0, round((until_s - since_s) / HOUR_S))))


def _start_s(hour: str) -> float:
    return hour_start_s(hour) or 0.0
