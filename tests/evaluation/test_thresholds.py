"""Limits: who set them, and that a misspelt one is never silently without effect."""

from __future__ import annotations

import pytest

from audit.settings import SettingsError
from evaluation import thresholds
from evaluation.figure_names import Better
from evaluation.report_format import Figure, Verdict
from evaluation.settings import from_environ
from evaluation.thresholds import DEFAULTS, Thresholds, parse_thresholds
from evaluation.verdicts import judged, overall
from scoring.bundle import Metric


def test_a_setting_goes_before_the_bundle_and_the_bundle_before_the_default() -> None:
    found = Thresholds({"psi": 0.3, "jensen_shannon": 0.2}, {"psi": 0.4})
    sources = {t.name: (t.value, t.source) for t in found.listed()}
    assert sources["psi"] == (0.4, "setting")
    assert sources["jensen_shannon"] == (0.2, "bundle")
    assert sources["coverage_warn"] == (0.95, "default")


@pytest.mark.parametrize("text", ["", "[]", '{"psi": "a"}', '{"psi": true}', '{"psy": 1}', "{", '{"margin:": 1}'])
def test_a_malformed_setting_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="JSON object"):
        parse_thresholds(text)


def test_the_setting_is_read_from_the_environment() -> None:
    assert from_environ({}).thresholds == {}
    assert from_environ({"HYPERPLANE_THRESHOLDS": '{"margin:recall": 0.02}'}).thresholds == {"margin:recall": 0.02}
    with pytest.raises(SettingsError, match="HYPERPLANE_THRESHOLDS"):
        from_environ({"HYPERPLANE_THRESHOLDS": '{"psy": 1}'})


def test_every_default_is_documented() -> None:
    assert thresholds.__doc__ is not None
    for name, value in DEFAULTS.items():
        assert f"| `{name}` | {value:g}" in thresholds.__doc__ or f"| `{name}` | {value:.2f}" in thresholds.__doc__


def test_margins_may_be_set_for_all_classes_or_one() -> None:
    found = Thresholds({"margin:recall": 0.1, "margin:recall:bad": 0.01})
    assert found.margin("recall:bad", 0.9) == 0.01
    assert found.margin("recall:good", 0.9) == 0.1
    assert found.margin("accuracy", 0.9) == 0.05
    assert found.margin("rmse", 50.0) == 10.0


@pytest.mark.parametrize(
    ("better", "value", "before", "level"),
    [
        ("higher", 0.80, 0.90, "alert"),
        ("higher", 0.87, 0.90, "warn"),
        ("higher", 0.89, 0.90, "ok"),
        ("higher", 0.99, 0.90, "ok"),
        ("lower", 0.99, 0.90, "alert"),
        ("lower", 0.50, 0.90, "ok"),
        ("zero", -0.99, 0.90, "alert"),
        ("zero", 0.10, -0.90, "ok"),
    ],
)
def test_only_the_bad_direction_is_bad(better: Better, value: float, before: float, level: str) -> None:
    figure = Figure(
        name="accuracy",
        title="A",
        better=better,
        value=value,
        n=500,
        low=value - 0.015,
        high=value + 0.015,
    )
    found = judged(figure, Metric(value=before, n=500, low=before - 0.01, high=before + 0.01), Thresholds())
    assert found.level == level
    assert found.sentence


def test_the_whole_is_as_bad_as_its_worst_section() -> None:
    fine, bad = Verdict(level="ok", sentence="fine"), Verdict(level="alert", sentence="bad", figure="x", value=1.0)
    silent = Verdict(level="no data", sentence="nothing came")
    assert overall({"coverage": fine, "drift": bad}).sentence == "bad"
    assert overall({"coverage": bad, "drift": bad}).sentence == "bad Look at drift too."
    assert overall({"coverage": fine, "performance": silent}).sentence.endswith("no data on performance.")
    assert overall({"coverage": silent}).level == "no data"
