"""What a protocol is: a reader of bodies and a writer of results, between which nothing depends on it.

    Content -> decode -> ScoreRequest -> (judge, infer, decide) -> Findings -> encode -> Answer -> receipts -> Reply

`encode` comes before the records are written, so that its time can stand in them; the receipts come after. An `Answer`
therefore holds what is encoded already, and is finished by the receipts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from typing import Protocol as Interface

import msgspec

from audit.writer import Receipt
from scoring.bundle import Manifest
from scoring.content import Content, Reply
from scoring.outcome import Decision
from scoring.verdict import Verdict


class ScoreRequest(msgspec.Struct, frozen=True):
    """A request whose shape is right. `ids` are the client's, if it sent some, as many as instances."""

    instances: list[Any]  # what the client sent, an object each if all is well
    ids: list[str] | None
    request_id: str | None
    plain: bool  # no NaN, infinity or lone surrogate anywhere: values can be stored as they are
    wishes: Any = None  # what the client asked of the answer, in its protocol's own terms


class Terms(msgspec.Struct, frozen=True):
    """What a request is read against."""

    manifest: Manifest
    max_instances: int


class Findings(msgspec.Struct, frozen=True):
    """What came of a request's instances, in its order, and what the answer must look like."""

    manifest: Manifest
    wishes: Any  # the request's
    request_id: str
    ids: Sequence[str]
    decisions: Sequence[Decision]
    verdicts: Sequence[Verdict]


class Answer(Interface):
    """An answer that lacks only its receipts."""

    def reply(self, receipts: Sequence[Receipt]) -> Reply:
        """The whole answer."""
        ...


class Protocol(Interface):
    """One protocol; holds no state, used from any thread."""

    def decode(self, content: Content, terms: Terms) -> ScoreRequest:
        """The request in a body that is not compressed; raises `BadRequest` if it is none."""
        ...

    def encode(self, findings: Findings) -> Answer:
        """The answer to a request; never raises."""
        ...
