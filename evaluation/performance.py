"""Performance: predictions against the truth, each figure beside what it was before production. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.confusion_figures import confusion_matrix
from evaluation.curves import MOST_CLASSES, calibration_curve, confusion_of, ranking_curves, residuals_of
from evaluation.figure_names import HEADLINE, figure_of
from evaluation.label_indices import positive_index
from evaluation.label_join import Joined, Key
from evaluation.measured import Measured
from evaluation.metrics import classification_of_indices, regression_metrics
from evaluation.report_format import (
    ClassFigures,
    Curve,
    Figure,
    LabelArrival,
    Performance,
    Verdict,
    VersionFigures,
)
from evaluation.thresholds import Thresholds
from evaluation.verdicts import judged, worst
from evaluation.wording import share
from scoring.bundle import Label, Manifest, class_key

_CURVES_FOR = 10  # classes of a multiclass model that get curves

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class _Pairs:
    """Usable pairs of prediction and truth: class positions, or values of a regression."""

    truth: Any
    predicted: Any
    probabilities: Floats | None
    scores: Floats | None
    order: Indices  # by the hash of the id: a sample that does not depend on when it is drawn
    unusable: int


def performance_section(
    joined: Joined, manifests: Mapping[str, Manifest], version: str, thresholds: Thresholds
) -> Performance:
    """The section of `version` as champion; `manifests` by version, as far as they can be read."""
    manifest = manifests.get(version)
    rows = joined.pairs.get((version, "champion"))
    if manifest is None or rows is None or not len(rows):
        sentence = joined.arrival.sentence
        if manifest is None and joined.arrival.labelled:
            sentence = "The bundle cannot be read, so nobody knows the classes and the figures at export."
        return Performance(
            verdict=Verdict(level="no data", sentence=sentence),
            labels=joined.arrival,
            others=_others(joined, manifests, version, thresholds),
        )
    pairs = _pairs(rows, manifest)
    measured = _measured(pairs, manifest)
    figures = _figures(measured, manifest, thresholds)
    arrival = msgspec.structs.replace(joined.arrival, unusable=pairs.unusable)
    extras = _regression_extras(pairs, manifest) if manifest.task == "regression" else _class_extras(pairs, manifest)
    return Performance(
        verdict=_verdict(figures, arrival),
        labels=arrival,
        figures=figures,
        classes=_classes(pairs, measured, manifest, thresholds),
        others=_others(joined, manifests, version, thresholds),
        **extras,
    )


def _pairs(rows: pd.DataFrame, manifest: Manifest) -> _Pairs:
    if manifest.task == "regression":
        truth, predicted = rows["truth_value"].to_numpy(np.float64), rows["value"].to_numpy(np.float64)
        usable = np.isfinite(truth) & np.isfinite(predicted)
        return _Pairs(truth[usable], predicted[usable], None, None, _order(rows[usable]), int((~usable).sum()))
    places = _places(manifest.classes)
    truth = rows["truth_label"].map(places).fillna(-1).to_numpy(np.int64)
    predicted = rows["label"].map(places).fillna(-1).to_numpy(np.int64)
    shares = _shares(rows, manifest)
    scores = rows["score"].to_numpy(np.float64) if manifest.output.score is not None else None
    usable = (truth >= 0) & (predicted >= 0)
    for answers in (shares, scores):
        if answers is not None:
            usable &= np.isfinite(answers.reshape(len(rows), -1)).all(axis=1)
    return _Pairs(
        truth[usable],
        predicted[usable],
        None if shares is None else shares[usable],
        None if scores is None else scores[usable],
        _order(rows[usable]),
        int((~usable).sum()),
    )


def _places(classes: list[Label]) -> dict[str, int]:
    """Positions by the JSON text of a class; a whole number may be written 1 or 1.0."""
    places: dict[str, int] = {}
    for index, label in enumerate(classes):
        places[msgspec.json.encode(label).decode()] = index
        if isinstance(label, (int, float)) and not isinstance(label, bool) and float(label).is_integer():
            places |= {str(int(label)): index, f"{int(label)}.0": index}
    return places


def _shares(rows: pd.DataFrame, manifest: Manifest) -> Floats | None:
    """Probabilities [n, classes], NaN where one is not there; None when the model gives none."""
    if manifest.output.probabilities is None:
        return None
    keys = [class_key(label) for label in manifest.classes]
    given = [row if isinstance(row, dict) else {} for row in rows["probabilities"]]
    table = [[row.get(key) for key in keys] for row in given]
    return np.array(table, np.float64).reshape(len(rows), len(keys))


def _order(rows: pd.DataFrame) -> Indices:
    hashes = pd.util.hash_array(rows["id"].to_numpy(object), categorize=False)
    return np.argsort(hashes, kind="stable")


def _measured(pairs: _Pairs, manifest: Manifest) -> dict[str, Measured]:
    if manifest.task == "regression":
        return regression_metrics(pairs.truth, pairs.predicted)
    return classification_of_indices(
        pairs.truth,
        pairs.predicted,
        classes=manifest.classes,
        positive=manifest.positive,
        probabilities=pairs.probabilities,
        scores=pairs.scores,
    )


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
    pairs: _Pairs, measured: Mapping[str, Measured], manifest: Manifest, thresholds: Thresholds
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


def _class_extras(pairs: _Pairs, manifest: Manifest) -> dict[str, Any]:
    size, n = len(manifest.classes), len(pairs.truth)
    keys = [class_key(label) for label in manifest.classes]
    confusion = confusion_matrix(pairs.truth, pairs.predicted, size)
    if not n:
        return {"notes": [f"{pairs.unusable:,} labels are none of the classes."]}
    actual = confusion.sum(axis=1)
    majority = int(actual.argmax())
    return {
        "confusion": confusion_of(confusion, keys),
        "curves": _curves(pairs, manifest),
        "majority_class": keys[majority],
        "majority_baseline": int(actual[majority]) / n,
        "notes": _notes(confusion, keys, pairs.unusable),
    }


def _notes(confusion: Indices, keys: list[str], unusable: int) -> list[str]:
    notes = []
    n, right = int(confusion.sum()), int(np.trace(confusion))
    majority = int(confusion.sum(axis=1).max())
    said = [keys[i] for i in np.flatnonzero(confusion.sum(axis=0))]
    if len(said) == 1:
        notes.append(f"It predicts a single class: every labelled instance was called {said[0]}.")
    if right <= majority:
        notes.append(
            f"Accuracy misleads here: {share(right / n)} is no better than always saying the commonest class, "
            f"{share(majority / n)}."
        )
    if unusable:
        notes.append(f"{unusable:,} labelled instances are left out: their label is none of the classes.")
    return notes


def _curves(pairs: _Pairs, manifest: Manifest) -> list[Curve]:
    if manifest.task == "binary":
        index = positive_index(manifest.classes, manifest.positive)
        return _curves_of(pairs, index, class_key(manifest.classes[index]), calibrated=True)
    curves = []
    for index, label in enumerate(manifest.classes[:_CURVES_FOR]):
        curves += _curves_of(pairs, index, class_key(label), calibrated=False)
    if pairs.probabilities is not None:
        confidence = pairs.probabilities[np.arange(len(pairs.truth)), pairs.predicted]
        curves.append(calibration_curve(confidence, pairs.truth == pairs.predicted, "predicted class"))
    return curves


def _curves_of(pairs: _Pairs, index: int, label: str, *, calibrated: bool) -> list[Curve]:
    came_true = pairs.truth == index
    if pairs.probabilities is not None:
        share: Floats = pairs.probabilities[:, index]
        return ranking_curves(came_true, share, label) + (
            [calibration_curve(share, came_true, label)] if calibrated else []
        )
    if pairs.scores is None:
        return []
    return ranking_curves(came_true, pairs.scores if index == 1 else -pairs.scores, label)


def _regression_extras(pairs: _Pairs, manifest: Manifest) -> dict[str, Any]:
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
    pairs = _pairs(rows, manifest)
    figures = _figures(_measured(pairs, manifest), manifest, thresholds)
    return VersionFigures(
        version=key[0],
        role="challenger" if key[1] == "challenger" else "champion",
        n=len(pairs.truth),
        figures=figures,
    )
