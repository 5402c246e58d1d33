"""`fit`: compare candidates on a table, pick one, fit it on all training rows, export it as a bundle.

The name and version are checked before the long work. A pick that the exporter refuses is said so, and the next best
is tried: what is exported is the best of those that can be, and the page names the others. So it is with one that
raises on a test row. A version that is taken, or a full disk, ends it: no other candidate would fare better.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scoring.bundle import Bundle, Label
from training.bundle_writer import check_free
from training.candidates.comparison import Comparison, Pick, Silent, Watch, compare
from training.candidates.cross_validation import Fitted, fitted_candidate, predictions_of, recorded, told_as
from training.candidates.judging import Judged, figures_of
from training.candidates.problem import Problem, read_problem
from training.candidates.target import Wanted, in_words
from training.errors import ExportRefused, FitRefused

WHOLE = 1_000_000  # seeds the sampling of the last fit; folds are seeded by their number
Exporter = Callable[..., Bundle]


@dataclass(frozen=True)
class Result:
    """What `fit` did: the comparison, the pick, the fitted pipeline, and the bundle if one was asked for."""

    comparison: Comparison
    pick: Pick
    pipeline: Any
    bundle: Bundle | None


class NothingExported(FitRefused):
    """No candidate could be exported; the comparison is there all the same."""

    def __init__(self, message: str, result: Result) -> None:
        super().__init__(message)
        self.result = result


def fit(
    data: pd.DataFrame,
    target: str,
    *,
    name: str,
    version: str = "1",
    out: str | Path = "models",
    test: pd.DataFrame | None = None,
    test_share: float = 0.25,
    metric: str | None = None,
    task: Wanted | None = None,
    positive: str | Label | None = None,
    weights: str | None = None,
    drop: Collection[str] = (),
    keep: Collection[str] = (),
    candidates: Sequence[str] | None = None,
    remedies: str | Sequence[str] = "auto",
    folds: int = 5,
    seed: int = 0,
    export: bool = True,
    watch: Watch | None = None,
    exporter: Exporter | None = None,
    **about: Any,
) -> Result:
    """Compare, pick, fit and export as `out/name/version`.

    `data` holds features of numbers, booleans and text, with gaps, and the column `target`. `test` are rows to test the
    pick on; without them, `test_share` of `data` is set aside, in the classes' proportions. `metric` is what is picked
    by (see `training.candidates.judging`), `weights` a column of weights for fitting, never for judging. `drop` leaves
    columns out, `keep` keeps those that look like identifiers. `candidates` names those to try, `remedies` those for
    rare classes: `auto`, `all`, `none` or names. `about` goes to `export_bundle`: units, description, private, …

    Raises `FitRefused` with the column and the fix, `TableRefused` for names that stand twice, `BundleExists` before
    any work when the version is taken. When this is interrupted, no bundle is there.
    """
    told = watch or Silent()
    if export:
        check_free(Path(out), name, version)
    problem = read_problem(
        data, target, test=test, test_share=test_share, task=task, positive=positive, weights=weights, drop=drop,
        keep=keep, folds=folds, seed=seed,
    )  # fmt: skip
    told.say(in_words(problem.target))
    comparison = compare(problem, metric=metric, wanted=candidates, remedies=remedies, watch=told)
    told.say(comparison.selection.sentence)
    if not export:
        return _compared(comparison)
    destination = {"name": name, "version": version, "out": out}
    return _exported(comparison, exporter or _exporter(), told, destination | {"seed": seed} | about)


def _exported(comparison: Comparison, exporter: Exporter, watch: Watch, about: dict[str, Any]) -> Result:
    """Export the best that can be."""
    refused: list[str] = []
    for judged in comparison.selection.ranked:
        watch.say(f"Fitting {judged.candidate.title} on all training rows, and exporting it")
        try:
            refit, pick = _tested(judged, comparison.problem)
            options = _options(judged, refit, comparison, refused, about)
            options |= {"tell": lambda words: watch.say(f"  {words} …")}
            bundle = exporter(*_arguments(refit, comparison.problem), **options)
        except ExportRefused as problem:
            refused.append(f"{judged.candidate.title} cannot be exported: {_brief(str(problem))}")
            watch.say(f"{refused[-1]}. Next best:")
            continue
        return Result(comparison, replace(pick, before=tuple(refused), bundle=bundle.folder), refit.pipeline, bundle)
    raise NothingExported("no candidate can be exported: " + " | ".join(refused), _compared(comparison, refused))


def _compared(comparison: Comparison, refused: Sequence[str] = ()) -> Result:
    """The best that answers every test row, without a bundle."""
    told = list(refused)
    for judged in comparison.selection.ranked:
        try:
            refit, pick = _tested(judged, comparison.problem)
        except ExportRefused as problem:
            told.append(f"{judged.candidate.title}: {_brief(str(problem))}")
            continue
        return Result(comparison, replace(pick, before=tuple(told)), refit.pipeline, None)
    raise FitRefused("no candidate answers every test row: " + " | ".join(told))


def _tested(judged: Judged, problem: Problem) -> tuple[Fitted, Pick]:
    """Fitted on all training rows, and its figures on the test rows, which may hold what no fold held."""
    try:
        refit = _refit(judged, problem)
        with recorded() as caught:
            predictions = predictions_of(refit.pipeline, problem, problem.test)
    except ValueError as refusal:
        raise ExportRefused(f"it does not answer every test row: {' '.join(str(refusal).split())}") from refusal
    figures = figures_of(predictions, problem.truth_of(problem.test), problem.target, problem.seed)
    warned = dict.fromkeys((*refit.warnings, *map(told_as, caught)))
    return refit, Pick(judged, refit.convergence, figures, tuple(warned))


def _refit(judged: Judged, problem: Problem) -> Fitted:
    return fitted_candidate(judged.candidate, problem, np.arange(len(problem.train)), WHOLE)


def _arguments(refit: Fitted, problem: Problem) -> tuple[Any, ...]:
    """Training rows as they came, not as they were sampled: production is compared with what is usual."""
    y_train, y_test = (pd.Series(rows.y, name=problem.target.name) for rows in (problem.train, problem.test))
    return refit.pipeline, problem.train.typed, y_train, problem.test.typed, y_test


def _options(
    judged: Judged, refit: Fitted, comparison: Comparison, refused: Sequence[str], about: dict[str, Any]
) -> dict[str, Any]:
    best = "the best of those that can be exported. " if refused else ""
    own = {
        "sample_weight": refit.weights,
        "target": comparison.problem.target.name,
        "positive": comparison.problem.target.positive,
        "convergence": [*refit.convergence, *judged.out_of_fold.convergence],
        "description": f"{judged.candidate.title}. {best.capitalize()}{comparison.selection.sentence}",
    }
    given = {name: value for name, value in about.items() if value not in (None, "")}
    return own | given


def _brief(reason: str) -> str:
    """The first sentence or so: a parity table belongs to `export`."""
    line = reason.strip().splitlines()[0]
    return line if len(line) <= 300 else f"{line[:299]}…"


def _exporter() -> Exporter:
    from training.export import export_bundle

    return export_bundle
