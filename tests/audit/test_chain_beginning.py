"""Where the chain of digests begins is decided once, whoever sleeps meanwhile, whatever comes in between, and whatever
somebody who may write to the container puts there first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from audit.chain_beginning import chain_beginning
from audit.digest import BEGINS, digest_name
from audit.digest_log import digest_hours
from audit.digest_writer import write_digests
from audit.errors import Ambiguous, Exists, Unavailable
from audit.layout import LOG
from audit.memory_store import MemoryStore
from audit.store import BlobInfo
from audit.verify import verify
from tests.audit.digested import SIGNER, after, decoded, hour, late
from tests.audit.examples import NOON_S, Clock, appender, lines


class Sleepy(MemoryStore):
    """Before the log is listed as a whole, or anything is put, other things happen once."""

    before_listing: Callable[[], None] | None = None
    before_putting: Callable[[], None] | None = None

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        if prefix == LOG and self.before_listing:
            meanwhile, self.before_listing = self.before_listing, None
            meanwhile()
        return super().list(prefix)

    def put(self, name: str, data: bytes, *, overwrite: bool, content_type: str = "application/octet-stream") -> None:
        if self.before_putting:
            meanwhile, self.before_putting = self.before_putting, None
            meanwhile()
        super().put(name, data, overwrite=overwrite, content_type=content_type)


def at(number: int) -> float:
    """When that hour after noon began."""
    return NOON_S + number * 3600


def says(number: int) -> bytes:
    """What a timer writes that chose that hour after noon."""
    return b'{"v":1,"hour":"%b"}' % hour(number).encode()


def record(store: MemoryStore, number: int) -> None:
    """A blob of that hour after noon."""
    appender(store, writer=f"writer-of-{number + 9}", clock=Clock(at(number))).append(lines(f"of-{number}"))


def test_a_timer_that_slept_over_the_first_digest_does_not_begin_before_it() -> None:
    store = Sleepy()
    record(store, 0)

    def meanwhile() -> None:
        write_digests(store, SIGNER, after(1))
        record(store, -3)  # its clock is behind

    store.before_listing = meanwhile
    write_digests(store, SIGNER, after(2))
    assert digest_hours(store) == [hour(0), hour(1), hour(2)]
    assert verify(store, now_s=after(2)) == []


def test_nor_does_it_begin_after_it_and_leave_hours_out() -> None:
    store = Sleepy()
    record(store, 0)

    def meanwhile() -> None:
        record(store, -3)
        write_digests(store, SIGNER, after(-2))  # by a clock that is behind too

    store.before_putting = meanwhile
    write_digests(store, SIGNER, after(2))
    assert digest_hours(store) == [hour(number) for number in range(-3, 3)]
    assert verify(store, now_s=after(2)) == []


@pytest.mark.parametrize("problem", [Exists, Ambiguous])
@pytest.mark.parametrize("done", [True, False])
def test_whatever_the_store_answers_the_hour_is_the_one_that_is_stored(problem: type[Exception], done: bool) -> None:
    class Once(MemoryStore):
        troubles = 1

        def put(self, name: str, data: bytes, *, overwrite: bool, content_type: str = "") -> None:
            if not self.troubles or done:
                super().put(name, data, overwrite=overwrite, content_type=content_type)
            if self.troubles:
                self.troubles -= 1
                raise problem("before or after the work")

    store = Once()
    assert chain_beginning(store, at(0), at(9)) == at(0)
    assert chain_beginning(store, at(-2), at(9)) == at(0)
    assert store.read(BEGINS) == b'{"v":1,"hour":"%b"}' % hour(0).encode()


def test_a_store_that_never_says_is_tried_again_by_the_next_run() -> None:
    class Mute(MemoryStore):
        def put(self, name: str, data: bytes, *, overwrite: bool, content_type: str = "") -> None:
            raise Ambiguous("timed out")

    with pytest.raises(Unavailable, match="begins"):
        chain_beginning(Mute(), at(0), at(9))


PLANTED = [
    b"",
    b"\xff",
    b"null",
    b"[" * 1_000_000,
    says(0) + b" " * 5_000_000,
    says(0) + b"\n",
    b'{"v": 1,"hour":"%b"}' % hour(0).encode(),
    b'{"hour":"%b","v":1}' % hour(0).encode(),
    b'{"v":2,"hour":"2026/11/23/12"}',
    b'{"v":1,"hour":"never"}',
    b'{"v":1,"hour":"2026/11/23/9"}',
    b'{"v":1,"hour":"0000/00/00/00"}',
]
FAR_OFF = [b'{"v":1,"hour":"%b"}' % text for text in (b"0001/01/01/00", b"2026/01/01/00", b"9999/12/31/23")]


@pytest.mark.parametrize("data", [*PLANTED, *FAR_OFF, says(-49), says(9 + 49)], ids=lambda data: repr(data)[:40])
def test_what_no_timer_of_ours_can_have_chosen_is_said_and_not_followed(
    data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    store.put(BEGINS, data, overwrite=False)
    assert chain_beginning(store, at(0), at(9)) == at(0)
    (line,) = caplog.messages
    assert line.startswith(f"{BEGINS} is not followed: ")
    assert f"begins with {hour(0)}, the log's first" in line
    assert store.read(BEGINS) == data, "it is left for people to look at"


@pytest.mark.parametrize("data", [*FAR_OFF, b"{}"])
def test_so_it_neither_stops_digests_nor_makes_thousands_and_verify_names_it_ever_after(data: bytes) -> None:
    store = MemoryStore()
    record(store, 0)
    store.put(BEGINS, data, overwrite=False)
    assert [digest.hour for digest in write_digests(store, SIGNER, after(2))] == [hour(0), hour(1), hour(2)]
    (finding,) = verify(store, now_s=after(2))
    assert (finding.blob, finding.what) == (BEGINS, "altered" if data == b"{}" else "chain")


@pytest.mark.parametrize("number", [-48, -1, 3, 9, 9 + 48])
def test_what_one_may_have_chosen_is_followed_and_said(number: int, caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    store.put(BEGINS, says(number), overwrite=False)
    assert chain_beginning(store, at(0), at(9)) == at(number)
    (line,) = caplog.messages
    assert line.startswith(f"{BEGINS}: it says {hour(number)}, ")
    assert ("until then no digest is written" in line) == (number > 9)


def test_an_hour_to_come_is_waited_for_and_what_is_older_comes_late() -> None:
    """Chosen by a timer whose clock was right, while this one's is behind; or the other way round."""
    store = MemoryStore()
    record(store, 0)
    store.put(BEGINS, says(3), overwrite=False)
    assert write_digests(store, SIGNER, after(2)) == []
    assert [digest.hour for digest in write_digests(store, SIGNER, after(4))] == [hour(3), hour(4)]
    (blob,) = [info.name for info in store.list(LOG)]
    assert late(decoded(store, hour(3))) == [blob]
    assert verify(store, now_s=after(4)) == []


def test_an_empty_log_does_not_ask() -> None:
    store = MemoryStore()
    store.put(BEGINS, says(0), overwrite=False)
    assert write_digests(store, SIGNER, after(4)) == []
    assert verify(store, now_s=after(4)) == []


def test_a_digest_from_before_there_were_any_makes_no_half_a_million_others(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    record(store, 0)
    planted = digest_name("1970/01/01/00")
    store.put(planted, b"{}", overwrite=False)
    assert [digest.hour for digest in write_digests(store, SIGNER, after(1))] == [hour(0), hour(1)]
    assert f"{planted} is not gone on from" in caplog.text
    assert [digest.hour for digest in write_digests(store, SIGNER, after(2))] == [hour(2)]
    found = {(finding.blob, finding.what) for finding in verify(store, now_s=after(2))}
    assert found == {(planted, "altered"), (digest_name("1970/01/01/01"), "gap"), (BEGINS, "chain")}


def test_before_there_is_a_digest_verify_looks_at_what_it_says_too() -> None:
    store = MemoryStore()
    for data, what in ((says(0), set()), (says(1), {"dated"}), (b"", {"altered"}), (FAR_OFF[2], {"dated"})):
        store.put(BEGINS, data, overwrite=True)
        assert {finding.what for finding in verify(store, now_s=after(0))} == what


def test_a_part_of_the_log_is_verified_without_it_unless_the_first_digest_is_in_that_part() -> None:
    store = MemoryStore()
    record(store, 0)
    write_digests(store, SIGNER, after(2))
    store.delete(BEGINS)
    assert verify(store, at(1), now_s=after(2)) == []
    for since_s in (at(0), at(-5), None):
        assert [(one.blob, one.what) for one in verify(store, since_s, now_s=after(2))] == [(BEGINS, "missing")]


def test_a_chain_that_has_begun_does_not_ask() -> None:
    store = MemoryStore()
    record(store, 0)
    write_digests(store, SIGNER, after(0))
    store.delete(BEGINS)
    write_digests(store, SIGNER, after(1))
    assert digest_hours(store) == [hour(0), hour(1)]
    assert [info.name for info in store.list("digest/") if info.name == BEGINS] == []
    assert [(one.blob, one.what) for one in verify(store, now_s=after(1))] == [(BEGINS, "missing")]
