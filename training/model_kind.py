"""What a fitted pipeline is: its task, its classes, and which of scikit-learn's answers it can give.

Only what can be served is let through: a fitted classifier of two or more classes, a fitted regressor of one target,
or an outlier detector. That is a classifier of the classes -1 (outlier) and 1, with its decision function as score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, is_classifier, is_outlier_detector, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from scoring.bundle import Label, Task
from training.data import plain_label
from training.errors import ExportRefused

OUTLIER_CLASSES = (-1, 1)


@dataclass(frozen=True)
class ModelKind:
    """Task, classes (in scikit-learn's order; empty for regression) and the form of the answer."""

    task: Task
    classes: tuple[Label, ...]
    answer: Literal["probabilities", "score", "value"]
    outliers: bool = False

    @property
    def usual_positive(self) -> Label:
        """The class that AUC and TPR speak of where nobody says another: the second, or the outliers."""
        return self.classes[0] if self.outliers else self.classes[1]


def model_kind(pipeline: Any) -> ModelKind:
    """What the pipeline is; `ExportRefused` for what cannot be served."""
    if not isinstance(pipeline, BaseEstimator):
        raise ExportRefused(f"a {type(pipeline).__name__} is not a scikit-learn estimator; pass a fitted Pipeline")
    try:
        check_is_fitted(pipeline)
    except NotFittedError as problem:
        raise ExportRefused("the pipeline is not fitted; call pipeline.fit(X_train, y_train) first") from problem
    if (is_regressor(pipeline) or is_classifier(pipeline)) and not hasattr(pipeline, "predict"):
        raise ExportRefused(f"{type(pipeline).__name__} cannot predict; a search must be fitted with refit=True")
    if is_regressor(pipeline):
        return ModelKind("regression", (), "value")
    if is_outlier_detector(pipeline):
        if not hasattr(pipeline, "decision_function"):
            raise ExportRefused(
                f"{type(pipeline).__name__} gives no decision function for new rows; use IsolationForest or OneClassSVM"
            )
        return ModelKind("binary", OUTLIER_CLASSES, "score", outliers=True)
    if not is_classifier(pipeline):
        raise ExportRefused(
            f"{type(pipeline).__name__} is neither a classifier nor a regressor; "
            "its last step must predict a label or a value"
        )
    return _classifier(pipeline)


def _classifier(pipeline: Any) -> ModelKind:
    classes = pipeline.classes_
    if isinstance(classes, list) or np.asarray(classes).ndim != 1:
        raise ExportRefused("the classifier predicts several labels; export one pipeline for each")
    labels = tuple(plain_label(label) for label in classes)
    if len(labels) < 2:
        raise ExportRefused(
            f"the classifier knows one class only ({labels[0]!r}); train on rows of two or more classes"
        )
    task: Task = "binary" if len(labels) == 2 else "multiclass"
    if hasattr(pipeline, "predict_proba"):
        return ModelKind(task, labels, "probabilities")
    if hasattr(pipeline, "decision_function"):
        return ModelKind(task, labels, "score")
    raise ExportRefused(
        "the classifier gives neither probabilities nor a decision function; use one that does "
        "(VotingClassifier with voting='soft'; OneVsRestClassifier for OutputCodeClassifier)"
    )
