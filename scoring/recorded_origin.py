"""What the `open` frame of a record's blob says: on what its scores were computed, and by which policies.

The policies stand there as the JSON whose SHA-256 the fingerprint is of, and are used only if it is. A limit that
serving.toml lifts, `inf` or `-inf`, is null there; one that it does not name is absent.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import msgspec

from audit.errors import NotFound
from audit.reader import BlobReader
from audit.store import Store
from scoring.policies import Policies
from scoring.replay_result import CannotReplay

_LIFTED = {"output_minimum": -math.inf, "output_maximum": math.inf}


class _Opening(msgspec.Struct):
    """The line of an `open` frame, as far as it matters here."""

    about: dict[str, str] = {}


_decoder = msgspec.json.Decoder(_Opening)


def about_of(log: Store, blob: str) -> Mapping[str, str]:
    """What the writer of a blob said of itself; empty if there is no `open` frame to tell."""
    try:
        frame = next(iter(BlobReader(log, blob)), None)
    except NotFound:
        return {}
    if frame is None or frame.kind != "open":
        return {}
    try:
        return _decoder.decode(frame.body).about
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def policies_of(about: Mapping[str, str], model: str, fingerprint: str | None) -> Policies:
    """The policies of a fingerprint; raises `CannotReplay`.

    >>> told = '{"output_maximum":null,"joint":"abstain"}'
    >>> found = policies_of({"policies/m/e681d579790d2250": told}, "m", "e681d579790d2250")
    >>> found.output_maximum, found.output_minimum, found.joint
    (inf, None, 'abstain')
    """
    if fingerprint is None:
        return Policies()
    told = about.get(f"policies/{model}/{fingerprint}")
    if told is None:
        raise _gone(f"no `open` frame holds the policies {fingerprint} of {model}")
    if hashlib.sha256(told.encode()).hexdigest()[:16] != fingerprint:
        raise _gone(f"the `open` frame holds under {fingerprint} what has another hash")
    try:
        return msgspec.convert(_with_lifted(msgspec.json.decode(told)), Policies)
    except (msgspec.DecodeError, TypeError, RecursionError) as problem:
        raise _gone(f"the policies {fingerprint} are not ones that this code knows ({problem})") from problem


def _with_lifted(told: dict[str, Any]) -> dict[str, Any]:
    return told | {name: limit for name, limit in _LIFTED.items() if name in told and told[name] is None}


def _gone(why: str) -> CannotReplay:
    return CannotReplay("policies_gone", f"By which policies it was judged is not known: {why}.")
