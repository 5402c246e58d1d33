"""Settings of evaluation: environment variables, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audit.settings import Setting, read_settings
from evaluation.thresholds import parse_thresholds

THRESHOLDS = "HYPERPLANE_THRESHOLDS"
SETTINGS: tuple[Setting, ...] = (
    Setting(THRESHOLDS, {}, parse_thresholds, "Limits of verdicts that differ from the bundle's, as a JSON object"),
)


@dataclass(frozen=True)
class EvaluationSettings:
    """What evaluation needs to know."""

    thresholds: Mapping[str, float]


def from_environ(environ: Mapping[str, str]) -> EvaluationSettings:
    """Read the settings; raises `audit.settings.SettingsError` naming the variable and the fix."""
    return EvaluationSettings(thresholds=read_settings(SETTINGS, environ)[THRESHOLDS])
