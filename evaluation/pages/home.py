"""The home page: what this is, which models it serves, how they are doing, and where to go from here.

Anybody may open it; verdicts and links to data are for callers with a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.store import Store
from evaluation.figure_names import TITLES
from evaluation.pages import numbers
from evaluation.pages.render import render
from evaluation.pages.report_audit import write_figure
from evaluation.report_format import ReportEntry, Verdict
from evaluation.report_store import latest
from scoring.bundle import Manifest

_SHORT = {"rmse": "RMSE", "mae": "MAE", "mape": "MAPE", "p99_ms": "p99", "cold_start_ms": "cold start"}


@dataclass(frozen=True)
class HomeModel:
    """One model as the home page shows it."""

    name: str
    champion: str | None  # version; None when none can be served
    versions: tuple[str, ...] = ()
    task: str | None = None
    features: int | None = None
    description: str = ""
    latest: ReportEntry | None = None  # its newest report
    problem: str | None = None  # why it cannot be served
    convergence: tuple[str, ...] = ()  # what was warned of when it was fitted


class ModelState(Protocol):
    """What is known of a model that there is a bundle of; scoring's catalog gives these."""

    @property
    def name(self) -> str: ...

    @property
    def champion(self) -> str | None: ...  # version

    @property
    def versions(self) -> Sequence[str]: ...

    @property
    def manifest(self) -> Manifest | None: ...  # the champion's; None when it cannot be served

    @property
    def problem(self) -> str | None: ...


def home_models(states: Iterable[ModelState], derived: Store | None = None) -> list[HomeModel]:
    """Each model as the page shows it, with its newest report if `derived` may be read; reads the storage then."""
    return [
        HomeModel(
            name=state.name,
            champion=state.champion,
            versions=tuple(state.versions),
            task=state.manifest.task if state.manifest else None,
            features=len(state.manifest.features) if state.manifest else None,
            description=state.manifest.description if state.manifest else "",
            latest=latest(derived, state.name) if derived else None,
            problem=state.problem,
            convergence=tuple(state.manifest.convergence) if state.manifest else (),
        )
        for state in states
    ]


def home_page(models: list[HomeModel], *, with_key: bool, code: str | None = None) -> str:
    """The page; without a key no verdict and no link to data is in it, whatever `models` holds."""
    return render(
        "home.html.j2",
        served=True,
        models=models,
        with_key=with_key,
        code=code if with_key else None,
        window=numbers.window,
        figure=_figure,
        figure_name=_figure_name,
    )


def _figure_name(section: str, verdict: Verdict) -> str:
    """What the number is, where the section's name does not say it."""
    name = verdict.figure or ""
    if section == "coverage":
        return "" if name in ("", "coverage") else f"missing: {name}"
    if section == "audit":
        return {"verified": "verified", "replay": "replays that differ", "overdue": "digests overdue"}.get(name, name)
    if section == "performance":
        return _SHORT.get(name) or TITLES.get(name, (name, ""))[0]
    return _SHORT.get(name) or name.replace(":", ": ")


def _figure(section: str, verdict: Verdict) -> str:
    """The verdict's number as its section writes numbers."""
    if section == "coverage":
        return numbers.percent(verdict.value)
    if section == "audit":
        return write_figure(verdict.figure, verdict.value)
    return numbers.milliseconds(verdict.value) if section == "profiling" else numbers.number(verdict.value)
