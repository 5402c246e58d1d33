"""What lies between the blobs of a writer: their numbers, and the head at which each says that the one before ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from audit.blob_check import CheckedBlob, check_blob
from audit.errors import NotFound
from audit.finding import Finding, short
from audit.layout import parse_name
from audit.store import Store


def check_links(
    store: Store, checked: Mapping[str, CheckedBlob], told: Iterable[Finding], now_s: float, *, from_zero: bool
) -> list[Finding]:
    """What is wrong between these blobs; a blob `told` as missing already is not told by its number once more.

    `from_zero` if all blobs of the log are here. Raises `Unavailable`.
    """
    found = list(_links(store, checked, now_s))
    missing = {finding.blob for finding in (*told, *found) if finding.what == "missing"}
    return found + list(_numbering(checked.values(), missing, from_zero=from_zero))


def _links(store: Store, checked: Mapping[str, CheckedBlob], now_s: float) -> Iterator[Finding]:
    writers: dict[str, dict[int, CheckedBlob]] = defaultdict(dict)
    for blob in checked.values():
        writers[blob.name.writer][blob.name.n] = blob
    for name, blob in sorted(checked.items()):
        if not blob.opened:
            continue
        before = blob.previous_blob
        parsed = parse_name(before) if before is not None else None
        if before is not None and (not parsed or parsed.writer != blob.name.writer or parsed.n >= blob.name.n):
            yield Finding(name, "chain", f"its `open` frame says that it follows {short(repr(before))}: it cannot")
            continue
        if before is not None:
            yield from _link(before, blob, checked.get(before) or _outside(store, before, now_s))
        yield from _left_out(blob, parsed.n if parsed else -1, writers[blob.name.writer])


def _link(before: str, blob: CheckedBlob, previous: CheckedBlob | None) -> Iterator[Finding]:
    """The blob before must be there, and end where this one's `open` frame says."""
    if previous is None:
        yield Finding(before, "missing", f"its writer filled it before {blob.name}, which says so; it is not there")
    elif previous.sound and blob.previous_head not in previous.ends:
        left = f"its writer left it at head {blob.previous_head}, as {blob.name} says; it ends otherwise"
        yield Finding(before, "chain", left)


def _left_out(blob: CheckedBlob, after: int, named: Mapping[int, CheckedBlob]) -> Iterator[Finding]:
    """A writer's next blob names the last one that it knows of, and it knows of every one that holds records."""
    for n, other in sorted(named.items()):
        if after < n < blob.name.n and other.filled:
            detail = f"it holds records, but by its `open` frame {blob.name}, which comes later, does not follow it"
            yield Finding(str(other.name), "chain", detail)


def _outside(store: Store, name: str, now_s: float) -> CheckedBlob | None:
    """A blob of an hour that is not verified now, read for its end only."""
    parsed = parse_name(name)
    if parsed is None:
        return None
    try:
        store.size(name)
    except NotFound:
        return None
    return check_blob(store, parsed, now_s)


def _numbering(checked: Iterable[CheckedBlob], missing: set[str], *, from_zero: bool) -> Iterator[Finding]:
    """A writer counts its blobs from 0 and leaves none out."""
    numbers: dict[str, dict[int, str]] = defaultdict(dict)
    for blob in checked:
        named = numbers[blob.name.writer]
        if blob.name.n in named:
            yield Finding(
                str(blob.name), "extra", f"its writer has a blob of that number already: {named[blob.name.n]}"
            )
        named[blob.name.n] = str(blob.name)
    told = {(name.writer, name.n) for name in map(parse_name, missing) if name}
    for writer, named in numbers.items():
        expected = 0 if from_zero else min(named)
        for n in sorted(named):
            if n > expected and not all((writer, absent) in told for absent in range(expected, min(n, expected + 99))):
                which = f"blob {expected}" if n == expected + 1 else f"blobs {expected} to {n - 1}"
                yield Finding(named[n], "missing", f"it follows {which} of writer {writer}, which cannot be found")
            expected = n + 1
