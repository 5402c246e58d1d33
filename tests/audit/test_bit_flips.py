"""Every bit of a small log and of its digests counts: each one, turned over by itself, is found.

What was not changed reads as it did before, so it is checked once and remembered: only the changed bytes are read anew.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import ClassVar

import pytest

from audit import digest_chain, verify
from audit.blob_check import CheckedBlob, check_blob
from audit.digest import decode_digest
from audit.layout import LogName, hours_after
from audit.memory_store import MemoryStore
from audit.receipts import PackedReceipts
from audit.seal import seal_hour
from audit.signing import PublicKeys
from audit.store import BlobInfo, Store
from tests.audit.digests import SIGNER, digest_all
from tests.audit.examples import HOUR, NOON_S, Clock, appender, lines

NEXT_HOUR = hours_after(HOUR, 1)[0]
NOW_S = NOON_S + 3 * 3600 + 600


def small_log() -> MemoryStore:
    """Two writers, three blobs, two hours; one writer died before its first frame. Two digests."""
    store, clock = MemoryStore(), Clock()
    writer = appender(store, clock=clock)
    writer.append(lines("a"))
    store.create(f"log/v1/{HOUR}/died-0.jsonl")
    clock.now_s += 3600
    writer.append(lines("b"))
    writer.leave()
    for hour in (HOUR, NEXT_HOUR):
        seal_hour(store, hour)
    digest_all(store, HOUR, 2)
    return store


LOG = [info.name for info in small_log().list()]


class OneChanged(MemoryStore):
    """The small log, of which one blob or digest may have other bytes."""

    def __init__(self, log: MemoryStore) -> None:
        super().__init__()
        self._log = {info.name: log.read(info.name) for info in log.list()}
        self._infos = list(log.list())
        self.changed = ("", b"")

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        data = self.bytes_of(name)
        return data[start : None if length is None else start + length]

    def bytes_of(self, name: str) -> bytes:
        return self.changed[1] if name == self.changed[0] else self._log[name]

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        return (info for info in self._infos if info.name.startswith(prefix))


class RememberingKeys(PublicKeys):
    """Remembers which signatures are good."""

    good: ClassVar[set[tuple[str, bytes, bytes]]] = set()

    def check(self, kid: str, data: bytes, signature: bytes) -> None:
        if (kid, data, signature) not in self.good:
            super().check(kid, data, signature)
            self.good.add((kid, data, signature))


KEYS = RememberingKeys.of_pem(SIGNER.public_key_pem)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> OneChanged:
    """A store of the small log, whose blobs are checked once as long as they are not the changed one."""
    blobs: dict[str, CheckedBlob] = {}

    def check(store: Store, name: LogName, now_s: float, receipts: PackedReceipts = b"") -> CheckedBlob:
        assert isinstance(store, OneChanged)
        if str(name) == store.changed[0]:
            return check_blob(store, name, now_s, receipts)
        if str(name) not in blobs:
            blobs[str(name)] = check_blob(store, name, now_s, receipts)
        return blobs[str(name)]

    monkeypatch.setattr(verify, "check_blob", check)
    monkeypatch.setattr(digest_chain, "decode_digest", functools.lru_cache(maxsize=4)(decode_digest))
    return OneChanged(small_log())


def test_nothing_is_found_in_the_log_itself(store: OneChanged) -> None:
    assert verify.verify(store, keys=KEYS, now_s=NOW_S) == []


@pytest.mark.parametrize("name", LOG)
def test_every_bit_counts(name: str, store: OneChanged) -> None:
    whole = store.bytes_of(name)
    unseen = []
    for at in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            store.changed = (name, bytes(changed))
            if not verify.verify(store, keys=KEYS, now_s=NOW_S):
                unseen.append((at, bit))
    assert unseen == []
