"""The candidates: which are tried on a problem, and what each is made of.

From the plain to the flexible: always the commonest answer, a linear model, linear models with features that make the
problem linear, a kernel machine, a forest, boosting; and with a rare class the remedies, each on a linear model, a
forest or both. `complexity` orders them by how hard they are to explain; of two that do equally well the lower is
named. All use scikit-learn's defaults but where a comment says why not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC, SVR, OneClassSVM

from training.candidates import linearising, remedies
from training.candidates.anomaly import AnomalyClassifier
from training.candidates.preprocessing import for_trees, scaled
from training.candidates.problem import Problem
from training.candidates.remedies import Sampling
from training.errors import FitRefused

BASELINE = "baseline"
KERNEL_ROWS = 10_000  # a kernel machine's time grows with the square of the rows
ITERATIONS = 2_000  # of logistic regression: 100, the default, are too few for many expanded features
OUTLIERS = 0.05  # share of the common class that the one-class SVM may leave outside


@dataclass(frozen=True)
class Candidate:
    """One model to compare; `make` gives a pipeline that is not fitted."""

    name: str
    title: str
    complexity: int
    make: Callable[[], Any]
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
        told = [f"{known[name].title} not tried: {why}" for name, why in reasons.items() if known[name].remedy in (None, *tried)]
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
    columns, seed, spread = problem.columns, problem.seed, problem.spread
    yield Candidate(BASELINE, "Always the mean", 0, lambda: DummyRegressor(strategy="mean"))
    yield Candidate("linear", "Linear regression", 1, lambda: _pipeline(_scaled(problem), LinearRegression()))
    yield Candidate("ridge", "Ridge regression", 1, lambda: _pipeline(_scaled(problem), Ridge()))
    for order, name in enumerate(linearising.EXPANSIONS, start=2):
        make = _expanded(problem, name, lambda: Ridge())
        yield Candidate(f"ridge-{name}", f"Ridge regression, {name}", order, make)
    yield Candidate(
        "svm-rbf", "SVM, RBF kernel", 7,
        # C and ε in units of the target: what scikit-learn's defaults are to a target of standard deviation 1
        lambda: _pipeline(_scaled(problem), SVR(C=spread, epsilon=0.1 * spread)),
    )  # fmt: skip
    yield Candidate("boosting", "Boosted trees", 8, lambda: _pipeline(for_trees(columns), _boosted_values(seed)))
    yield Candidate(
        "random-forest", "Random forest", 8,
        lambda: _pipeline(for_trees(columns), RandomForestRegressor(random_state=seed)),
    )  # fmt: skip


def _classifiers(problem: Problem) -> Iterator[Candidate]:
    columns, seed = problem.columns, problem.seed
    yield Candidate(BASELINE, "Always the commonest class", 0, lambda: DummyClassifier(strategy="most_frequent"))
    yield Candidate("logistic", "Logistic regression", 1, lambda: _pipeline(_scaled(problem), _logistic()))
    for order, name in enumerate(linearising.EXPANSIONS, start=2):
        yield Candidate(f"logistic-{name}", f"Logistic regression, {name}", order, _expanded(problem, name, _logistic))
    yield Candidate(
        "svm-rbf", "SVM, RBF kernel", 7,
        lambda: _pipeline(_scaled(problem), CalibratedClassifierCV(SVC(random_state=seed), cv=3, ensemble=False)),
    )  # fmt: skip
    yield Candidate("boosting", "Boosted trees", 8, lambda: _pipeline(for_trees(columns), _boosted(seed)))
    yield Candidate("random-forest", "Random forest", 8, lambda: _pipeline(for_trees(columns), _forest(seed)))


def _remedied(problem: Problem) -> Iterator[Candidate]:
    columns, seed = problem.columns, problem.seed
    logistic = lambda **options: lambda: _pipeline(_scaled(problem), _logistic(**options))  # noqa: E731
    forest = lambda **options: lambda: _pipeline(for_trees(columns), _forest(seed, **options))  # noqa: E731
    yield Candidate(
        "logistic-class-weights", "Logistic regression, class weights", 1, logistic(class_weight="balanced"),
        "class-weights",
    )  # fmt: skip
    yield Candidate(
        # without calibration, which would set the boundary back to where the common class wins
        "svm-rbf-class-weights", "SVM, RBF kernel, class weights", 7,
        lambda: _pipeline(_scaled(problem), SVC(class_weight="balanced", random_state=seed)), "class-weights",
    )  # fmt: skip
    yield Candidate(
        "random-forest-class-weights", "Random forest, class weights", 8,
        # leaves of one row have one class each, whatever its weight
        forest(class_weight="balanced", min_samples_leaf=5), "class-weights",
    )  # fmt: skip
    yield Candidate(
        "logistic-importance", "Logistic regression, importance weights", 1, logistic(), "importance",
        remedies.importance_weighted,
    )  # fmt: skip
    yield Candidate(
        "logistic-upsampling", "Logistic regression, rare class upsampled", 1, logistic(), "upsampling",
        remedies.upsampled,
    )  # fmt: skip
    yield Candidate(
        "random-forest-upsampling", "Random forest, rare class upsampled", 8, forest(min_samples_leaf=5), "upsampling",
        remedies.upsampled,
    )  # fmt: skip
    yield Candidate(
        "boosting-class-weights", "Boosted trees, class weights", 8,
        lambda: _pipeline(for_trees(columns), _boosted(seed, class_weight="balanced")), "boosting",
    )  # fmt: skip


def _for_two_classes(problem: Problem, metric: str) -> Iterator[Candidate]:
    target, seed = problem.target, problem.seed
    yield Candidate(
        "one-class-svm", "One-class SVM, learns the common class", 7,
        lambda: _pipeline(_scaled(problem), AnomalyClassifier(OneClassSVM(nu=OUTLIERS), common=target.common)),
        "one-class-svm",
    )  # fmt: skip
    bases = {
        "logistic": ("Logistic regression", _scaled, _logistic, 2),
        "random-forest": ("Random forest", lambda one: for_trees(one.columns), lambda: _forest(seed), 9),
    }
    for name, (title, prepare, model, complexity) in bases.items():
        yield Candidate(
            f"{name}-threshold", f"{title}, tuned threshold", complexity,
            lambda prepare=prepare, model=model: _pipeline(  # type: ignore[misc]
                prepare(problem), _tuned(model(), remedies.tuned_for(metric, target), seed)
            ),
            "threshold",
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


def _pipeline(preparation: Any, model: Any) -> Pipeline:
    """One flat pipeline."""
    if isinstance(preparation, Pipeline):
        return make_pipeline(*(step for _, step in preparation.steps), model)
    return make_pipeline(model) if preparation == "passthrough" else make_pipeline(preparation, model)


def _scaled(problem: Problem) -> Any:
    return scaled(problem.columns, problem.target, problem.seed)


def _expanded(problem: Problem, expansion: str, model: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: _pipeline(
        linearising.expanded(expansion, problem.columns, problem.target, problem.seed), model()
    )


def _logistic(**options: Any) -> LogisticRegression:
    return LogisticRegression(max_iter=ITERATIONS, **options)


def _forest(seed: int, **options: Any) -> RandomForestClassifier:
    return RandomForestClassifier(random_state=seed, **options)


def _boosted(seed: int, **options: Any) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(random_state=seed, **options)


def _boosted_values(seed: int) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(random_state=seed)


def _tuned(model: Any, scoring: Any, seed: int) -> TunedThresholdClassifierCV:
    # 50 thresholds rather than 100: each is scored in Python, which costs more than the fits
    return TunedThresholdClassifierCV(model, scoring=scoring, thresholds=50, cv=3, random_state=seed)
