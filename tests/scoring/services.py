"""A service on a store in memory, with the records that it wrote read back and verified."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from audit.known_ids import KnownIds
from audit.memory_store import MemoryStore
from audit.reader import records
from audit.records import Record
from audit.store import Store
from audit.writer import LogWriter, new_writer_id
from scoring.catalog import Catalog
from scoring.content import Content, Reply
from scoring.service import Service
from scoring.settings import ScoringSettings


@dataclass
class Line:
    """The whole line from body to records, without HTTP."""

    service: Service
    writer: LogWriter
    store: Store

    def run[T](self, work: Callable[[Service], Awaitable[T]]) -> T:
        """Run a coroutine of the service."""

        async def working() -> T:
            return await work(self.service)

        return asyncio.run(working())

    def score(
        self, body: Any, model: str = "credit", version: str | None = None, kind: str = "", **more: Any
    ) -> dict[str, Any]:
        """The answer to one request, as the client would parse it."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer: dict[str, Any] = json.loads(self.reply(Content(data, kind=kind), model, version, **more).body)
        return answer

    def reply(self, content: Content, model: str = "credit", version: str | None = None, **more: Any) -> Reply:
        """The answer to one request, as it is sent; `more` is what `Service.score` takes besides."""
        return self.run(lambda service: service.score(model, version, content, **more)).reply

    def label(self, body: Any, model: str = "credit") -> dict[str, Any]:
        """The answer to one request with labels."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer: dict[str, Any] = json.loads(self.run(lambda service: service.label(model, Content(data))).body)
        return answer

    def records(self) -> list[Record]:
        """All records in the log, in its order."""
        return [record for record, _ in records(self.store)]


@contextmanager
def line(
    models: Path,
    store: Store | None = None,
    *,
    about: Mapping[str, str] = MappingProxyType({}),
    writing: Mapping[str, Any] = MappingProxyType({}),
    **settings: Any,
) -> Iterator[Line]:
    """A service for the bundles in a folder; `about` is what its blobs say of it beside policies, `writing` options of
    its writer."""
    store = MemoryStore() if store is None else store
    catalog = Catalog.load(models, settings.get("redaction_key"))
    patience: dict[str, Any] = {"give_up_s": 0.05, "resolve_s": 0.05}
    opening = {**about, **catalog.policies()}
    writer = LogWriter(store, writer_id=new_writer_id(), opening=opening, **(patience | dict(writing)))
    service = Service(
        catalog,
        writer,
        ScoringSettings(models=models, **settings),
        known_ids=KnownIds(store),
    )
    try:
        yield Line(service, writer, store)
    finally:
        service.close()
        writer.close()
