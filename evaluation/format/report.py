"""The whole of `report.json`, its entry in lists, and their bytes."""

from __future__ import annotations

from typing import Literal

import msgspec

from evaluation.format.audit import Audit
from evaluation.format.coverage import Coverage
from evaluation.format.drift import Drift
from evaluation.format.figures import Level, Occasion, Verdict, Window
from evaluation.format.performance import Performance
from evaluation.format.profiling import Profiling
from evaluation.format.sources import ModelFacts, Sources

SCHEMA = 1


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict's limit, and who set it."""

    name: str
    value: float
    source: Literal["default", "bundle", "setting"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of `report.json`."""

    schema: int
    occasion: Occasion = "production"  # preproduction: made of test rows, scored as in production, before going there
    id: str  # safe in a URL: day-2026-11-23-20261124T000700Z
    model: ModelFacts
    window: Window
    as_of: str  # RFC 3339, UTC
    provisional: bool  # it rests on blobs that are still open, or on hours that are not over
    verdict: Verdict  # the worst of the sections'
    coverage: Coverage
    performance: Performance
    profiling: Profiling
    drift: Drift
    audit: Audit | None = None  # null before production, and in reports made before there was such a section
    sources: Sources
    thresholds: list[Threshold] = []
    notes: list[str] = []


class ReportEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list of reports, and of the home page: `reports/{model}/latest.json` holds the newest."""

    schema: int
    id: str
    model: str
    version: str
    window: Window
    as_of: str
    provisional: bool
    level: Level
    verdicts: dict[str, Verdict]  # coverage, performance, profiling, drift, audit
    calls: int
    coverage: float | None


def encode_report(report: Report | ReportEntry) -> bytes:
    """The JSON text, indented, ending in a newline; the same report always gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"


def decode_report(data: bytes) -> Report:
    """Read a `report.json`; raises `msgspec.DecodeError` for another shape and `ValueError` for another version."""
    version = _version_decoder.decode(data).schema
    if version != SCHEMA:
        raise ValueError(f"report.json has schema {version}, this code reads {SCHEMA}; build the report again")
    return _report_decoder.decode(data)


def entry_of(report: Report) -> ReportEntry:
    """The line that stands for a report in lists."""
    return ReportEntry(
        schema=SCHEMA,
        id=report.id,
        model=report.model.name,
        version=report.model.version,
        window=report.window,
        as_of=report.as_of,
        provisional=report.provisional,
        level=report.verdict.level,
        verdicts=section_verdicts(report),
        calls=report.coverage.counts.calls,
        coverage=report.coverage.counts.coverage,
    )


def section_verdicts(report: Report) -> dict[str, Verdict]:
    """The verdict of each section that the report has, in the order of the page."""
    verdicts = {
        "coverage": report.coverage.verdict,
        "performance": report.performance.verdict,
        "profiling": report.profiling.verdict,
        "drift": report.drift.verdict,
    }
    return verdicts if report.audit is None else verdicts | {"audit": report.audit.verdict}


class _Versioned(msgspec.Struct):
    schema: int


# Made here and not when they are needed: two threads that decode to a struct for the first time crash the process.
_version_decoder = msgspec.json.Decoder(_Versioned)
_report_decoder = msgspec.json.Decoder(Report)
