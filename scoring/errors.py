"""What may keep an answer from a client, named by what the client may do about it.

ScoringError
├── BadRequest           the body is not a request: mend it (score routes record it as `request_error`)
├── UnknownModel         there is no model of that name; the message names those there are
│   ├── UnknownVersion   the model has no such version; the message names those it has
│   └── NoDefault        the route names no model, and neither does serving.toml
├── FromElsewhere        another site's page sent the form: use the form on the page of the instance
├── BodyTooLarge         send less at once; not recorded
│   ├── InflatedTooLarge the same, of a compressed body that is within the limit as it was sent
│   ├── NoteTooLarge     the same, of an auditor's note
│   └── RecordsTooLarge  the same, though the body itself is within its limit
├── NotReady             the model is there but its bundle was refused: an operator must act
├── NotStarted           nothing can be scored in this process: an operator must act
└── LogUnavailable       the records are not durable, so there is no answer: wait, then send it again

Nothing here knows HTTP: `function_app.py` maps each of these to a status.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

BadRequestReason = Literal[
    "not_json", "not_csv", "too_deep", "wrong_shape", "no_instances", "too_many_instances", "malformed_id"
]


class ScoringError(Exception):
    """Anything that scoring has to say no to; its text is meant for the client."""


class BadRequest(ScoringError):
    """The body cannot be read as a request; `reason` is one of the log's fixed words."""

    def __init__(self, message: str, reason: BadRequestReason = "wrong_shape") -> None:
        super().__init__(message)
        self.reason: BadRequestReason = reason


class UnknownModel(ScoringError):
    """No model of that name."""

    def __init__(self, model: str, known: Iterable[str]) -> None:
        super().__init__(f"no model named {shown(model)}; there {_listing('model', known)}")


class UnknownVersion(UnknownModel):
    """The model has no such version."""

    def __init__(self, model: str, version: str, known: Iterable[str]) -> None:
        ScoringError.__init__(
            self, f"model {shown(model)} has no version {shown(version)}; there {_listing('version', known)}"
        )


class NoDefault(UnknownModel):
    """A route without a model's name, and no model that answers it."""

    def __init__(self, known: Iterable[str]) -> None:
        ScoringError.__init__(
            self,
            "no default model: use /models/{model}/invocations, or name one in serving.toml; "
            f"there {_listing('model', known)}",
        )


class FromElsewhere(ScoringError):
    """A browser says that the page of another site made it send this."""

    def __init__(self) -> None:
        super().__init__(
            "a browser sent this for a page of another site (its Sec-Fetch-Site header says so), so nothing was "
            "recorded; use the form on the instance's page"
        )


class BodyTooLarge(ScoringError):
    """The body is over the limit; it was neither parsed nor recorded."""

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"the body has {size_bytes:,} bytes and the limit is {limit_bytes:,}; send fewer instances in a request"
        )
        self.limit_bytes = limit_bytes


class InflatedTooLarge(BodyTooLarge):
    """The body was not decompressed beyond the limit, so nobody knows how large it is; it was not recorded."""

    def __init__(self, limit_bytes: int) -> None:
        ScoringError.__init__(
            self,
            f"the body has more than {limit_bytes:,} bytes when decompressed, which is the limit; "
            "send fewer instances in a request",
        )
        self.limit_bytes = limit_bytes


class NoteTooLarge(BodyTooLarge):
    """The body of a note is over its limit; it was not recorded."""

    def __init__(self, limit_bytes: int) -> None:
        ScoringError.__init__(self, f"the body has more than {limit_bytes:,} bytes, which no note needs")
        self.limit_bytes = limit_bytes


class RecordsTooLarge(BodyTooLarge):
    """The records of a request can never wait for the log together; none of them was recorded."""

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        ScoringError.__init__(
            self,
            f"the records of this request have {size_bytes:,} bytes and the log takes {limit_bytes:,} at once, so "
            "nothing was recorded; send fewer instances in a request",
        )
        self.limit_bytes = limit_bytes


class NotReady(ScoringError):
    """The model's bundle was refused when it was loaded; `/v2/health/ready` says why."""

    def __init__(self, model: str, version: str | None = None) -> None:
        what = f"model {model}" if version is None else f"version {version} of model {model}"
        super().__init__(f"{what} is not ready: its bundle was refused, see /v2/health/ready")


class NotStarted(ScoringError):
    """The service could not be made when the process started; its log has the traceback."""

    def __init__(self) -> None:
        super().__init__("the service could not be started; the log of the process says why")


class LogUnavailable(ScoringError):
    """The log does not take records now; without a record there is no answer.

    With `ambiguous`, the records may be in the log all the same: a client that sends the request again may find
    itself counted twice.
    """

    def __init__(self, *, ambiguous: bool = False, retry_after_s: int = 1) -> None:
        detail = "outcome unknown: it may have been recorded" if ambiguous else "nothing was recorded"
        super().__init__(f"the audit log is unavailable, so there is no answer; {detail}; try again in a moment")
        self.ambiguous = ambiguous
        self.retry_after_s = retry_after_s


def shown(text: str, limit: int = 64) -> str:
    """Hostile text as an error may quote it: printable ASCII in quotes, cut at `limit` characters.

    >>> shown("caf\\u00e9\\n")
    "'caf\\\\xe9\\\\n'"
    >>> shown("a" * 100, limit=3)
    "'aaa…'"
    """
    return ascii(text) if len(text) <= limit else ascii(text[:limit])[:-1] + "…'"


def _listing(noun: str, names: Iterable[str]) -> str:
    listed = sorted(names)
    if not listed:
        return f"is no {noun} yet"
    return f"{'is' if len(listed) == 1 else 'are'}: {', '.join(listed)}"
