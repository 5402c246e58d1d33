"""What the digests say of the blobs, held against the blobs as they are stored.

Hour by hour: `take` gets an hour's blobs and its digest, in order. A blob that the digest of its hour does not have
waits for a later one that lists it as late; those that none has are `extra`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from audit.blob_check import CheckedBlob
from audit.digest import Digest, DigestedBlob, digest_name
from audit.finding import Finding, short
from audit.layout import parse_name
from audit.reader import in_hours

_TOLD = 100  # findings about the entries of one digest, which may be hostile


class DigestCheck:
    """Which blobs are listed, and by which digest; `findings` grows. `since_s` is where the verified time begins."""

    def __init__(self, since_s: float | None) -> None:
        self.findings: list[Finding] = []
        self.waiting: dict[str, CheckedBlob] = {}  # listed by no digest so far
        self._since_s = since_s
        self._blobs: dict[str, CheckedBlob] = {}
        self._listed: dict[str, str] = {}  # by blob: the digest that lists it
        self._digested: set[str] = set()  # hours

    def take(self, blobs: Mapping[str, CheckedBlob], digest: Digest | None) -> None:
        """One hour: its blobs, and its digest if it has one that can be read."""
        self._blobs.update(blobs)
        self.waiting.update(blobs)
        if digest is not None:
            self._digested.add(digest.hour)
            self._tell(digest, self._entries(digest, digest.blobs, late=False))
            self._tell(digest, self._entries(digest, digest.late, late=True))

    def take_late(self, digest: Digest) -> None:
        """A digest that is read for nothing but the blobs that wait."""
        awaited = [entry for entry in digest.late if entry.name in self.waiting]
        self._tell(digest, self._entries(digest, awaited, late=True))

    def left_over(self, first: str | None) -> Iterator[Finding]:
        """Blobs that wait in vain: their hour's digest was read, or is before the `first` digest of all."""
        for name, blob in sorted(self.waiting.items()):
            hour = blob.name.hour
            if hour in self._digested:
                at = digest_name(hour)
                yield Finding(
                    name,
                    "extra",
                    f"{at} does not list it, nor does a later one as late. If its writer's clock was behind, the next "
                    "digest will; else it was added after its hour was digested",
                )
            elif first is not None and hour < first:
                yield Finding(name, "extra", f"its hour is before the first digest, that of {first}, and none lists it")

    def _entries(self, digest: Digest, entries: Iterable[DigestedBlob], *, late: bool) -> Iterator[Finding]:
        at = digest_name(digest.hour)
        for entry in entries:
            name = parse_name(entry.name)
            if name is None or not (name.hour < digest.hour if late else name.hour == digest.hour):
                where = "among its late blobs" if late else "among the blobs of its hour"
                yield Finding(at, "altered", f"it lists {short(repr(entry.name))} {where}, where that cannot be")
            elif entry.name in self._blobs:
                yield from self._listed_blob(entry, at)
            elif in_hours(name.hour, self._since_s, None):
                yield Finding(entry.name, "missing", f"{at} lists it, with {entry.length} bytes; it is not there")

    def _listed_blob(self, entry: DigestedBlob, at: str) -> Iterator[Finding]:
        before = self._listed.setdefault(entry.name, at)
        if self.waiting.pop(entry.name, None) is None:
            again = "again" if before == at else f"though {before} does already"
            yield Finding(entry.name, "twice", f"{at} lists it {again}")
        stored = self._blobs[entry.name].stored
        if stored is not None and stored != entry:
            yield Finding(entry.name, "altered", f"{_differences(stored, entry)}, by {at}")

    def _tell(self, digest: Digest, found: Iterator[Finding]) -> None:
        self.findings += islice(found, _TOLD)
        if next(found, None):
            more = f"after {_TOLD} findings about its entries no more were looked at"
            self.findings.append(Finding(digest_name(digest.hour), "altered", more))


def _differences(stored: DigestedBlob, entry: DigestedBlob) -> str:
    """What is not as the digest says, such as "its length is 300, not 280"."""
    said = []
    for field, words in (
        ("length", "its length is"),
        ("sha256", "its SHA-256 is"),
        ("head", "its last head is"),
        ("frames", "its number of frames is"),
        ("records", "its number of records is"),
        ("closed", "whether it is closed is"),
    ):
        found, wanted = getattr(stored, field), getattr(entry, field)
        if found != wanted:
            said.append(f"{words} {found}, not {wanted}".replace("True", "true").replace("False", "false"))
    return ", ".join(said)
