"""A process that writes to the log until it is killed: 16 clients, each prints an id once that is in."""

from __future__ import annotations

import asyncio
import os
import sys

from audit.connect import open_stores
from audit.ids import new_id
from audit.settings import from_environ
from audit.writer import LogWriter, new_writer_id
from tests.audit.examples import lines


async def client(writer: LogWriter) -> None:
    while True:
        name = new_id()
        await writer.commit(lines(name))
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()


async def clients(writer: LogWriter) -> None:
    await asyncio.gather(*(client(writer) for _ in range(16)))


if __name__ == "__main__":
    store = open_stores(from_environ(os.environ)).log
    asyncio.run(clients(LogWriter(store, writer_id=new_writer_id(), opening={"code": "test"})))
