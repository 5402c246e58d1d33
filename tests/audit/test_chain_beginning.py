"""Where the chain of digests begins is decided once, whoever sleeps meanwhile and whatever comes in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from audit.chain_beginning import chain_beginning
from audit.digest import BEGINS
from audit.digest_log import digest_hours
from audit.digest_writer import write_digests
from audit.errors import Ambiguous, Exists, Unavailable
from audit.layout import LOG
from audit.memory_store import MemoryStore
from audit.store import BlobInfo
from audit.verify import verify
from tests.audit.digested import SIGNER, after, hour
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


def record(store: MemoryStore, number: int) -> None:
    """A blob of that hour after noon."""
    appender(store, writer=f"writer-of-{number + 9}", clock=Clock(NOON_S + number * 3600)).append(lines(f"of-{number}"))


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
    assert chain_beginning(store, hour(0)) == hour(0)
    assert chain_beginning(store, hour(-2)) == hour(0)
    assert store.read(BEGINS) == b'{"v":1,"hour":"%b"}' % hour(0).encode()


def test_a_store_that_never_says_is_tried_again_by_the_next_run() -> None:
    class Mute(MemoryStore):
        def put(self, name: str, data: bytes, *, overwrite: bool, content_type: str = "") -> None:
            raise Ambiguous("timed out")

    with pytest.raises(Unavailable, match="begins"):
        chain_beginning(Mute(), hour(0))


@pytest.mark.parametrize("data", [b"", b"\xff", b"null", b'{"v":2,"hour":"2026/11/23/12"}', b'{"v":1,"hour":"never"}'])
def test_what_nobody_of_ours_wrote_there_keeps_no_digest_from_being_written(
    data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    store.put(BEGINS, data, overwrite=False)
    assert chain_beginning(store, hour(0)) == hour(0)
    assert "does not say an hour" in caplog.text


def test_a_chain_that_has_begun_does_not_ask() -> None:
    store = MemoryStore()
    record(store, 0)
    write_digests(store, SIGNER, after(0))
    store.delete(BEGINS)
    write_digests(store, SIGNER, after(1))
    assert digest_hours(store) == [hour(0), hour(1)]
    assert [info.name for info in store.list("digest/") if info.name == BEGINS] == []
    assert verify(store, now_s=after(1)) == []
