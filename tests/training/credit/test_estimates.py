"""Estimates without labels beside what the labels said: right while the rule holds, wrong when it changes."""

from __future__ import annotations

import msgspec

from evaluation.report_format import Estimate, EstimatedFigure, Report
from tests.evaluation.example_report import example_report
from tests.training.credit.conftest import Fortnight
from training.credit.estimates import Estimated, estimate_table, estimates


def report(*figures: EstimatedFigure) -> Report:
    """A report with these estimates."""
    made = example_report()
    estimate = Estimate(level="ok", sentence="", n=500, figures=list(figures))
    return msgspec.structs.replace(made, performance=msgspec.structs.replace(made.performance, estimate=estimate))


def figure(name: str, realised: float | None) -> EstimatedFigure:
    return EstimatedFigure(
        name=name, title=name, value=0.5, labelled=0.75, labelled_low=0.5, labelled_high=1.0, realised=realised
    )


def test_what_came_true_is_outside_beyond_the_intervals_ends() -> None:
    found = estimates(report(figure("accuracy", 0.5), figure("roc_auc", 0.25), figure("f1", 0.1)))
    assert found == (Estimated("accuracy", 0.25, False), Estimated("roc_auc", 0.5, True))


def test_what_was_not_estimated_or_has_not_come_true_is_left_out() -> None:
    assert estimates(report(figure("roc_auc", None))) == ()
    nothing = report()
    without = msgspec.structs.replace(nothing.performance, estimate=None)
    assert estimates(msgspec.structs.replace(nothing, performance=without)) == ()


def test_the_table_has_a_line_for_each_fault_and_figure() -> None:
    near, far = Estimated("roc_auc", 0.01, False), Estimated("roc_auc", 0.13, True)
    lines = list(estimate_table([("clean", (near,)), ("concept drift", (far,)), ("clean", (far,)), ("unseen", ())]))
    assert lines == [
        "clean            roc_auc   off by 0.070, outside its interval on 1 of 2 days",
        "concept drift    roc_auc   off by 0.130, outside its interval on 1 of 1 days",
    ]


def test_estimates_hold_until_the_rule_changes(fortnight: Fortnight) -> None:
    by_fault = {each.planted: {part.figure: part for part in each.estimated} for each in fortnight.results}
    assert by_fault["concept drift"]["roc_auc"].outside, "probabilities know nothing of a new rule"
    assert not by_fault["covariate shift"]["roc_auc"].outside
    same = [part for each in fortnight.results if each.planted == "clean" for part in each.estimated]
    assert sum(part.outside for part in same) <= 1
