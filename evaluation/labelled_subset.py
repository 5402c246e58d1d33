"""Whether labelled instances stand for all that were scored: else the figures speak of a part, and say so.

Labels often come for some only: for loans that were granted, for the morning's instances. Two things are known of every
scored instance and are compared between labelled and unlabelled ones: what the model answered, and in which hour it was
scored. Unlabelled are all counted in the profiles less the labelled ones, bin by bin.

| compared | effect | test |
|---|---|---|
| probability of the positive class, score, value; hours | Kolmogorov-Smirnov statistic of the binned distributions | its asymptotic p, conservative for bins [1] |
| predicted classes | largest difference of shares (L∞) | χ² on the table of both by class [1] |

It warns where the effect is 0.1 or more and p under 0.005 (0.01 for two checks): with many instances any difference is
beyond chance, and a small one moves no figure.

1. M. Kendall, A. Stuart, The Advanced Theory of Statistics, volume 2, chapter 30.
"""  # noqa: E501 - a table's row cannot be broken

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.binning import count_values
from evaluation.confidence import BINS, EDGES, Confidence, counted
from evaluation.label_indices import positive_index
from evaluation.labelled_pairs import Pairs
from evaluation.pages.numbers import number
from evaluation.profile import Distributions, Profile
from evaluation.report_format import LabelledSubset, Level, SubsetCheck
from evaluation.wording import share
from scoring.bundle import Histogram, Manifest, class_key

EFFECT, RARE = 0.1, 0.01 / 2
ENOUGH = 30  # of either kind

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class _Compared:
    """Counts of labelled and of all scored instances in the same bins, and each bin's name or where it ends."""

    labelled: Counts
    every: Counts
    ends: Sequence[str]
    ordered: bool

    @property
    def unlabelled(self) -> Counts:
        rest: Counts = np.maximum(self.every - self.labelled, 0)
        return rest


def labelled_subset(
    pairs: Pairs,
    scored_at: pd.Series,
    manifest: Manifest,
    distributions: Distributions | None,
    hours: Mapping[str, Sequence[Profile]],
) -> LabelledSubset | None:
    """Of one version's labelled pairs and the times they were scored; None if every instance or none is labelled."""
    key = (manifest.name, manifest.version, "champion")
    by_hour = _hours(scored_at, {hour: _scored(profiles, key) for hour, profiles in hours.items()})
    labelled, unlabelled = int(by_hour.labelled.sum()), int(by_hour.unlabelled.sum())
    if not labelled or not unlabelled:
        return None
    checks = [_checked("hours", "When they were scored", by_hour, "were scored before")]
    answers = None if distributions is None else _answers(pairs, manifest, distributions)
    if answers is not None:
        title, compared = answers
        checks.insert(0, _checked("answers", title, compared, "are below"))
    level, sentence = _told(checks)
    return LabelledSubset(
        level=level, sentence=sentence, labelled=labelled, unlabelled=unlabelled, threshold=EFFECT, checks=checks
    )


def _scored(profiles: Sequence[Profile], key: tuple[str, str, str]) -> int:
    return sum(profile.outcomes.get("scored", 0) for profile in profiles if profile.key == key)


def _hours(scored_at: pd.Series, every: Mapping[str, int]) -> _Compared:
    names = sorted(every)
    own = Counter(pd.to_datetime(scored_at).dt.strftime("%Y-%m-%dT%H").tolist())
    labelled = np.array([own.get(name[:13], 0) for name in names], np.int64)
    ends = [f"{name[:10]} {name[11:13]}:59" for name in names]
    return _Compared(labelled, np.array([every[name] for name in names], np.int64), ends, ordered=True)


def _answers(pairs: Pairs, manifest: Manifest, found: Distributions) -> tuple[str, _Compared] | None:
    """What the model answered, in the finest form that is known of every scored instance."""
    if manifest.task == "binary" and found.confidence is not None and pairs.probabilities is not None:
        place = positive_index(manifest.classes, manifest.positive)
        own = counted(pairs.predicted, pairs.probabilities)
        title = f"Probability of {class_key(manifest.classes[place])}"
        return title, _Compared(_bins(own, place), _bins(found.confidence, place), _edges(EDGES[1:]), ordered=True)
    name = "value" if manifest.task == "regression" else "label"
    bins = found.outputs.get(name)
    if bins is None:
        return None
    if bins.edges is not None:
        values = count_values(pairs.predicted.tolist(), bins)
        return "Predicted value", _Compared(
            np.array(values.counts), np.array(bins.counts), _edges([*bins.edges, np.inf]), ordered=True
        )
    said = np.bincount(pairs.predicted, minlength=len(manifest.classes))
    keys = [class_key(label) for label in manifest.classes]
    return "Predicted class", _Compared(said, _by_class(bins, keys), keys, ordered=False)


def _bins(confidence: Confidence, place: int) -> Counts:
    counts = np.zeros(BINS, np.int64)
    for bin_, count, _ in [*confidence.predicted[place], *confidence.others[place]] if confidence.n else []:
        counts[bin_] += count
    return counts


def _by_class(bins: Histogram, keys: Sequence[str]) -> Counts:
    counts = dict(zip(map(class_key, bins.categories or []), bins.counts, strict=True))
    return np.array([counts.get(key, 0) for key in keys], np.int64)


def _edges(ends: Sequence[float]) -> list[str]:
    return [number(end) for end in ends]


def _checked(name: str, title: str, compared: _Compared, verb: str) -> SubsetCheck:
    own, rest = compared.labelled, compared.unlabelled
    if own.sum() < ENOUGH or rest.sum() < ENOUGH:
        sentence = f"{title}: too few of one kind to compare, {ENOUGH} are needed."
        return _check(name, title, None, None, "no data", sentence)
    if compared.ordered:
        below = [counts.cumsum() / counts.sum() for counts in (own, rest)]
        at = int(np.abs(below[0] - below[1]).argmax())
        effect = float(abs(below[0][at] - below[1][at]))
        p = _kolmogorov(effect, int(own.sum()), int(rest.sum()))
        said = f"{share(below[0][at])} of labelled and {share(below[1][at])} of unlabelled instances {verb}"
        sentence = f"{title}: {said} {compared.ends[at]}."
    else:
        shares = [counts / counts.sum() for counts in (own, rest)]
        at = int(np.abs(shares[0] - shares[1]).argmax())
        effect, p = float(abs(shares[0][at] - shares[1][at])), _chi_square(own, rest)
        said = f"{share(shares[0][at])} of labelled and {share(shares[1][at])} of unlabelled instances"
        sentence = f"{title}: {compared.ends[at]} for {said}."
    return _check(name, title, effect, p, "warn" if effect >= EFFECT and p < RARE else "ok", sentence)


def _check(name: str, title: str, effect: float | None, p: float | None, level: Level, sentence: str) -> SubsetCheck:
    return SubsetCheck(name=name, title=title, effect=effect, p=p, level=level, sentence=sentence)  # type: ignore[arg-type]


def _kolmogorov(effect: float, one: int, other: int) -> float:
    from scipy.special import kolmogorov

    return float(kolmogorov(effect * (one * other / (one + other)) ** 0.5))


def _chi_square(one: Counts, other: Counts) -> float:
    from scipy.special import chdtrc

    table = np.array([one, other], np.float64)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return float(chdtrc(table.shape[1] - 1, ((table - expected) ** 2 / expected).sum()))


def _told(checks: Sequence[SubsetCheck]) -> tuple[Level, str]:
    apart = [check for check in checks if check.level == "warn"]
    if apart:
        said = " ".join(check.sentence for check in apart)
        return "warn", f"The figures speak of labelled instances, which are not like the others. {said}"
    if all(check.level == "no data" for check in checks):
        return (
            "no data",
            "Too few instances are labelled, or too few are not, to tell whether these are alike.",
        )
    return "ok", "Labelled instances are like the others, as far as answers and hours tell."
