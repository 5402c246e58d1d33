"""Scoring as `function_app` calls it: no answer before its records are durable.

Small requests are worked on where they arrive, on the event loop: handing one to a thread costs more than scoring it.
Large ones, and those for slow models, go to a thread, so that their neighbours do not wait. Labels have a thread of
their own: looking their instances up reads the log, which may take long and must keep no score waiting.

Whatever is raised here is a `scoring.errors.ScoringError` with a text for the client; anything else is a defect and
gives no answer either.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from audit.errors import Ambiguous, Unavailable
from audit.records import timestamp
from audit.writer import Receipt
from scoring.catalog import Catalog, Served
from scoring.challengers import Challengers
from scoring.content import Content, Reply
from scoring.content_coding import is_coded
from scoring.errors import BodyTooLarge, LogUnavailable, NotReady, RecordsTooLarge
from scoring.label_lines import LabelResult, label_body
from scoring.metadata import model_metadata
from scoring.notes import SentNote, note_line
from scoring.protocols.registry import ProtocolName
from scoring.request_log import RequestFacts
from scoring.response import encode_body
from scoring.score import Arrival, Refused, Scored, score_body
from scoring.settings import ScoringSettings

_INLINE_BYTES = 32 * 1024  # 0.6 ms from body to records, see docs/decisions/0006
_INLINE_S = 0.002  # of work, estimated
_ROW_S = 30e-6  # an instance's judging and its record, whatever it is
_INLINE_LIMIT_S = 0.5  # at which a run that takes longer than estimated is ended, to be made again in a thread

_log = logging.getLogger(__name__)


class Writer(Protocol):
    """What scoring needs of `audit.writer.LogWriter`."""

    writer_id: str

    @property
    def healthy(self) -> bool: ...

    async def commit(self, lines: Sequence[bytes]) -> list[Receipt]: ...

    def commit_later(self, lines: Sequence[bytes]) -> None: ...


class KnownInstances(Protocol):
    """What scoring needs of `audit.lookup.KnownIds`; the call blocks."""

    def known(self, model: str, ids: Iterable[str]) -> set[str]: ...


class ScoreResponse(msgspec.Struct, frozen=True):
    """An answer whose records are durable."""

    model: str
    version: str
    request_id: str
    outcomes: Mapping[str, int]  # instances by outcome
    receipts: list[Receipt]
    reply: Reply

    @property
    def body(self) -> bytes:
        """The bytes to send."""
        return self.reply.body


@dataclass(frozen=True, slots=True)
class LabelResponse:
    """What became of each label; the records are durable."""

    model: str
    request_id: str
    results: list[LabelResult]
    receipts: list[Receipt]
    reply: Reply

    @property
    def body(self) -> bytes:
        """The bytes to send."""
        return self.reply.body


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether every champion answers and the log takes records; and all problems, also of those no champion needs."""

    ready: bool
    problems: dict[str, str]


class Service:
    """One process's scoring. Used from one event loop; `close` ends its threads. `queue_bytes`: the writer's limit."""

    def __init__(
        self,
        catalog: Catalog,
        writer: Writer,
        settings: ScoringSettings,
        *,
        known_ids: KnownInstances,
        queue_bytes: int = 64 * 2**20,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.catalog = catalog
        self._writer = writer
        self._settings = settings
        self._known_ids = known_ids
        self._queue_bytes = queue_bytes
        self._clock = clock
        self._cold = True
        self._pool = ThreadPoolExecutor(os.process_cpu_count() or 1, thread_name_prefix="scoring")
        self._label_thread = ThreadPoolExecutor(1, thread_name_prefix="labels")
        self._challengers = Challengers(catalog, writer)

    async def score(
        self,
        model: str,
        version: str | None,
        content: Content,
        request_id: str | None = None,
        protocol: ProtocolName = "native",
        facts: RequestFacts | None = None,
    ) -> ScoreResponse:
        """Score every instance in a body. `request_id` is the one of the header; the body's own has precedence. What
        becomes known of the request is noted in `facts`, before something fails too.

        Raises `UnknownModel`, `UnknownVersion`, `NotReady`, `BodyTooLarge` (none of them recorded), `BadRequest` once
        its record is durable, and `LogUnavailable` when records are not.
        """
        facts = facts or RequestFacts()
        served = await self._get(model, version)
        facts.model, facts.version, facts.protocol = served.name, served.version, protocol
        self._check_size(content.body)
        most = self.catalog.max_instances(served.name, self._settings.max_instances)
        try:
            scored = await self._score(served, self._arrival(content, request_id, most, cold=self._cold), protocol)
        except Refused as refused:
            facts.us = refused.us
            await self._commit([refused.line], len(refused.line) + 1, facts)
            raise refused.problem from None
        call = scored.call
        outcomes = _counts([decision.outcome for decision in scored.decisions])
        facts.request_id, facts.instances, facts.outcomes = call.request_id, len(scored.decisions), outcomes
        facts.us, facts.cold = scored.us, "start" in scored.us
        receipts = await self._commit(scored.lines, scored.size_bytes, facts)
        self._challengers.offer(scored)
        return ScoreResponse(
            model=call.model,
            version=call.version,
            request_id=call.request_id,
            outcomes=outcomes,
            receipts=receipts,
            reply=scored.answer.reply(receipts),
        )

    async def label(
        self, model: str, content: Content, request_id: str | None = None, facts: RequestFacts | None = None
    ) -> LabelResponse:
        """Record ground truth for earlier instances; raises as `score`, but a body that is no request is not recorded,
        for it was no call of the model."""
        facts = facts or RequestFacts()
        served = await self._get(model, None)
        facts.model = served.name
        self._check_size(content.body)
        arrival = self._arrival(content, request_id, self._settings.max_instances)
        loop = asyncio.get_running_loop()
        labelled = await loop.run_in_executor(self._label_thread, label_body, served, arrival, self._known)
        facts.request_id, facts.instances = labelled.request_id, len(labelled.results)
        facts.outcomes = _counts([result.outcome for result in labelled.results])
        size_bytes = sum(map(len, labelled.lines)) + len(labelled.lines)
        receipts = await self._commit(labelled.lines, size_bytes, facts)
        head = {"model": model, "request_id": labelled.request_id}
        reply = Reply(encode_body(head, labelled.encoded, receipts))
        return LabelResponse(**head, results=labelled.results, receipts=receipts, reply=reply)

    async def note(
        self, model: str, instance_id: str, sent: SentNote, request_id: str | None, facts: RequestFacts
    ) -> Reply:
        """Record an auditor's note on an instance that the log has; raises `LogUnavailable`."""
        noted = note_line(
            sent,
            instance_id,
            model=model,
            ts=timestamp(self._clock()),
            writer=self._writer.writer_id,
            request_id=request_id,
        )
        facts.request_id = noted.request_id
        receipts = await self._commit([noted.line], len(noted.line) + 1, facts)
        return Reply(msgspec.json.encode(noted.answer | {"receipt": receipts}))

    async def metadata(self, model: str, version: str | None = None) -> dict[str, Any]:
        """A model's inputs and outputs; raises `UnknownModel`, `UnknownVersion`, `NotReady`."""
        served = await self._get(model, version)
        catalog = self.catalog
        return model_metadata(
            served.manifest, catalog.versions(model), catalog.champion(model), catalog.challengers(model)
        )

    async def model_ready(self, model: str, version: str | None = None) -> bool:
        """Whether a model can answer; raises `UnknownModel`, `UnknownVersion`."""
        try:
            await self._get(model, version)
        except NotReady:
            return False
        return True

    def ready(self) -> Readiness:
        """Whether all is well: no champion was refused, some model answers, and the log takes records."""
        problems, ready = self.catalog.problems, self.catalog.ready
        if ready and not self.catalog.champions():
            ready = False
            problems["models"] = f"there is no bundle in {self._settings.models.name or 'the models folder'}"
        if not self._writer.healthy:
            ready = False
            problems["log"] = "the audit log cannot be written now; requests are refused until it can"
        return Readiness(ready=ready, problems=problems)

    def close(self) -> None:
        """End the threads; what they work on is finished first."""
        self._pool.shutdown()
        self._challengers.close()
        self._label_thread.shutdown()

    async def _get(self, model: str, version: str | None) -> Served:
        if self.catalog.is_loaded(model, version):
            return self.catalog.get(model, version)
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.catalog.get, model, version)

    def _check_size(self, body: bytes) -> None:
        if len(body) > self._settings.max_body_bytes:
            raise BodyTooLarge(len(body), self._settings.max_body_bytes)

    def _arrival(self, content: Content, request_id: str | None, most: int, *, cold: bool = False) -> Arrival:
        return Arrival(
            content=content,
            received_s=self._clock(),
            request_id=request_id,
            writer_id=self._writer.writer_id,
            max_instances=most,
            max_body_bytes=self._settings.max_body_bytes,
            cold=cold,
        )

    async def _score(self, served: Served, arrival: Arrival, protocol: ProtocolName) -> Scored:
        self._cold = False
        try:
            scored = self._score_at_once(served, arrival, protocol) if is_small(served, arrival.content) else None
            if scored is None:
                loop = asyncio.get_running_loop()
                scored = await loop.run_in_executor(self._pool, score_body, served, arrival, protocol)
        except (Refused, BodyTooLarge):
            self._cold = arrival.cold  # the cold start is the first scored request's, and this was none
            raise
        errors = [run.error for run in scored.runs if run.error is not None]
        if errors:
            call = scored.call
            _log.error("%s/%s, request %s: %s", call.model, call.version, call.request_id, errors[0])
        return scored

    def _score_at_once(self, served: Served, arrival: Arrival, protocol: ProtocolName) -> Scored | None:
        """On the event loop, which must not stand still: None when the model took longer than it looked. From then on
        its requests go to threads, this one first."""
        limit_s = min(_INLINE_LIMIT_S, served.model.run_timeout_s)
        scored = score_body(served, arrival, protocol, limit_s)
        if not [run for run in scored.runs if run.reason == "timeout"]:
            return scored
        served.model.single_run_s = limit_s
        return scored if limit_s == served.model.run_timeout_s else None

    async def _commit(self, lines: Sequence[bytes], size_bytes: int, facts: RequestFacts) -> list[Receipt]:
        if size_bytes > self._queue_bytes:  # the writer would refuse it as it refuses what may fit later
            raise RecordsTooLarge(size_bytes, self._queue_bytes)
        began_s = time.perf_counter()
        try:
            return await self._writer.commit(lines)
        except Unavailable as problem:
            _log.warning("the log did not take %d records: %s", len(lines), problem)
            raise LogUnavailable(ambiguous=isinstance(problem, Ambiguous)) from problem
        finally:
            facts.log_wait_ms = round((time.perf_counter() - began_s) * 1000, 3)

    def _known(self, model: str, ids: list[str]) -> set[str]:
        try:
            return self._known_ids.known(model, ids)
        except Unavailable as problem:
            raise LogUnavailable() from problem


def _counts(outcomes: Sequence[str]) -> dict[str, int]:
    return {outcome: outcomes.count(outcome) for outcome in set(outcomes)}


def is_small(served: Served, content: Content) -> bool:
    """Whether a request is worked on at once: its bytes are few, and so is the time its model would take."""
    size_bytes = len(content.body)
    if size_bytes > _INLINE_BYTES or is_coded(content):
        return False
    return most_rows(content, len(served.manifest.features)) * (served.model.single_run_s + _ROW_S) < _INLINE_S


def most_rows(content: Content, features: int) -> int:
    """About how many instances a body may hold, at a glance: objects, values that are in none, lines, or binary rows of
    a byte for each feature. Tables are taken for more than they are, which costs them a thread's hand-over.

    >>> most_rows(Content(b'{"instances": [{"a": 1, "b": 2}]}'), 2), most_rows(Content(b"1," * 1_000), 2)
    (2, 1000)
    """
    objects = content.body.count(b"{")
    values = content.body.count(b",") - objects * features
    binary = len(content.body) // features if content.json_bytes else 0
    return max(objects, values, binary, _lines(content))


def _lines(content: Content) -> int:
    """The lines of CSV, which may be values without a comma; JSON may be written with as many as its author likes."""
    is_csv = "csv" in content.kind.lower()
    return content.body.count(b"\n") + content.body.count(b"\r") if is_csv else 0
