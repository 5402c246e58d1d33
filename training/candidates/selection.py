"""The order of the candidates by the metric asked for, and the pick in one sentence.

Ties go to the candidate that is easier to explain. "Within one standard error" is the rule of Breiman, Friedman, Olshen
and Stone (Classification and Regression Trees, 1984): a difference that small may be the folds' doing, so a simpler
model that near is named; it is not picked, since the metric was asked for. The baseline is never picked, and a best
candidate that does not beat it is said to be so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.figure_names import TITLES
from evaluation.pages.numbers import number
from evaluation.pages.text import shown
from training.candidates.catalogue import BASELINE
from training.candidates.judging import Judged, higher_is_better
from training.candidates.target import Target
from training.errors import FitRefused


@dataclass(frozen=True)
class Selection:
    """Candidates that have a score, the best first, the baseline left out; and the words."""

    ranked: tuple[Judged, ...]
    sentence: str


def select(found: Sequence[Judged], metric: str, target: Target) -> Selection:
    """Rank and explain; raises `FitRefused` when no candidate has a score."""
    ranked = tuple(sorted(_scored(found), key=lambda one: (_cost(one, metric), one.candidate.complexity)))
    if not ranked:
        others = [one for one in found if one.candidate.name != BASELINE]
        reasons = " | ".join(f"{one.candidate.title} {'; '.join(one.remarks)}" for one in others)
        raise FitRefused(f"no candidate can be judged by {TITLES[metric][0]}: {reasons or 'none was tried'}")
    return Selection(ranked, _sentence(ranked, _baseline(found), metric, target))


def score_in_words(judged: Judged) -> str:
    """The score and its standard error; a dash without one."""
    return with_error(judged.score, judged.error) if judged.score is not None else number(None)


def with_error(score: float, error: float) -> str:
    """A figure with its standard error, to as many decimals as the figure.

    >>> with_error(0.8424, 0.01634), with_error(53.71, 1.2), with_error(0.0002, 1e-5)
    ('0.842 ± 0.016', '53.71 ± 1.20', '2×10⁻⁴ ± 1×10⁻⁵')
    """
    text = number(score)
    return f"{text} ± {number(error) if '×' in text else format(error, f'.{len(text.partition(".")[2])}f')}"


def _scored(found: Sequence[Judged]) -> list[Judged]:
    return [one for one in found if one.score is not None and one.candidate.name != BASELINE]


def _baseline(found: Sequence[Judged]) -> Judged | None:
    return next((one for one in found if one.candidate.name == BASELINE), None)


def _cost(judged: Judged, metric: str) -> float:
    assert judged.score is not None
    return -judged.score if higher_is_better(metric) else judged.score


def _sentence(ranked: Sequence[Judged], baseline: Judged | None, metric: str, target: Target) -> str:
    best, title = ranked[0], TITLES[metric][0].lower().replace("roc auc", "ROC AUC").replace("pr auc", "PR AUC")
    order = "highest" if higher_is_better(metric) else "lowest"
    sentence = (
        f"{best.candidate.title} has the {order} {title}, {score_in_words(best)} "
        f"(mean and standard error over {len(best.by_fold)} folds, {_spread(best)})"
    )
    if len(ranked) > 1:
        sentence += f"; the runner-up is {_name(ranked[1])}, {score_in_words(ranked[1])}"
    return f"{sentence}; {_simpler(ranked, metric)}.{_not_better(best, baseline, metric, target)}"


def _spread(judged: Judged) -> str:
    return f"from {number(min(judged.by_fold))} to {number(max(judged.by_fold))}"


def _simpler(ranked: Sequence[Judged], metric: str) -> str:
    best = ranked[0]
    limit = _cost(best, metric) + best.error
    simpler = [one for one in ranked[1:] if one.candidate.complexity < best.candidate.complexity]
    near = [one for one in simpler if _cost(one, metric) <= limit]
    if not near:
        return "no simpler one is within one standard error of it"
    simplest = min(near, key=lambda one: (one.candidate.complexity, _cost(one, metric)))
    return f"a simpler one is within one standard error of it: {_name(simplest)}, {score_in_words(simplest)}"


def _not_better(best: Judged, baseline: Judged | None, metric: str, target: Target) -> str:
    if baseline is None or baseline.score is None or _cost(best, metric) < _cost(baseline, metric):
        return ""
    always = shown(str(target.common), 40) if target.classes else "the mean"
    return f" No candidate beats always answering {always}, {number(baseline.score)}: do not put this into production."


def _name(judged: Judged) -> str:
    """A title within a sentence: with a small letter, unless it begins with an abbreviation."""
    title = judged.candidate.title
    return title if title[:2].isupper() else title[0].lower() + title[1:]
