"""The promise, on real storage: what was acknowledged is in the log once, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from audit.connect import open_stores
from audit.errors import Ambiguous, Unavailable
from audit.ids import new_id
from audit.layout import hour_of
from audit.reader import blobs, hours
from audit.seal import seal_hour
from audit.settings import from_environ
from audit.store import Store
from audit.verify import verify_blobs
from audit.writer import LogWriter, new_writer_id
from infra.local.azurite import Azurite
from tests.audit.bad_line import BadLine, Mode
from tests.audit.examples import ids, lines

ROOT = Path(__file__).parents[2]


def environ_of(azurite: Azurite, port: int | None = None) -> dict[str, str]:
    connection = azurite.connection_string.replace(f":{azurite.port}/", f":{port or azurite.port}/")
    return {"HYPERPLANE_STORAGE": connection, "HYPERPLANE_AUDIT_CONTAINER": f"writer-{uuid.uuid4().hex}"}


def open_log(environ: dict[str, str]) -> Store:
    return open_stores(from_environ(environ)).log


class Clients:
    """Commit one record after the other and keep what they were told."""

    def __init__(self, writer: LogWriter) -> None:
        self.writer = writer
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self.unknown: list[str] = []
        self.stop = False

    async def run(self, count: int) -> None:
        await asyncio.gather(*(self._client() for _ in range(count)))

    async def _client(self) -> None:
        while not self.stop:
            name = new_id()
            try:
                await self.writer.commit(lines(name))
                self.acknowledged.append(name)
            except Ambiguous:
                self.unknown.append(name)
            except Unavailable:
                self.refused.append(name)
                await asyncio.sleep(0.01)

    def check(self, store: Store) -> None:
        found = Counter(ids(store))
        assert [name for name, count in found.items() if count > 1] == []
        assert [name for name in self.acknowledged if name not in found] == []
        assert [name for name in self.refused if name in found] == []
        assert set(found) <= {*self.acknowledged, *self.unknown}
        assert verify_blobs(store) == []


def grows(length: Callable[[], int], by: int) -> Callable[[], bool]:
    """Whether a number is larger by more than so much than it is now."""
    start = length()
    return lambda: length() > start + by


async def until(condition: Callable[[], bool], what: str, timeout_s: float = 30) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"never happened: {what}"
        await asyncio.sleep(0.01)


def test_outages_lose_nothing_double_nothing_and_end_by_themselves(azurite_of_its_own: Azurite) -> None:
    azurite = azurite_of_its_own
    store = open_log(environ_of(azurite))
    writer = LogWriter(store, writer_id=new_writer_id(), opening={"code": "test"}, give_up_s=0.5, resolve_s=1.0)
    clients = Clients(writer)

    async def scenario() -> None:
        running = asyncio.create_task(clients.run(16))
        for _ in range(3):
            await until(grows(lambda: len(clients.acknowledged), 100), "records are acknowledged")
            azurite.stop()
            await until(grows(lambda: len(clients.refused), 50), "clients are told of the outage")
            assert not writer.healthy
            azurite.start()
        await until(grows(lambda: len(clients.acknowledged), 100), "recovery without a restart")
        clients.stop = True
        await running

    asyncio.run(scenario())
    writer.close()
    assert writer.last_error is None
    clients.check(store)


def test_replies_lost_on_the_way_lose_nothing_and_double_nothing(azurite: Azurite) -> None:
    with BadLine(azurite.port) as line:
        environ = environ_of(azurite)
        through = environ | {"HYPERPLANE_STORAGE": environ_of(azurite, line.port)["HYPERPLANE_STORAGE"]}
        writer = LogWriter(open_log(through), writer_id=new_writer_id(), opening={"code": "test"})
        clients = Clients(writer)

        async def scenario() -> None:
            running = asyncio.create_task(clients.run(8))
            modes: tuple[Mode, ...] = ("drop reply", "drop request")
            for mode in modes * 5:
                await until(grows(lambda: len(clients.acknowledged), 20), "records are acknowledged")
                line.mode = mode
                await until(grows(lambda: line.dropped, 0), "something is lost")
                line.mode = "pass"
            clients.stop = True
            await running

        asyncio.run(scenario())
        assert line.dropped >= 10
        assert (clients.refused, clients.unknown) == ([], []), "clients saw none of it"
        writer.close()
    clients.check(open_log(environ))


def test_a_killed_process_loses_no_acknowledged_record(azurite: Azurite) -> None:
    environ = environ_of(azurite)
    command = [sys.executable, "-m", "tests.audit.writing_process"]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(300)]
        process.kill()
        acknowledged += [line.strip() for line in process.stdout if line.endswith("\n")]
    store = open_log(environ)
    found = Counter(ids(store))
    assert set(acknowledged) <= set(found)
    assert max(found.values()) == 1
    assert len(found) <= len(acknowledged) + 16
    assert verify_blobs(store) == []
    for hour in hours(store):
        seal_hour(store, hour)
    assert verify_blobs(store, now_s=time.time() + 86400) == []


def test_a_zombie_that_was_sealed_goes_on_in_a_new_blob(azurite: Azurite) -> None:
    store = open_log(environ_of(azurite))
    writer = LogWriter(store, writer_id=new_writer_id(), opening={"code": "test"})
    writer.commit_blocking(lines("a"), 10)
    (hour,) = hours(store)
    assert len(seal_hour(store, hour)) == 1
    writer.commit_blocking(lines("b"), 10)
    writer.close()
    assert ids(store) == ["a", "b"]
    assert sum(len(blobs(store, hour)) for hour in hours(store)) == 2
    assert verify_blobs(store, now_s=time.time() + 86400) == []
    assert hour in {hour_of(time.time()), hour_of(time.time() - 60)}
