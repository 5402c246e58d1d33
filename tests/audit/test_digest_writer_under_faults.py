"""Writing digests while storage, keys, processes and other timers do what they may."""

from __future__ import annotations

import hashlib
import logging
import threading
import uuid
from collections.abc import Iterator

import pytest

from audit.azure_store import Account
from audit.digest_writer import WrittenDigest, write_digests
from audit.errors import Ambiguous, Unavailable
from audit.memory_store import MemoryStore
from audit.signing import SigningError
from audit.store import BlobInfo, Store
from infra.local.azurite import Azurite
from tests.audit.digested import (
    SIGNER,
    after,
    chain,
    hour,
    late,
    log_of_hours,
    names,
    record_in,
    stored,
    witnesses,
    write,
)
from tests.audit.examples import NOON_S, Clock, appender, lines
from tests.audit.faulty_store import FaultyStore


def test_an_outage_ends_the_run_and_the_next_one_does_the_rest() -> None:
    inner, clock = log_of_hours(0, 1)
    store = FaultyStore(inner)
    store.outage = True
    with pytest.raises(Unavailable):
        write(store, clock, 2)
    store.outage = False
    store.fates.extend(["ok", "down"])
    with pytest.raises(Unavailable):
        write(store, clock, 2)
    assert list(chain(inner)) == [hour(0)]
    assert write(store, clock, 2) == [hour(1), hour(2)]
    assert len(chain(inner)) == 3


@pytest.mark.parametrize("fate", ["reply lost", "lost", "late"])
def test_a_lost_reply_is_looked_into(fate: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hyperplane.audit")
    inner, clock = log_of_hours(0)
    store = FaultyStore(inner, [fate])  # type: ignore[list-item]
    assert write(store, clock, 0) == [hour(0)]
    before = stored(inner, hour(0))
    store.deliver_late()
    assert stored(inner, hour(0)) == before
    assert len(witnesses(caplog)) == 1
    assert write(store, clock, 1) == [hour(1)]
    assert len(chain(inner)) == 2


def test_replies_that_are_lost_again_and_again_end_the_run() -> None:
    inner, clock = log_of_hours(0)
    store = FaultyStore(inner, ["lost"] * 3)
    with pytest.raises(Unavailable, match=r"digest of 2026/11/23/12 could not be stored"):
        write(store, clock, 0)
    assert write(store, clock, 0) == [hour(0)]


class Interrupted(MemoryStore):
    """Another timer is always a moment earlier; our own call may lose its reply, or be refused."""

    def __init__(self, clock: Clock, *, lost: bool) -> None:
        super().__init__(clock)
        self.lost = lost
        self.theirs: list[WrittenDigest] = []
        self._busy = False

    def put(self, name: str, data: bytes, *, overwrite: bool, content_type: str = "application/octet-stream") -> None:
        if not self._busy:
            self._busy = True
            record_in(self, 0, "between", writer=f"z{len(self.theirs)}")
            self.theirs += write_digests(self, SIGNER, after(len(self.theirs)))
            self._busy = False
            if self.lost:
                raise Ambiguous("the reply was lost")
        super().put(name, data, overwrite=overwrite, content_type=content_type)


@pytest.mark.parametrize("lost", [False, True])
def test_who_comes_second_goes_on_from_the_others_digest(lost: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hyperplane.audit")
    clock = Clock(after(2))
    store = Interrupted(clock, lost=lost)
    record_in(store, 0, "a", writer="w")
    assert write_digests(store, SIGNER, after(2)) == []
    found = chain(store)
    assert [digest.hour for digest in store.theirs] == list(found) == [hour(0), hour(1), hour(2)]
    assert [len(names(digest)) + len(late(digest)) for digest in found.values()] == [2, 1, 1]
    assert len(witnesses(caplog)) == 3, "each is said by who wrote it"


def test_timers_that_run_at_once_write_each_digest_once() -> None:
    store, clock = log_of_hours(0, 1, 2, 3)
    clock.now_s = after(30)
    written: list[WrittenDigest] = []
    start = threading.Barrier(4)

    def run() -> None:
        start.wait(20)
        written.extend(write_digests(store, SIGNER, after(30)))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = chain(store)
    assert sorted(digest.hour for digest in written) == list(found)
    assert len(found) == 31
    assert {digest.sha256 for digest in written} == {hashlib.sha256(stored(store, name)).hexdigest() for name in found}


class Killed(BaseException):
    """The process ends here."""


class Mortal(FaultyStore):
    """Ends the process at its n-th call that changes something: before it is done, or right after."""

    def __init__(self, store: Store, at: int, *, done: bool) -> None:
        super().__init__(store)
        self._left, self._done = at, done

    def _change(self, what: str, call: object) -> None:
        self._left -= 1
        if self._left < 0 and not self._done:
            raise Killed
        super()._change(what, call)  # type: ignore[arg-type]
        if self._left < 0:
            raise Killed


def scene() -> MemoryStore:
    store, _ = log_of_hours(2)
    record_in(store, 0, "a", writer="open-1", close=False)
    record_in(store, 0, "b", writer="open-2", close=False)
    return store


def copy_of(store: MemoryStore, clock: Clock) -> MemoryStore:
    """The same bytes in append blobs of its own."""
    copy = MemoryStore(clock)
    for info in store.list():
        copy.create(info.name)
        copy.append(info.name, store.read(info.name), at=0)
    return copy


@pytest.mark.parametrize("done", [False, True], ids=["before a call", "after a call"])
def test_killed_anywhere_and_run_again_gives_the_same(done: bool) -> None:
    original, clock = scene(), Clock()
    whole = copy_of(original, clock)
    write(whole, clock, 3)
    expected = [(digest.blobs, digest.late) for digest in chain(whole).values()]
    deaths = 0
    for at in range(99):
        store = copy_of(original, clock)
        try:
            write(Mortal(store, at, done=done), clock, 3)
        except Killed:
            deaths += 1
        write(store, clock, 3)
        assert [(digest.blobs, digest.late) for digest in chain(store).values()] == expected
        if deaths <= at:
            break
    assert deaths == 6, "two blobs are closed and four digests put"


class Moody:
    """A key that can be used so many times."""

    def __init__(self, times: int) -> None:
        self.kid, self.public_key_pem, self._left = SIGNER.kid, SIGNER.public_key_pem, times

    def sign(self, data: bytes) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise SigningError("the vault cannot be reached")
        return SIGNER.sign(data)


def test_a_key_that_fails_leaves_what_was_signed_and_nothing_unsigned() -> None:
    store, clock = log_of_hours(0, 1)
    with pytest.raises(SigningError, match="vault"):
        write(store, clock, 3, Moody(2))
    assert list(chain(store)) == [hour(0), hour(1)]
    assert write(store, clock, 3) == [hour(2), hour(3)]
    assert len(chain(store)) == 4


class Vanishing(MemoryStore):
    """Lists a blob that is gone when it is read."""

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        yield from super().list(prefix)
        if prefix == f"log/v1/{hour(0)}/":
            yield BlobInfo(f"{prefix}zz-0.jsonl", 9, True, NOON_S)


def test_a_blob_that_vanishes_is_named_and_keeps_no_hour_waiting(caplog: pytest.LogCaptureFixture) -> None:
    store = Vanishing(Clock(after(0)))
    record_in(store, 0, "a", writer="w")
    assert len(write_digests(store, SIGNER, after(0))) == 1
    assert len(chain(store)[hour(0)].blobs) == 1
    assert "zz-0.jsonl was listed and is gone" in caplog.text


def test_on_azurite_two_timers_and_a_zombie_make_one_chain(azurite: Azurite) -> None:
    account = Account.of_connection_string(azurite.connection_string, 10.0)
    stores = [account.container(f"digests-{uuid.uuid4().hex}")] * 2
    record_in(stores[0], 0, "a", "b", writer="w", close=False)
    zombie = appender(stores[0], writer="zombie")
    first = zombie.append(lines("c"))
    threads = [threading.Thread(target=write_digests, args=(store, SIGNER, after(3))) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    second = zombie.append(lines("d"))  # its blob was closed meanwhile: it goes on in another of that hour
    assert second.blob != first.blob
    assert len(write_digests(stores[0], SIGNER, after(4))) == 1
    found = chain(stores[0])
    assert list(found) == [hour(number) for number in range(5)]
    assert len(found[hour(0)].blobs) == 2
    assert late(found[hour(4)]) == [second.blob]
    account.close()
