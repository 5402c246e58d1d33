"""The candidates: which are tried on a problem, and what each is made of.

From the plain to the flexible: always the commonest answer, a linear model, linear models with features that make the
problem linear, a kernel machine, a forest, boosting; and with a rare class the remedies, each on a linear model, a
forest or both. `complexity` orders them by how hard they are to explain; of two that do equally well the lower is
named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, Ridge

from training.candidates import linearising, models, remedies
from training.candidates.models import Maker, on_expanded, on_scaled, on_trees
from training.candidates.problem import Problem
from training.candidates.remedies import Sampling
from training.errors import FitRefused

BASELINE = "baseline"
KERNEL_ROWS = 10_000  # a kernel machine's time grows with the square of the rows
LEAF = 5  # rows: with weights or copies, a leaf of one row has one class each, whatever it weighs


@dataclass(frozen=True)
class Candidate:
    """One model to compare; `make` gives a pipeline that is not fitted."""

    name: str
    title: str
    complexity: int
    make: Maker
    remedy: str | None = None
    sampling: Sampling = remedies.as_given


def candidates(
    problem: Problem, metric: str, wanted: Sequence[str] | None, tried: Sequence[str]
) -> tuple[list[Candidate], list[str]]:
    """The baseline and what is tried beside it, and why others are not tried.

    `wanted` names candidates, `tried` remedies; without names, all that suit the problem.
    """
    known = {candidate.name: candidate for candidate in _all(problem, metric)}
    reasons = _reasons(problem, known)
    if wanted is None:
        chosen = [one for one in known.values() if one.remedy in (None, *tried) and one.name not in reasons]
        told = [
            f"{known[name].title} not tried: {why}"
            for name, why in reasons.items()
            if known[name].remedy in (None, *tried)
        ]
        return chosen, told
    names = dict.fromkeys((BASELINE, *wanted))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise FitRefused(f"candidates: there is no {unknown[0]!r} here, but {', '.join(known)}")
    impossible = [name for name in names if name in reasons and not reasons[name].startswith("more than")]
    if impossible:
        raise FitRefused(f"candidates: {impossible[0]} cannot be tried: {reasons[impossible[0]]}")
    return [known[name] for name in names], []


def _all(problem: Problem, metric: str) -> Iterator[Candidate]:
    if problem.target.task == "regression":
        yield from _regressors(problem)
        return
    yield from _classifiers(problem)
    yield from _remedied(problem)
    if problem.target.task == "binary":
        yield from _for_two_classes(problem, metric)


def _regressors(problem: Problem) -> Iterator[Candidate]:
    yield Candidate(BASELINE, "Always the mean", 0, DummyRegressor)
    yield Candidate("linear", "Linear regression", 1, on_scaled(problem, LinearRegression))
    yield Candidate("ridge", "Ridge regression", 1, on_scaled(problem, Ridge))
    for order, name in enumerate(linearising.EXPANSIONS, start=2):
        yield Candidate(f"ridge-{name}", f"Ridge regression, {name}", order, on_expanded(problem, name, Ridge))
    yield from _flexible(problem)


def _classifiers(problem: Problem) -> Iterator[Candidate]:
    yield Candidate(BASELINE, "Always the commonest class", 0, lambda: DummyClassifier(strategy="most_frequent"))
    plain = models.logistic()
    yield Candidate("logistic", "Logistic regression", 1, on_scaled(problem, plain))
    for order, name in enumerate(linearising.EXPANSIONS, start=2):
        make = on_expanded(problem, name, plain)
        yield Candidate(f"logistic-{name}", f"Logistic regression, {name}", order, make)
    yield from _flexible(problem)


def _flexible(problem: Problem) -> Iterator[Candidate]:
    yield Candidate("svm-rbf", "SVM, RBF kernel", 7, on_scaled(problem, models.kernel_machine(problem)))
    yield Candidate("boosting", "Boosted trees", 8, on_trees(problem, models.boosted(problem)))
    yield Candidate("random-forest", "Random forest", 8, on_trees(problem, models.forest(problem)))


def _remedied(problem: Problem) -> Iterator[Candidate]:
    linear, balanced = on_scaled(problem, models.logistic()), {"class_weight": "balanced"}
    trees = on_trees(problem, models.forest(problem, min_samples_leaf=LEAF))
    yield Candidate(
        "logistic-class-weights", "Logistic regression, class weights", 1,
        on_scaled(problem, models.logistic(**balanced)), "class-weights",
    )  # fmt: skip
    yield Candidate(
        "svm-rbf-class-weights", "SVM, RBF kernel, class weights", 7,
        on_scaled(problem, models.weighted_kernel_machine(problem)), "class-weights",
    )  # fmt: skip
    yield Candidate(
        "random-forest-class-weights", "Random forest, class weights", 8,
        on_trees(problem, models.forest(problem, min_samples_leaf=LEAF, **balanced)), "class-weights",
    )  # fmt: skip
    yield Candidate(
        "logistic-importance", "Logistic regression, importance weights", 1, linear, "importance",
        remedies.importance_weighted,
    )  # fmt: skip
    yield Candidate(
        "logistic-upsampling", "Logistic regression, rare class upsampled", 1, linear, "upsampling", remedies.upsampled
    )
    yield Candidate(
        "random-forest-upsampling", "Random forest, rare class upsampled", 8, trees, "upsampling", remedies.upsampled
    )
    yield Candidate(
        "boosting-class-weights", "Boosted trees, class weights", 8,
        on_trees(problem, models.boosted(problem, **balanced)), "boosting",
    )  # fmt: skip


def _for_two_classes(problem: Problem, metric: str) -> Iterator[Candidate]:
    yield Candidate(
        "one-class-svm", "One-class SVM, learns the common class", 7,
        on_scaled(problem, models.detector(problem)), "one-class-svm",
    )  # fmt: skip
    yield Candidate(
        "logistic-threshold", "Logistic regression, tuned threshold", 2,
        on_scaled(problem, models.tuned(problem, metric, models.logistic())), "threshold",
    )  # fmt: skip
    yield Candidate(
        "random-forest-threshold", "Random forest, tuned threshold", 9,
        on_trees(problem, models.tuned(problem, metric, models.forest(problem))), "threshold",
    )  # fmt: skip


def _reasons(problem: Problem, known: dict[str, Candidate]) -> dict[str, str]:
    """Why a candidate does not suit the problem, by name."""
    found = {}
    for name, candidate in known.items():
        expansion = name.partition("-")[2]
        if expansion in linearising.EXPANSIONS:
            why = linearising.why_not(expansion, problem.columns)
        elif "svm" in name and len(problem.train) > KERNEL_ROWS:
            why = f"more than {KERNEL_ROWS:,} training rows; name it under candidates to try it all the same"
        elif candidate.remedy == "threshold" and problem.train.weights is not None:
            why = "scikit-learn tunes a threshold without weights only"
        else:
            why = None
        if why:
            found[name] = why
    return found
