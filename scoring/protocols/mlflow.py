from __future__ import annotations

from scoring.content import Content
from scoring.protocols.protocol import Answer, Findings, ScoreRequest, Terms


class Mlflow:
    """To be written on a branch of its own."""

    def decode(self, content: Content, terms: Terms) -> ScoreRequest:
        """The request in a body; raises `BadRequest`."""
        raise NotImplementedError

    def encode(self, findings: Findings) -> Answer:
        """The answer."""
        raise NotImplementedError
