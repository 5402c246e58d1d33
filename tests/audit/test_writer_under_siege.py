"""Everything at once: two writers, commits of all sizes, hours that pass or are sealed too early, a hostile line."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from audit.azure_store import Account
from audit.errors import Ambiguous, Unavailable
from audit.reader import hours, records
from audit.seal import seal_hour
from audit.store import Store
from audit.verify import verify_blobs
from audit.writer import LogWriter, new_writer_id
from infra.local.azurite import Azurite
from tests.audit import second_link_verifier
from tests.audit.examples import NOON_S, lines
from tests.audit.hostile_line import HostileLine
from tests.audit.writers import wait_until

SECONDS = float(os.environ.get("SIEGE_SECONDS", "8"))
SEED = int(os.environ.get("SIEGE_SEED", "1"))
HOUR_PASSES_IN_S = 0.7  # a clock that runs faster


class Told:
    """What the clients were told about each id."""

    def __init__(self) -> None:
        self.recorded: dict[str, set[str]] = {}  # id → blobs of its receipts
        self.unknown: set[str] = set()
        self.refused: set[str] = set()
        self.deferred: set[str] = set()  # handed over without waiting


def test_two_writers_lose_nothing_double_nothing_and_their_logs_verify(azurite: Azurite) -> None:
    container = f"siege-{uuid.uuid4().hex}"
    began_s = time.monotonic()
    told = Told()
    with HostileLine(azurite.port, SEED, 0.15) as line:
        behind = azurite.connection_string.replace(f":{azurite.port}/", f":{line.port}/")
        accounts = [Account.of_connection_string(behind, 0.5) for _ in range(2)]
        straight = Account.of_connection_string(azurite.connection_string, 5.0)
        log = straight.container(container)
        writers = [
            LogWriter(
                account.container(container),
                writer_id=new_writer_id(),
                opening={"code": "test"},
                clock=lambda: NOON_S + 3600 * (time.monotonic() - began_s) / HOUR_PASSES_IN_S,
                blob_blocks=9,
                frame_bytes=1500,
                give_up_s=0.6,
                resolve_s=1.0,
            )
            for account in accounts
        ]
        with sealing(log):
            asyncio.run(clients(writers, told, began_s + SECONDS))
        line.trouble = 0.0
        for writer in writers:
            wait_until(lambda writer=writer: writer.healthy, "the writer is back", 15)  # type: ignore[misc]
            writer.close()
    for hour in hours(log):
        seal_hour(log, hour)
    check(log, told)
    for account in (*accounts, straight):
        account.close()


@contextmanager
def sealing(log: Store) -> Iterator[None]:
    """Seals every hour again and again, that of the moment too, which fences whoever writes to it."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.3):
            for hour in hours(log)[-2:]:
                seal_hour(log, hour)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


async def clients(writers: list[LogWriter], told: Told, until_s: float) -> None:
    """One in eight sends large commits; each hands over a record more, now and then, that it does not wait for."""

    async def one(number: int) -> None:
        writer, sent = writers[number % len(writers)], 0
        while time.monotonic() < until_s:
            sent += 1
            names = [f"client{number}-{sent}-{row}" for row in range(15 if number % 8 == 0 else 1)]
            if sent % 5 == 0:
                hand_over(writer, told, f"client{number}-{sent}-later")
            try:
                receipts = await writer.commit(lines(*names))
            except Ambiguous:
                told.unknown.update(names)
            except Unavailable:
                told.refused.update(names)
                await asyncio.sleep(0.05)
            else:
                told.recorded |= {name: {receipt.blob for receipt in receipts} for name in names}

    await asyncio.gather(*(one(number) for number in range(16)))


def hand_over(writer: LogWriter, told: Told, name: str) -> None:
    try:
        writer.commit_later(lines(name))
    except Unavailable:
        told.refused.add(name)
    else:
        told.deferred.add(name)


def check(log: Store, told: Told) -> None:
    found = list(records(log))
    counts = Counter(record.id for record, _ in found)
    places = {record.id: position.blob for record, position in found}
    assert [name for name, count in counts.items() if count > 1] == []
    assert {name: places.get(name) for name, blobs in told.recorded.items() if places.get(name) not in blobs} == {}
    assert told.refused & counts.keys() == set(), "logged though the client was told that it was not"
    assert counts.keys() - told.recorded.keys() - told.unknown - told.deferred == set()
    assert len(told.deferred & counts.keys()) > len(told.deferred) / 2
    assert verify_blobs(log) == []
    assert second_link_verifier.check({info.name: log.read(info.name) for info in log.list()}, time.time()) == set()
    assert len(told.recorded) > 20 * SECONDS
    assert len(hours(log)) > SECONDS, "the hours did not pass"
