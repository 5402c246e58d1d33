"""The estimate without labels beside what the labels say: where both are known, they tell of concept drift.

The estimate over all scored instances needs no label. Over the labelled ones alone it is made a second time, from the
same probabilities, and held against what came true: on the same instances, so that it does not matter whether these
stand for the others. If a figure lies beyond the interval (widened for the number of figures, Bonferroni) and by more
than half the figure's margin, then probabilities no longer come true as often as before production.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist

import msgspec

from evaluation.confidence import Confidence, counted
from evaluation.estimated_figures import Estimated, estimated_figures
from evaluation.figure_names import TITLES
from evaluation.label_indices import positive_index
from evaluation.labelled_pairs import Pairs
from evaluation.measured import Measured
from evaluation.pages.numbers import number
from evaluation.probability_calibration import ProbabilityCalibration, calibration_of
from evaluation.report_format import Estimate, EstimatedFigure, Level
from evaluation.thresholds import Thresholds
from scoring.bundle import Baseline, Manifest

ASSUMPTION = (
    "The estimate takes the model’s probabilities at their word: of instances given 0.9, nine in ten are taken to come "
    "true. That holds as long as they come true as often as before production, though other instances may come. "
    "When the same instances come to mean something else (concept drift), it does not: only labels show that."
)


def estimate_section(
    confidence: Confidence | None,
    manifest: Manifest,
    baseline: Baseline | None,
    thresholds: Thresholds,
    *,
    pairs: Pairs | None = None,
    measured: Mapping[str, Measured] | None = None,
) -> Estimate | None:
    """Of scored instances, and of the labelled `pairs` with their figures; None for a model without probabilities."""
    if manifest.task == "regression" or manifest.output.probabilities is None:
        return None
    if confidence is None or not confidence.n:
        why = "There is no scored instance with probabilities to estimate from."
        return Estimate(level="no data", sentence=why, n=0, left_out=confidence.left_out if confidence else 0)
    calibration = calibration_of(baseline, manifest.classes)
    positive = positive_index(manifest.classes, manifest.positive) if manifest.task == "binary" else None
    whole = estimated_figures(confidence, calibration, positive=positive)
    labelled = _of_labelled(pairs, calibration, positive)
    figures = [
        _figure(name, own, labelled, (measured or {}).get(name), manifest, thresholds, tested=len(whole.figures))
        for name, own in whole.figures.items()
    ]
    enough = labelled is not None and pairs is not None and len(pairs.ids) >= thresholds.need("labelled_minimum")
    if not enough:
        figures = [msgspec.structs.replace(figure, disagrees=False) for figure in figures]
    level, sentence = _told(figures, enough=enough)
    return Estimate(
        level=level,
        sentence=sentence,
        n=confidence.n,
        left_out=confidence.left_out,
        labelled=0 if pairs is None else len(pairs.ids),
        assumption=ASSUMPTION,
        calibration=calibration.sentence,
        binning=whole.binning,
        figures=figures,
    )


def _of_labelled(
    pairs: Pairs | None, calibration: ProbabilityCalibration, positive: int | None
) -> dict[str, Measured] | None:
    if pairs is None or pairs.probabilities is None or not len(pairs.ids):
        return None
    found: Estimated = estimated_figures(counted(pairs.predicted, pairs.probabilities), calibration, positive=positive)
    return found.figures


def _figure(
    name: str,
    own: Measured,
    labelled: Mapping[str, Measured] | None,
    realised: Measured | None,
    manifest: Manifest,
    thresholds: Thresholds,
    *,
    tested: int,
) -> EstimatedFigure:
    before, expected = manifest.metrics.get(name), (labelled or {}).get(name)
    return EstimatedFigure(
        name=name,
        title=TITLES[name][0],
        value=own.value,
        low=own.low,
        high=own.high,
        before=None if before is None else before.value,
        status=own.status,
        labelled=None if expected is None else expected.value,
        labelled_low=None if expected is None else expected.low,
        labelled_high=None if expected is None else expected.high,
        realised=None if expected is None or realised is None else realised.value,
        disagrees=_disagrees(name, expected, realised, thresholds, tested),
    )


def _disagrees(
    name: str, expected: Measured | None, realised: Measured | None, thresholds: Thresholds, tested: int
) -> bool:
    if expected is None or realised is None or expected.value is None or realised.value is None:
        return False
    if expected.low is None or expected.high is None:
        return False
    apart = realised.value - expected.value
    reach = expected.high - expected.value if apart > 0 else expected.value - expected.low
    wider = NormalDist().inv_cdf(1 - 0.025 / tested) / NormalDist().inv_cdf(0.975)
    return abs(apart) > max(reach * wider, thresholds.margin(name, expected.value) / 2)


def _told(figures: list[EstimatedFigure], *, enough: bool) -> tuple[Level, str]:
    apart = [figure for figure in figures if figure.disagrees]
    if apart:
        first = max(apart, key=lambda figure: abs((figure.realised or 0.0) - (figure.labelled or 0.0)))
        others = f", and {len(apart) - 1} more" if len(apart) > 1 else ""
        return "warn", (
            f"Labels disagree with the estimate: concept drift is likely. {first.title} was expected to be "
            f"{number(first.labelled)} on the labelled instances and is {number(first.realised)}{others}."
        )
    first = figures[0]
    expected = f"{first.title} is expected to be {number(first.value)}"
    if first.low is not None:
        expected += f" ({number(first.low)} to {number(first.high)})"
    if enough:
        return "ok", f"{expected} over all scored instances; labels do not contradict the estimate."
    return "no data", f"{expected} over all scored instances, if the world is as before; too few labels tell."
