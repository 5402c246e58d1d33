"""The words that differ between a report on production and the one made before it; everything else is one page.

Before production nothing is "now" and nothing was "before": test rows stand against the training rows, and figures
beside those that the export measured. The page says at its top what it was made of.
"""

from __future__ import annotations

from dataclasses import dataclass

from evaluation.pages import numbers
from evaluation.report_format import Report


@dataclass(frozen=True)
class Words:
    """How the page of one occasion calls things."""

    eyebrow: str
    call: str  # the noun for what was scored
    before: str  # where the figures beside ours were measured
    now: str
    old: str  # the distributions that ours are laid over
    old_outputs: str
    new: str
    truth: str  # what the figures of performance rest on
    times: str  # what the run times are of
    alike: str


PRODUCTION = Words(
    eyebrow="Production report",
    call="call",
    before="before production",
    now="now",
    old="before production",
    old_outputs="before production",
    new="now",
    truth="Predictions against the truth that has come so far.",
    times="How long the champion’s requests took.",
    alike="distributed as before production",
)
PREPRODUCTION = Words(
    eyebrow="Preproduction report",
    call="test row",
    before="at export",
    now="these rows",
    old="training rows",
    old_outputs="the export’s test rows",
    new="these test rows",
    truth="Predictions against the truth of the test rows.",
    times="How long requests took on the machine that made this report.",
    alike="distributed as in training",
)


def words(report: Report) -> Words:
    """The words for a report's occasion."""
    return PREPRODUCTION if report.occasion == "preproduction" else PRODUCTION


def made_of(report: Report) -> list[str]:
    """What a preproduction report was made of and what its sections mean; nothing for a report on production."""
    if report.occasion != "preproduction":
        return []
    profiling = report.profiling
    requests = numbers.counted(profiling.requests, "request")
    return [
        f"Made from {numbers.counted(report.coverage.counts.calls, 'test row')}, not from production traffic. The code "
        f"that scores in production scored them here, in {requests} of at most "
        f"{numbers.counted(profiling.batch_max or 0, 'row')}, and took their truth as labels. An instance’s id is its "
        "row, counted from 1.",
        "Drift means test rows against training rows. Run times are those of the machine that made this report, "
        "without cold starts and without the wait for the log.",
    ]
