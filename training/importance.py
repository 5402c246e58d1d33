"""Permutation importance: how much worse the headline metric gets when one feature's test values are shuffled.

Breiman (2001), section 10. Headline metric: ROC AUC for two classes, log loss for more (accuracy, where the
classifier has no probabilities or the test set one class only), RMSE for regression. Positive means that the feature
helps; values around 0 are noise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn import metrics

from training.answer import Answer
from training.data import Doubles
from training.model_kind import ModelKind

REPEATS = 5
ROWS_AT_MOST = 2_000


def permutation_importance(
    predict: Callable[[Doubles], Answer], test: Doubles, truth: npt.NDArray[np.generic], kind: ModelKind, seed: int = 0
) -> list[float]:
    """For each feature, the mean loss over five shuffles; at most 2,000 test rows are used.

    `truth` holds class positions, or values for regression.
    """
    random = np.random.default_rng(seed)
    if len(test) > ROWS_AT_MOST:
        chosen = random.choice(len(test), ROWS_AT_MOST, replace=False)
        test, truth = test[chosen], truth[chosen]
    loss = _loss(truth, kind)
    before = loss(predict(test))
    return [
        float(np.mean([loss(predict(_shuffled(test, feature, random))) for _ in range(REPEATS)]) - before)
        for feature in range(test.shape[1])
    ]


def headline(kind: ModelKind) -> str:
    """Name of the metric in whose units importances are given."""
    if kind.task == "regression":
        return "rmse"
    if kind.task == "binary":
        return "roc_auc"
    return "log_loss" if kind.answer == "probabilities" else "accuracy"


def _shuffled(test: Doubles, feature: int, random: np.random.Generator) -> Doubles:
    changed = test.copy()
    changed[:, feature] = random.permutation(changed[:, feature])
    return changed


def _loss(truth: npt.NDArray[np.generic], kind: ModelKind) -> Callable[[Answer], float]:
    """What grows when predictions get worse."""
    name = headline(kind)
    if name == "rmse":
        return lambda answer: float(metrics.root_mean_squared_error(truth, answer.scores[:, 0]))
    if name == "roc_auc" and len(np.unique(truth)) == 2:
        return lambda answer: -float(metrics.roc_auc_score(truth, answer.scores[:, -1]))
    if name == "log_loss":
        labels = np.arange(len(kind.classes))
        return lambda answer: float(metrics.log_loss(truth, answer.scores, labels=labels))
    return lambda answer: -float(np.mean(answer.labels == truth))
