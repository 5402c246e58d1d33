"""How each figure of performance is called and which direction is good."""

from __future__ import annotations

from typing import Literal

from evaluation.measured import Measured
from evaluation.report_format import Figure
from scoring.bundle import Task

Better = Literal["higher", "lower", "zero"]

TITLES: dict[str, tuple[str, Better]] = {
    "accuracy": ("Accuracy", "higher"),
    "balanced_accuracy": ("Balanced accuracy", "higher"),
    "precision": ("Precision", "higher"),
    "recall": ("Recall (true positive rate)", "higher"),
    "fpr": ("False positive rate", "lower"),
    "f1": ("F1", "higher"),
    "mcc": ("Matthews correlation", "higher"),
    "roc_auc": ("ROC AUC", "higher"),
    "pr_auc": ("PR AUC", "higher"),
    "log_loss": ("Log loss", "lower"),
    "brier": ("Brier score", "lower"),
    "ece": ("Expected calibration error", "lower"),
    "precision_macro": ("Precision, macro", "higher"),
    "recall_macro": ("Recall, macro", "higher"),
    "fpr_macro": ("False positive rate, macro", "lower"),
    "f1_macro": ("F1, macro", "higher"),
    "roc_auc_macro": ("ROC AUC, one against the rest, macro", "higher"),
    "pr_auc_macro": ("PR AUC, macro", "higher"),
    "rmse": ("Root mean squared error", "lower"),
    "mae": ("Mean absolute error", "lower"),
    "mape": ("Mean absolute percentage error", "lower"),
    "smape": ("Symmetric MAPE", "lower"),
    "r2": ("R²", "higher"),
    "bias": ("Bias (mean of prediction − truth)", "zero"),
}
HEADLINE: dict[Task, str] = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "rmse"}
_IN_TARGET_UNITS = frozenset({"rmse", "mae", "bias"})


def figure_of(name: str, measured: Measured, unit: str | None = None) -> Figure:
    """A figure that is not judged yet; `name` may end in `:<class>`, which the title leaves to its table."""
    title, better = TITLES[name.partition(":")[0]]
    return Figure(
        name=name,
        title=title,
        better=better,
        unit=unit if name in _IN_TARGET_UNITS else None,
        value=measured.value,
        n=measured.n,
        low=measured.low,
        high=measured.high,
        interval=measured.interval,
        status=measured.status,
    )
