"""Which of two models is better on the same instances: paired tests, so that what both find hard cancels out.

Only labelled instances that both scored count, each with the newest record of either (`evaluation.label_join`).

| figure | test | interval of the difference |
|---|---|---|
| accuracy | McNemar's, exact: of the instances that only one got right, a fair coin for whose they are [1] | Wald's with half an instance more in each cell, as Bonett and Price's [2] |
| ROC AUC, also the mean of classes | DeLong's for correlated curves [3] | the same |
| log loss, MAE | Student's t on the differences by instance | the same |
| RMSE | Student's t on each instance's influence on the difference (delta method) | the same |

p is two-sided and multiplied by the number of tests of all comparisons that are made together (Bonferroni); under 0.05
one model is called better. That neither is called better is no proof that they are equal: look at the interval.

1. Q. McNemar, Psychometrika 12 (1947).
2. D. G. Bonett, R. M. Price, Adjusted Wald confidence interval for a difference of binomial proportions based on paired
   data. Journal of Educational and Behavioral Statistics 37 (2012).
3. E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 44 (1988); see `evaluation.intervals`.
"""  # noqa: E501 - a table's row cannot be broken

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from evaluation.figure_names import TITLES
from evaluation.intervals import FEW, Z, auc_influence
from evaluation.label_indices import positive_index
from evaluation.label_join import Joined, Key
from evaluation.labelled_pairs import Pairs, chosen, pairs_of
from evaluation.pages.numbers import number
from evaluation.probability_figures import ranking_of, surprise
from evaluation.report_format import PairedComparison, PairedTest
from scoring.bundle import Manifest, class_key

SURE = 0.05
MOST_COMPARED = 20

Floats = NDArray[np.float64]


def champion_against_others(joined: Joined, manifests: Mapping[str, Manifest], version: str) -> list[PairedComparison]:
    """The champion `version` against each challenger and version that shares labelled instances with it."""
    champion: Key = (version, "champion")
    if champion not in joined.pairs:
        return []
    others = [key for key in sorted(joined.pairs) if key != champion and key[0] in manifests]
    found = [paired_comparison(joined, manifests, champion, key) for key in others]
    shared = [comparison for comparison in found if comparison.n][:MOST_COMPARED]
    return corrected(shared)


def paired_comparison(joined: Joined, manifests: Mapping[str, Manifest], one: Key, other: Key) -> PairedComparison:
    """One against the other, p corrected for the tests of this comparison alone; n = 0 where they share nothing."""
    pairs = _shared(joined, manifests, one, other)
    if pairs is None or not len(pairs[0].ids):
        sentence = f"{_named(one)} and {_named(other)} share no labelled instance."
        return _of(one, other, sentence=sentence)
    first, second = pairs
    if manifests[one[0]].task == "regression":
        return corrected([_of(one, other, n=len(first.ids), tests=_regression_tests(first, second))])[0]
    only_one, only_other = _disagreements(first, second)
    found = _of(
        one,
        other,
        n=len(first.ids),
        only_one_right=only_one,
        only_other_right=only_other,
        tests=_class_tests(first, second, manifests[one[0]], manifests[other[0]]),
    )
    return corrected([found])[0]


def corrected(comparisons: Sequence[PairedComparison]) -> list[PairedComparison]:
    """The same with p multiplied by the number of tests in all of them, and the sentences that follow."""
    tested = sum(test.p is not None for comparison in comparisons for test in comparison.tests)
    found = []
    for comparison in comparisons:
        tests = [_corrected(test, tested) for test in comparison.tests]
        changed = msgspec.structs.replace(comparison, tested=tested, tests=tests)
        found.append(msgspec.structs.replace(changed, sentence=_sentence(changed) if tests else comparison.sentence))
    return found


def _of(one: Key, other: Key, *, n: int = 0, sentence: str = "", **more: object) -> PairedComparison:
    return PairedComparison(
        one_version=one[0],
        one_role="challenger" if one[1] == "challenger" else "champion",
        other_version=other[0],
        other_role="challenger" if other[1] == "challenger" else "champion",
        n=n,
        sentence=sentence,
        **more,  # type: ignore[arg-type]
    )


def _shared(joined: Joined, manifests: Mapping[str, Manifest], one: Key, other: Key) -> tuple[Pairs, Pairs] | None:
    """The pairs of both on the ids that both have, in the same order."""
    if any(key not in joined.pairs or key[0] not in manifests for key in (one, other)):
        return None
    if (manifests[one[0]].task == "regression") != (manifests[other[0]].task == "regression"):
        return None
    first, second = (pairs_of(joined.pairs[key], manifests[key[0]]) for key in (one, other))
    places = {id: place for place, id in enumerate(second.ids)}
    own = [place for place, id in enumerate(first.ids) if id in places]
    theirs = [places[first.ids[place]] for place in own]
    return chosen(first, np.array(own, np.int64)), chosen(second, np.array(theirs, np.int64))


def _disagreements(first: Pairs, second: Pairs) -> tuple[int, int]:
    one_right, other_right = first.truth == first.predicted, second.truth == second.predicted
    return int((one_right & ~other_right).sum()), int((~one_right & other_right).sum())


def _class_tests(first: Pairs, second: Pairs, one: Manifest, other: Manifest) -> list[PairedTest]:
    return [_accuracy(first, second), _auc(first, second, one, other), _log_loss(first, second)]


def _accuracy(first: Pairs, second: Pairs) -> PairedTest:
    from scipy.special import bdtr

    n, (only_one, only_other) = len(first.ids), _disagreements(first, second)
    differing = only_one + only_other
    p = min(1.0, 2 * float(bdtr(min(only_one, only_other), differing, 0.5))) if differing else 1.0
    middle = (only_other - only_one) / (n + 2)
    half = Z * math.sqrt(max(0.0, (differing + 2) / (n + 2) - middle**2) / (n + 2))
    return _test(
        "accuracy",
        float((first.truth == first.predicted).mean()),
        float((second.truth == second.predicted).mean()),
        (max(-1.0, middle - half), min(1.0, middle + half)),
        p,
        "McNemar’s test, exact",
    )


def _auc(first: Pairs, second: Pairs, one: Manifest, other: Manifest) -> PairedTest:
    name = "roc_auc" if one.task == "binary" else "roc_auc_macro"
    keys = [class_key(label) for label in one.classes]
    if keys != [class_key(label) for label in other.classes] or one.positive != other.positive:
        return _untested(name, "the two do not have the same classes")
    area_one, area_other = _area(first, one), _area(second, one)
    if area_one is None or area_other is None:
        return _untested(name, f"it needs probabilities or scores, and {FEW} instances of each class")
    influence = area_other[1] - area_one[1]
    return _by_influence(name, area_one[0], area_other[0], influence, "DeLong’s test, paired")


def _area(pairs: Pairs, manifest: Manifest) -> tuple[float, Floats] | None:
    """Area under the ROC curve, of several classes their mean, and each instance's influence on it."""
    from sklearn.metrics import roc_auc_score

    binary = manifest.task == "binary"
    wanted = [positive_index(manifest.classes, manifest.positive)] if binary else list(range(len(manifest.classes)))
    value, influence = 0.0, np.zeros(len(pairs.truth))
    for place in wanted:
        positive = pairs.truth == place
        ranking = ranking_of(pairs.probabilities, pairs.scores if binary else None, place)
        if ranking is None or min(positive.sum(), (~positive).sum()) < FEW:
            return None
        own = float(roc_auc_score(positive, ranking))
        value += own / len(wanted)
        influence += auc_influence(positive, ranking, own) / len(wanted)
    return value, influence


def _log_loss(first: Pairs, second: Pairs) -> PairedTest:
    if first.probabilities is None or second.probabilities is None:
        return _untested("log_loss", "it needs probabilities of both")
    one, other = surprise(first.truth, first.probabilities), surprise(second.truth, second.probabilities)
    return _by_influence("log_loss", float(one.mean()), float(other.mean()), other - one, "t test on the differences")


def _regression_tests(first: Pairs, second: Pairs) -> list[PairedTest]:
    with np.errstate(over="ignore", invalid="ignore"):
        one, other = first.predicted - first.truth, second.predicted - second.truth
        root_one, root_other = math.sqrt(float(np.mean(one**2))), math.sqrt(float(np.mean(other**2)))
        influence = _squares(other, root_other) - _squares(one, root_one)
        sizes = np.abs(other) - np.abs(one)
        return [
            _by_influence("rmse", root_one, root_other, influence, "t test on the influences of the squared errors"),
            _by_influence(
                "mae", float(np.abs(one).mean()), float(np.abs(other).mean()), sizes, "t test on the differences"
            ),
        ]


def _squares(errors: Floats, root: float) -> Floats:
    """Each instance's influence on the root of the mean square."""
    return errors**2 / (2 * root) if root else np.zeros(len(errors))


def _by_influence(name: str, one: float, other: float, influence: Floats, method: str) -> PairedTest:
    from scipy.special import stdtr, stdtrit

    n, difference = len(influence), other - one
    if not math.isfinite(one) or not math.isfinite(other):
        return _untested(name, "the numbers are too large for it to be computed")
    if n < 2:
        return _test(name, one, other, None, None, "", status="it needs two instances")
    with np.errstate(over="ignore", invalid="ignore"):
        error = float(np.std(influence, ddof=1)) / math.sqrt(n)
    if not math.isfinite(error) or (error == 0 and difference != 0):
        return _test(name, one, other, None, None, "", status="the differences do not tell how much is chance")
    if error == 0:
        return _test(name, one, other, (0.0, 0.0), 1.0, method)
    half = float(stdtrit(n - 1, 0.975)) * error
    p = 2 * float(stdtr(n - 1, -abs(difference) / error))
    return _test(name, one, other, (difference - half, difference + half), p, method)


def _test(
    name: str,
    one: float,
    other: float,
    interval: tuple[float, float] | None,
    p: float | None,
    method: str,
    *,
    status: str | None = None,
) -> PairedTest:
    title, better = TITLES[name]
    low, high = (min(interval[0], other - one), max(interval[1], other - one)) if interval else (None, None)
    return PairedTest(
        name=name,
        title=title,
        better="lower" if better == "lower" else "higher",
        one=one,
        other=other,
        difference=other - one,
        low=low,
        high=high,
        p=p,
        method=method,
        status=status,
    )


def _untested(name: str, why: str) -> PairedTest:
    title, better = TITLES[name]
    direction = "lower" if better == "lower" else "higher"
    return PairedTest(name=name, title=title, better=direction, one=None, other=None, status=why)  # type: ignore[arg-type]


def _corrected(test: PairedTest, tested: int) -> PairedTest:
    if test.p is None:
        return test
    p = min(1.0, test.p * tested)
    ahead = (test.difference or 0.0) if test.better == "higher" else -(test.difference or 0.0)
    winner = None if p >= SURE or not ahead else "other" if ahead > 0 else "one"
    return msgspec.structs.replace(test, p_corrected=p, winner=winner)


def _sentence(comparison: PairedComparison) -> str:
    one = _named((comparison.one_version, comparison.one_role))
    other = _named((comparison.other_version, comparison.other_role))
    told = [_won(test) for test in comparison.tests if test.winner == "other"]
    lost = [_won(test) for test in comparison.tests if test.winner == "one"]
    on = f"on the same {comparison.n:,} labelled instance{'s' if comparison.n != 1 else ''}"
    if not any(test.p is not None for test in comparison.tests):
        return f"Nothing can be tested {on}."
    if not told and not lost:
        return f"Neither {one} nor {other} is better beyond chance {on}."
    parts = [f"{other} is better than {one} in {' and '.join(told)}"] if told else []
    parts += [f"{'worse' if told else f'{other} is worse than {one}'} in {' and '.join(lost)}"] if lost else []
    text = " but ".join(parts) + f", {on}."
    return text[0].upper() + text[1:]


def _won(test: PairedTest) -> str:
    title = test.title if test.title[:2].isupper() else test.title[0].lower() + test.title[1:]
    return f"{title} ({number(test.other)} against {number(test.one)})"


def _named(key: tuple[str, str]) -> str:
    return f"{key[1]} {key[0]}"
