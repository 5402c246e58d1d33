"""Where `ok` ends: every limit a verdict uses, its default, and who may change it.

A bundle's `manifest.thresholds` overrides the defaults, and the setting `HYPERPLANE_THRESHOLDS`, a JSON object such
as `{"coverage_warn": 0.99, "margin:roc_auc": 0.03}`, overrides both. An unknown name is refused, so that a misspelt
threshold is never silently without effect.

| name | default | what it limits |
|---|---|---|
| `coverage_warn` | 0.95 | coverage below it warns |
| `coverage_alert` | 0.90 | coverage below it alerts, once its 95 % interval is below it too |
| `missing_rise` | 0.05 | rise of a feature's missing rate over training beyond which it alerts; half of it warns |
| `labelled_minimum` | 30 | labelled instances a performance verdict needs |
| `margin:<figure>` | 0.05; 0.2 × before for losses and errors | worsening beyond which a figure alerts |
| `drift_minimum` | 200 | instances a drift verdict needs |
| `jensen_shannon` | 0.1 | Jensen–Shannon distance beyond which a distribution alerts; half of it warns |
| `psi` | 0.2 | population stability index, the same |
| `kolmogorov_smirnov` | 0.15 | Kolmogorov–Smirnov statistic, the same |
| `wasserstein`, `chi_square`, `l_infinity`, `cramers_v` | none | shown; alerts only where a threshold is set |
| `kl_production_to_baseline`, `kl_baseline_to_production` | none | the same |

A figure of performance warns when it is worse than before production beyond chance (the 95 % interval of the
difference excludes 0, widened for the number of figures) and alerts when it is also worse by more than its margin.
Drift warns and alerts only beyond what no drift would give (`evaluation.drift.no_drift`). Run times are judged by the
bundle's own requirements.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from evaluation.report_format import Threshold

DEFAULTS: dict[str, float] = {
    "coverage_warn": 0.95,
    "coverage_alert": 0.90,
    "missing_rise": 0.05,
    "labelled_minimum": 30,
    "drift_minimum": 200,
    "jensen_shannon": 0.1,
    "psi": 0.2,
    "kolmogorov_smirnov": 0.15,
}
OPTIONAL = frozenset(
    {
        "wasserstein",
        "chi_square",
        "l_infinity",
        "cramers_v",
        "kl_production_to_baseline",
        "kl_baseline_to_production",
    }
)
MARGIN = "margin:"
RELATIVE_MARGIN = 0.2  # of the preproduction value, for figures without an upper bound
ABSOLUTE_MARGIN = 0.05  # for figures between 0 and 1
_RELATIVE = frozenset({"rmse", "mae", "mape", "smape", "log_loss", "brier", "bias"})


class Thresholds:
    """Limits in force for one model, each with who set it.

    >>> Thresholds({"psi": 0.3}, {"psi": 0.4}).get("psi"), Thresholds().get("coverage_warn")
    (0.4, 0.95)
    """

    def __init__(self, bundle: Mapping[str, float] | None = None, setting: Mapping[str, float] | None = None) -> None:
        self._values: dict[str, Threshold] = {}
        for source, given in (("default", DEFAULTS), ("bundle", bundle or {}), ("setting", setting or {})):
            for name, value in given.items():
                if is_threshold(name) and math.isfinite(value):
                    self._values[name] = Threshold(name=name, value=float(value), source=source)  # type: ignore[arg-type]
        self.unknown = sorted(name for name in (*(bundle or {}), *(setting or {})) if not is_threshold(name))

    def get(self, name: str) -> float | None:
        """The limit, or None where there is none."""
        found = self._values.get(name)
        return None if found is None else found.value

    def need(self, name: str) -> float:
        """A limit that always is there."""
        return self._values[name].value

    def margin(self, figure: str, before: float) -> float:
        """How much worse a figure may get; `figure` may be of one class, as in `recall:good`."""
        own = self.get(MARGIN + figure)
        if own is None:
            own = self.get(MARGIN + figure.partition(":")[0])
        if own is not None:
            return own
        return abs(before) * RELATIVE_MARGIN if figure in _RELATIVE else ABSOLUTE_MARGIN

    def listed(self) -> list[Threshold]:
        """All of them by name, for the report."""
        return [self._values[name] for name in sorted(self._values)]


def is_threshold(name: str) -> bool:
    """Whether there is a limit of that name."""
    return name in DEFAULTS or name in OPTIONAL or (name.startswith(MARGIN) and len(name) > len(MARGIN))


def parse_thresholds(text: str) -> dict[str, float]:
    """The setting's JSON object; raises `ValueError` with what is expected.

    >>> parse_thresholds('{"psi": 0.3}')
    {'psi': 0.3}
    """
    expected = 'a JSON object of thresholds, such as {"coverage_warn": 0.99}'
    try:
        given: Any = msgspec.json.decode(text)
    except msgspec.DecodeError as problem:
        raise ValueError(f"{expected}: {problem}") from problem
    if not isinstance(given, dict) or any(type(value) not in (int, float) for value in given.values()):
        raise ValueError(expected)
    unknown = sorted(name for name in given if not is_threshold(name))
    if unknown:
        raise ValueError(f"{expected}; there is no threshold {unknown[0]!r}, but {', '.join(sorted(DEFAULTS))}")
    return {name: float(value) for name, value in given.items()}
