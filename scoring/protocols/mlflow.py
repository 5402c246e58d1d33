"""MLflow's scoring protocol: what its server takes, and what its clients read.

Taken are the JSON formats of `scoring.protocols.mlflow_json` and the CSV of `scoring.protocols.csv_rows`, told apart
by Content-Type. The answer has the predictions as MLflow writes them, null where an instance has none, and beside them
what the native protocol says of each instance; MLflow's clients ignore what they do not know.

    {"predictions": ["good", null], "model": "credit", "version": "1", "request_id": "…",
     "results": [{"id": "…", "outcome": "scored", "label": "good", …}, {"id": "…", "outcome": "rejected", …}],
     "receipt": […]}

Where MLflow's server differs: it casts values to its schema and so takes `"41"` for a number; it drops columns that it
does not know; it reads Parquet; one bad row fails the request; another Content-Type is its 415, here a 400 like every
other body that is no request, so that it is recorded.
"""

from __future__ import annotations

import msgspec

from scoring.content import Content
from scoring.protocols.csv_rows import read_csv
from scoring.protocols.media_type import media_type
from scoring.protocols.mlflow_json import read_mlflow_json
from scoring.protocols.native import NativeAnswer
from scoring.protocols.protocol import Answer, Findings, ScoreRequest, Terms
from scoring.response import encode_results, results


class Mlflow:
    """Reads and writes MLflow's protocol."""

    def decode(self, content: Content, terms: Terms) -> ScoreRequest:
        """The request in a body; raises `BadRequest`."""
        if media_type(content.kind) == "json":
            return read_mlflow_json(content.body, terms)
        instances, plain = read_csv(content.body, terms.manifest.features, terms.max_instances)
        return ScoreRequest(instances=instances, ids=None, request_id=None, plain=plain)

    def encode(self, findings: Findings) -> Answer:
        """Predictions and results in the order of the request."""
        manifest = findings.manifest
        head = {
            "predictions": msgspec.Raw(_predictions(findings)),
            "model": manifest.name,
            "version": manifest.version,
            "request_id": findings.request_id,
        }
        return NativeAnswer(head, encode_results(results(findings.ids, findings.decisions, findings.verdicts)))


def _predictions(findings: Findings) -> bytes:
    """The labels or values as a JSON array."""
    key = "value" if findings.manifest.task == "regression" else "label"
    return msgspec.json.encode(
        [
            decision.answer[key] if decision.outcome == "scored" and decision.answer is not None else None
            for decision in findings.decisions
        ]
    )
