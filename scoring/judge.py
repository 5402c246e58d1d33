"""Judging instances before the model sees them, by the rules in the bundle's manifest. Pure: no clock, no storage.

Every instance gets a verdict: may the model be run on it, or is it rejected or abstained, with all its reasons and
not only the first, and with flags for what is odd but no reason to refuse. One instance never affects another's
outcome but for a repeated id; values equal to an earlier instance's are flagged.

A request is judged as one matrix, with a few numpy calls however many instances it has; single values are looked at
only where something is amiss.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Hashable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from audit.records import WHOLE_INSTANCE
from scoring.artifacts import DUPLICATE_INSTANCE, UNSEEN_CATEGORY
from scoring.bundle import Manifest
from scoring.encoding import Matrix
from scoring.envelope import Envelope
from scoring.feature_rule import UNKNOWN, FeatureRule
from scoring.instance_reader import InstanceReader
from scoring.verdict import Verdict


class Judged(msgspec.Struct, frozen=True):
    """A request's verdicts, and its values [instances, features], NaN where missing or of the wrong type."""

    matrix: Matrix
    verdicts: list[Verdict]


class Judge:
    """Judges instances by one manifest; made once for a model, used from any thread."""

    def __init__(self, manifest: Manifest) -> None:
        criteria, takes_missing = manifest.criteria, manifest.parity.takes_missing
        self._rules = [FeatureRule(feature, takes_missing=takes_missing) for feature in manifest.features]
        self._reader = InstanceReader(self._rules, ignores_extra=criteria.extra_features == "ignore")
        self._strings = [i for i, rule in enumerate(self._rules) if rule.type == "string"]
        self._low = np.array([max(rule.low, -sys.float_info.max) for rule in self._rules])
        self._high = np.array([min(rule.high, sys.float_info.max) for rule in self._rules])
        self._lows, self._highs = self._low.tolist(), self._high.tolist()
        self._envelope = Envelope(manifest.features, manifest.calibration) if manifest.calibration else None
        self._abstains_apart = criteria.joint == "abstain"

    def judge(self, instances: Sequence[Any], ids: Sequence[str] | None = None) -> Judged:
        """Verdicts for parsed JSON values, which are instances if all is well; never raises."""
        verdicts = [Verdict() for _ in instances]
        matrix = self._reader.read(instances, verdicts)
        ordinary = self._is_ordinary(matrix)
        if not ordinary:
            self._judge_gaps(matrix, verdicts)
            self._judge_ranges(matrix, verdicts)
        if self._envelope is not None:
            self._judge_distances(self._envelope, matrix, ordinary, verdicts)
        if len(verdicts) > 1:
            _refuse_repeated_ids(ids, verdicts)
            _flag_equal_values(matrix, verdicts, self._unknown_texts(matrix, instances))
        for verdict in verdicts:
            if verdict.reasons:
                verdict.settle()
        return Judged(matrix, verdicts)

    def _is_ordinary(self, matrix: Matrix) -> bool:
        """Whether every value is there and inside its range; for one row without numpy, whose calls cost more."""
        if len(matrix) == 1:
            (row,) = matrix.tolist()
            return all(map(operator.le, self._lows, row)) and all(map(operator.ge, self._highs, row))
        inside = self._inside(matrix)
        return bool(inside.all())

    def _inside(self, matrix: Matrix) -> npt.NDArray[np.bool_]:
        """The values inside their ranges: no missing value and no infinity is."""
        return (matrix >= self._low) & (matrix <= self._high)

    def _judge_gaps(self, matrix: Matrix, verdicts: list[Verdict]) -> None:
        """Missing values by each feature's policy, and infinities."""
        missing = np.isnan(matrix)
        for row, column in np.argwhere(~np.isfinite(matrix)).tolist():
            verdict, rule = verdicts[row], self._rules[column]
            if rule.name in verdict.unread:
                continue
            if not missing[row, column]:
                verdict.clean = False
                verdict.blame(rule.name, "not_finite")
                continue
            verdict.missing.append(rule.name)
            if rule.missing != "impute":
                verdict.because("missing_required" if rule.missing == "abstain" else "missing_feature")

    def _judge_ranges(self, matrix: Matrix, verdicts: list[Verdict]) -> None:
        """Finite numbers outside the widened training range, and categories that training did not have."""
        for row, column in np.argwhere(~self._inside(matrix) & np.isfinite(matrix)).tolist():
            verdict, rule = verdicts[row], self._rules[column]
            side = verdict.outside[rule.name] = rule.side(matrix[row, column])
            if side == "unseen":
                verdict.odd(rule.name, UNSEEN_CATEGORY)
            if rule.abstains_outside:
                verdict.because("outside_calibration")

    def _judge_distances(self, envelope: Envelope, matrix: Matrix, complete: bool, verdicts: list[Verdict]) -> None:
        """The joint distance of instances whose values could all be read; others have none."""
        if len(verdicts) == 1:
            self._judge_distance(verdicts[0], *envelope.distance(matrix, complete=complete), envelope.threshold)
            return
        distances, clusters = envelope.distances(matrix, complete=complete)
        for verdict, distance, cluster in zip(verdicts, distances.tolist(), clusters.tolist(), strict=True):
            self._judge_distance(verdict, distance, cluster, envelope.threshold)

    def _judge_distance(self, verdict: Verdict, distance: float, cluster: int, threshold: float) -> None:
        if verdict.unread or "not_finite" in verdict.reasons:
            return
        verdict.distance, verdict.cluster = distance, cluster
        if self._abstains_apart and distance > threshold:
            verdict.because("outside_calibration")

    def _unknown_texts(self, matrix: Matrix, instances: Sequence[Any]) -> dict[int, list[bytes]]:
        """The texts of each row that are all one number to the graph, though they may differ."""
        texts: dict[int, list[bytes]] = {}
        if self._strings:
            for row, place in np.argwhere(matrix[:, self._strings] == UNKNOWN).tolist():
                text: str = instances[row][self._rules[self._strings[place]].name]
                texts.setdefault(row, []).append(text.encode(errors="surrogatepass"))
        return texts


def _refuse_repeated_ids(ids: Sequence[str] | None, verdicts: list[Verdict]) -> None:
    if ids is None or len(set(ids)) == len(ids):
        return
    seen: set[str] = set()
    for instance_id, verdict in zip(ids, verdicts, strict=True):
        if instance_id in seen:
            verdict.because("duplicate_id")
        seen.add(instance_id)


def _flag_equal_values(matrix: Matrix, verdicts: list[Verdict], unknown: dict[int, list[bytes]]) -> None:
    """Flag an instance whose values equal those of an earlier one, bit by bit but for the sign of zero."""
    seen: set[Hashable] = set()
    for row, (numbers, verdict) in enumerate(zip(matrix + 0.0, verdicts, strict=True)):
        if verdict.unread:
            continue
        values: Hashable = numbers.tobytes()
        if row in unknown:
            values = (values, *unknown[row])
        if values in seen:
            verdict.odd(WHOLE_INSTANCE, DUPLICATE_INSTANCE)
        seen.add(values)
