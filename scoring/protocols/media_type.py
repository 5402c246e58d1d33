"""What a body says it is: the header Content-Type, of which we take JSON and CSV, in UTF-8."""

from __future__ import annotations

from typing import Literal

from scoring.errors import BadRequest, shown

MediaType = Literal["json", "csv"]

_TAKEN: dict[str, MediaType] = {"": "json", "application/json": "json", "text/csv": "csv"}
_CHARSETS = ("utf-8", "utf8", "us-ascii", "ascii")  # ASCII is UTF-8 already


def media_type(header: str) -> MediaType:
    """Whether a body is JSON, as one without the header is, or CSV; raises `BadRequest`.

    >>> media_type("Text/CSV; charset=UTF-8"), media_type("")
    ('csv', 'json')
    >>> media_type("text/plain")
    Traceback (most recent call last):
    scoring.errors.BadRequest: Content-Type: 'text/plain' is not taken; send application/json or text/csv
    """
    name, *rest = header.split(";")
    taken = _TAKEN.get(name.strip().lower())
    if taken is None:
        raise BadRequest(
            f"Content-Type: {shown(name.strip())} is not taken; send application/json or text/csv", "not_json"
        )
    parameters = dict(_parameter(text) for text in rest)
    charset = parameters.get("charset", "utf-8")
    if charset not in _CHARSETS:
        raise BadRequest(f"Content-Type: charset {shown(charset)} is not taken; send UTF-8", "not_json")
    if taken == "csv" and parameters.get("header") == "absent":  # RFC 4180, 3
        raise BadRequest("Content-Type: header=absent; the first line must name the features", "not_csv")
    return taken


def _parameter(text: str) -> tuple[str, str]:
    """A parameter's name and value in small letters, without quotes."""
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip().strip('"').lower()
