"""Two writers under siege, without a host: commits of all sizes, hours that pass quickly or are sealed too early.

A clock that runs 7,200 times faster lets hours pass, blobs hold few frames and frames few records, so that in seconds
happens what takes a host weeks.
"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from audit.appender import Receipt
from audit.azure_store import Account
from audit.errors import Ambiguous, Unavailable
from audit.reader import hours
from audit.seal import seal_hour
from audit.store import Store
from audit.writer import LogWriter, new_writer_id
from infra.local.azurite import Azurite
from tests.audit.examples import NOON_S, lines
from tests.audit.hostile_line import HostileLine
from tests.audit.writers import wait_until
from tests.siege.host_siege import Plan, Watch, seal_all
from tests.siege.ledger import Sent, Siege, Told

HOUR_PASSES_IN_S = 0.5
_TIMEOUT_S = 0.5  # of a call to the storage


@dataclass
class Commits:
    """What those who committed were told."""

    sent: list[Sent] = field(default_factory=list)
    rows_sent: int = 0

    def note(self, names: tuple[str, ...], told: Told, began_s: float, receipts: tuple[Receipt, ...] = ()) -> None:
        """Keep one answer."""
        self.rows_sent += len(names)
        self.sent.append(Sent(names, told, time.monotonic() - began_s, receipts))


def besiege_writers(azurite: Azurite, plan: Plan, watch: Watch | None = None) -> tuple[Siege, Store]:
    """Run it in a container of its own, whose log comes back, all hours sealed."""
    container, began_s, commits = f"siege-{uuid.uuid4().hex}", time.monotonic(), Commits()
    log = Account.of_connection_string(azurite.connection_string, 5.0).container(container)
    with HostileLine(azurite.port, plan.seed, plan.trouble) as line:
        behind = azurite.connection_string.replace(f":{azurite.port}/", f":{line.port}/")
        accounts = [Account.of_connection_string(behind, _TIMEOUT_S) for _ in range(2)]
        writers = [_writer(account.container(container), began_s) for account in accounts]
        with _sealing(log):
            asyncio.run(_clients(writers, commits, plan, began_s + plan.seconds, watch))
        line.trouble = 0.0
        for writer in writers:
            wait_until(lambda writer=writer: writer.healthy, "the writer is back", 15)  # type: ignore[misc]
            writer.close()
        line.settle()
        for account in accounts:
            account.close()
    seal_all(log)
    return Siege(commits.sent, dict(line.met), []), log


def _writer(store: Store, began_s: float) -> LogWriter:
    return LogWriter(
        store,
        writer_id=new_writer_id(),
        opening={"code": "test"},
        clock=lambda: NOON_S + 3600 * (time.monotonic() - began_s) / HOUR_PASSES_IN_S,
        blob_blocks=9,
        frame_bytes=1500,
        give_up_s=0.6,
        resolve_s=1.0,
    )


@contextmanager
def _sealing(log: Store) -> Iterator[None]:
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


async def _clients(writers: list[LogWriter], commits: Commits, plan: Plan, until_s: float, watch: Watch | None) -> None:
    """One in eight sends large commits; each hands over a record more, now and then, that it does not wait for."""

    async def one(number: int) -> None:
        writer, turn = writers[number % len(writers)], 0
        while time.monotonic() < until_s:
            turn += 1
            names = tuple(f"client{number}-{turn}-{row}" for row in range(15 if number % 8 == 0 else 1))
            if turn % 5 == 0:
                _hand_over(writer, commits, f"client{number}-{turn}-later")
            await _commit(writer, commits, names)
            if watch and number == 0:
                watch(len(commits.sent), commits.rows_sent)

    await asyncio.gather(*(one(number) for number in range(plan.clients)))


async def _commit(writer: LogWriter, commits: Commits, names: tuple[str, ...]) -> None:
    began_s = time.monotonic()
    try:
        receipts = await writer.commit(lines(*names))
    except Ambiguous:
        commits.note(names, "outcome unknown", began_s)
    except Unavailable:
        commits.note(names, "refused", began_s)
        await asyncio.sleep(0.05)
    else:
        commits.note(names, "acknowledged", began_s, tuple(receipts))


def _hand_over(writer: LogWriter, commits: Commits, name: str) -> None:
    began_s = time.monotonic()
    try:
        writer.commit_later(lines(name))
    except Unavailable:
        commits.note((name,), "refused", began_s)
    else:
        commits.note((name,), "handed over", began_s)
