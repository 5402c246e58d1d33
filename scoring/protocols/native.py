"""The native protocol: one JSON object with instances in, one with a result for each out.

    {"instances": [{"age": 41, "income": 23000, "job": "clerk"}], "ids": ["a-17"], "request_id": "optional"}

    {"model": "credit", "version": "1", "request_id": "…",
     "results": [{"id": "a-17", "outcome": "scored", "label": "good", "probabilities": {"good": 0.93, "bad": 0.07},
                  "reasons": [], "flags": {"missing": [], "artifacts": {}, "outside": {}, "distance": 0.4}}],
     "receipt": [{"blob": "…", "sequence": 12, "head": "…"}]}

What is wrong with one instance is a matter for `scoring.judge` and never fails its neighbours; only a body that is
no request at all raises `BadRequest`, with a text that names the field, what was expected and what was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from audit.writer import Receipt
from scoring.content import Content, Reply
from scoring.fields import ids_field, non_empty_list, object_fields, request_id_field
from scoring.json_body import read_json
from scoring.protocols.protocol import Findings, ScoreRequest, Terms
from scoring.response import encode_body, encode_results, results

_FIELDS = frozenset(("instances", "ids", "request_id"))
_EXAMPLE = '{"instances": [{…}]}'


class Native:
    """Reads and writes the native protocol."""

    def decode(self, content: Content, terms: Terms) -> ScoreRequest:
        """The request in a body; raises `BadRequest`."""
        return decode_native(content.body, terms.max_instances)

    def encode(self, findings: Findings) -> NativeAnswer:
        """Results in the order of the request."""
        manifest = findings.manifest
        head = {"model": manifest.name, "version": manifest.version, "request_id": findings.request_id}
        found = results(findings.ids, findings.decisions, findings.verdicts)
        return NativeAnswer(head, encode_results(found))


class NativeAnswer(msgspec.Struct, frozen=True):
    """The head's fields, and the results as JSON."""

    head: dict[str, Any]
    results: bytes

    def reply(self, receipts: Sequence[Receipt]) -> Reply:
        """The whole JSON."""
        return Reply(encode_body(self.head, self.results, receipts))


def decode_native(body: bytes, max_instances: int = 50_000) -> ScoreRequest:
    """The request in a body; raises `BadRequest`.

    >>> decode_native(b'{"instances": [{"age": 41}], "ids": ["a-17"]}').ids
    ['a-17']
    >>> decode_native(b'{"instances": 3}')
    Traceback (most recent call last):
    scoring.errors.BadRequest: instances: expected an array of objects, found a number
    """
    value, plain = read_json(body)
    fields = object_fields(value, _FIELDS, _EXAMPLE)
    instances = non_empty_list(fields, "instances", max_instances)
    return ScoreRequest(
        instances=instances,
        ids=ids_field(fields, len(instances)),
        request_id=request_id_field(fields),
        plain=plain,
    )
