"""Spot checks: a form to ask the log for records of one model, and a table of those found, each with its trail's link.

The form sends its fields as the address, so a look can be kept and repeated; a sample's seed is among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.browse import Found
from audit.records import timestamp
from audit.spot_check import DEFAULT_LIMIT, KINDS, MOST, MOST_SEED, OUTCOMES, Asked, SpotCheck
from evaluation.pages import numbers
from evaluation.pages.instance import REASONS, answer_of
from evaluation.pages.links import link, path
from evaluation.pages.render import render
from evaluation.pages.text import LongText
from evaluation.pages.vouching import note_of

FINDINGS = 5  # blobs that do not verify, listed by name
FIELDS = ("kind", "outcome", "reason", "since", "until", "limit", "sample", "seed")


def spot_check_page(
    model: str,
    given: Mapping[str, str],
    asked: Asked,
    found: SpotCheck,
    *,
    reasons: Sequence[str] = (),
    code: str | None = None,
) -> str:
    """What was found; `given` are the parameters as sent, `reasons` words to choose from."""
    kept = {name: given[name] for name in FIELDS if given.get(name)}
    here = path("models", model, "instances")
    return render(
        "spot_check.html.j2",
        **_form(model, given, reasons, code),
        problem=None,
        asked=asked,
        found=found,
        since=numbers.when(timestamp(asked.wanted.since_s or 0.0)),
        until=None if asked.wanted.until_s is None else numbers.when(timestamp(asked.wanted.until_s)),
        reasons_shown=REASONS,
        rows=[_row(model, pair, code) for pair in found.records],
        findings=found.survey.findings[:FINDINGS],
        findings_left_out=max(0, len(found.survey.findings) - FINDINGS),
        again=link(here, code, **(kept | _fixed(asked))),
        another=link(here, code, **{name: value for name, value in kept.items() if name != "seed"}),
    )


def refused_look_page(
    model: str, given: Mapping[str, str], problem: str, *, reasons: Sequence[str] = (), code: str | None = None
) -> str:
    """The form as it was sent, and what is wrong with it."""
    return render("spot_check.html.j2", **_form(model, given, reasons, code), problem=problem)


def _form(model: str, given: Mapping[str, str], reasons: Sequence[str], code: str | None) -> dict[str, Any]:
    return {
        "served": True,
        "code": code,
        "model": model,
        "given": {name: LongText(given.get(name, "")) for name in FIELDS},
        "key": LongText(code) if code else None,
        "kinds": KINDS,
        "outcomes": OUTCOMES,
        "reasons": reasons,
        "most": MOST,
        "most_seed": MOST_SEED,
        "default_limit": DEFAULT_LIMIT,
    }


def _fixed(asked: Asked) -> dict[str, str]:
    """What makes an address that means the same sample tomorrow: its seed, and times in place of ages."""
    wanted = asked.wanted
    until_s = asked.now_s if wanted.until_s is None else wanted.until_s
    return {"since": timestamp(wanted.since_s or 0.0), "until": timestamp(until_s), "seed": str(asked.seed)}


def _row(model: str, found: Found, code: str | None) -> dict[str, Any]:
    record, position = found
    note = note_of({"kind": record.kind, "y": record.y})
    return {
        "record": record,
        "when": numbers.when(record.ts),
        "href": link(path("models", model, "instances", record.id), code),
        "answer": f"{note['verdict']}, {note['author']}" if note else answer_of(record.y),
        "place": f"{position.blob.rpartition('/')[2]}, {position.sequence}, {position.line}",
    }
