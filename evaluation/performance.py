"""Performance: predictions against the truth, each figure beside what it was before production. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pandas as pd

from evaluation.class_performance import class_extras
from evaluation.curves import MOST_CLASSES, residuals_of
from evaluation.estimated_performance import estimate_section
from evaluation.figure_names import HEADLINE, figure_of
from evaluation.label_join import Joined, Key
from evaluation.labelled_pairs import Pairs, measured_of, pairs_of
from evaluation.labelled_subset import labelled_subset
from evaluation.measured import Measured
from evaluation.paired_comparison import champion_against_others
from evaluation.profile import Distributions, Profile
from evaluation.report_format import ClassFigures, Figure, LabelArrival, Performance, Verdict, VersionFigures
from evaluation.thresholds import Thresholds
from evaluation.verdicts import judged, worst
from scoring.bundle import Baseline, Manifest, class_key


def performance_section(
    joined: Joined,
    manifests: Mapping[str, Manifest],
    version: str,
    thresholds: Thresholds,
    *,
    baseline: Baseline | None = None,
    distributions: Distributions | None = None,
    hours: Mapping[str, Sequence[Profile]] | None = None,
) -> Performance:
    """The section of `version` as champion; `manifests` by version, as far as they can be read.

    `distributions` and `hours` are of all that was scored, labelled or not: what an estimate without labels rests on,
    and what the labelled instances are compared with.
    """
    manifest = manifests.get(version)
    rows = joined.pairs.get((version, "champion"))
    others = _others(joined, manifests, version, thresholds)
    confidence = None if distributions is None else distributions.confidence
    if manifest is None or rows is None or not len(rows):
        estimate = None if manifest is None else estimate_section(confidence, manifest, baseline, thresholds)
        sentence = _silence(joined, manifest)
        if estimate is not None and estimate.n >= thresholds.need("labelled_minimum"):
            sentence += f" {estimate.sentence}"
        return Performance(
            verdict=Verdict(level="no data", sentence=sentence),
            labels=joined.arrival,
            others=others,
            estimate=estimate,
        )
    pairs = pairs_of(rows, manifest)
    measured = measured_of(pairs, manifest)
    figures = _figures(measured, manifest, thresholds)
    arrival = msgspec.structs.replace(joined.arrival, unusable=pairs.unusable)
    extras = _regression_extras(pairs, manifest) if manifest.task == "regression" else class_extras(pairs, manifest)
    return Performance(
        verdict=_verdict(figures, arrival),
        labels=arrival,
        figures=figures,
        classes=_classes(pairs, measured, manifest, thresholds),
        others=others,
        estimate=estimate_section(confidence, manifest, baseline, thresholds, pairs=pairs, measured=measured),
        subset=labelled_subset(pairs, rows["ts"], manifest, distributions, hours or {}),
        comparisons=champion_against_others(joined, manifests, version),
        **extras,
    )


def _silence(joined: Joined, manifest: Manifest | None) -> str:
    """Why there are no figures."""
    if manifest is None and joined.arrival.labelled:
        return "The bundle cannot be read, so nobody knows the classes and the figures at export."
    return joined.arrival.sentence


def _figures(measured: Mapping[str, Measured], manifest: Manifest, thresholds: Thresholds) -> list[Figure]:
    """Judged figures of the whole, the headline first."""
    names = [name for name in measured if ":" not in name]
    names.sort(key=lambda name: name != HEADLINE[manifest.task])
    return [_judged(name, measured, manifest, thresholds) for name in names]


def _judged(name: str, measured: Mapping[str, Measured], manifest: Manifest, thresholds: Thresholds) -> Figure:
    figure = figure_of(name, measured[name], manifest.target_unit)
    return judged(figure, manifest.metrics.get(name), thresholds, tested=len(measured))


def _verdict(figures: list[Figure], arrival: LabelArrival) -> Verdict:
    level = worst(figure.level for figure in figures)
    decisive = next(figure for figure in figures if figure.level == level)
    sentence = decisive.sentence
    others = sum(figure.level == level for figure in figures) - 1
    if level in ("warn", "alert") and others:
        sentence += f" {others} other figure{'s are' if others > 1 else ' is'} as bad."
    if level == "no data" and arrival.labelled:
        sentence = f"{arrival.sentence} {decisive.sentence}"
    return Verdict(
        level=level,
        sentence=sentence,
        figure=decisive.name,
        value=decisive.value,
        before=decisive.before,
        threshold=decisive.threshold,
    )


def _classes(
    pairs: Pairs, measured: Mapping[str, Measured], manifest: Manifest, thresholds: Thresholds
) -> list[ClassFigures]:
    if manifest.task == "regression":
        return []
    n, found = len(pairs.truth), []
    for index, label in enumerate(manifest.classes[:MOST_CLASSES]):
        key = class_key(label)
        actual = int((pairs.truth == index).sum())
        own = [name for name in measured if name.endswith(f":{key}") and name.partition(":")[2] == key]
        found.append(
            ClassFigures(
                label=key,
                n=actual,
                predicted=int((pairs.predicted == index).sum()),
                prevalence=actual / n if n else None,
                figures=[_judged(name, measured, manifest, thresholds) for name in own],
            )
        )
    return found


def _regression_extras(pairs: Pairs, manifest: Manifest) -> dict[str, Any]:
    notes = [f"{pairs.unusable:,} labelled instances are left out: their label is no number."] if pairs.unusable else []
    residuals = residuals_of(pairs.truth, pairs.predicted, pairs.order, manifest.target_unit)
    return {"residuals": residuals, "notes": notes}


def _others(
    joined: Joined, manifests: Mapping[str, Manifest], version: str, thresholds: Thresholds
) -> list[VersionFigures]:
    found = []
    for key in sorted(joined.pairs):
        manifest = manifests.get(key[0])
        if key != (version, "champion") and manifest is not None and len(joined.pairs[key]):
            found.append(_other(key, joined.pairs[key], manifest, thresholds))
    return found


def _other(key: Key, rows: pd.DataFrame, manifest: Manifest, thresholds: Thresholds) -> VersionFigures:
    pairs = pairs_of(rows, manifest)
    figures = _figures(measured_of(pairs, manifest), manifest, thresholds)
    return VersionFigures(
        version=key[0],
        role="challenger" if key[1] == "challenger" else "champion",
        n=len(pairs.truth),
        figures=figures,
    )
