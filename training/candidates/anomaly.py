"""A detector of anomalies as a classifier of two classes: it learns the common class, and calls the rest the other.

The detector (a one-class SVM, an isolation forest) is fitted on the rows of the common class alone, so it needs no
single example of the rare one; what rare rows there are serve to judge it. `decision_function` is larger for
`classes_[1]`, as with every classifier of scikit-learn, and its zero is the detector's own boundary. There are no
probabilities.

B. Schölkopf et al., Estimating the support of a high-dimensional distribution. Neural Computation 13 (2001).
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data


class AnomalyClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """`detector` is an outlier detector of scikit-learn; `common` is the label of the class that it learns."""

    def __init__(self, detector: Any, common: Any) -> None:
        self.detector = detector
        self.common = common

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn the rows whose label is `common`."""
        X, y = validate_data(self, X, y)
        self.classes_ = np.unique(y)
        if len(self.classes_) != 2 or self.common not in self.classes_:
            raise ValueError(f"two classes are needed, one of them {self.common!r}; these are {self.classes_.tolist()}")
        common = y == self.common
        weights = {} if sample_weight is None else {"sample_weight": np.asarray(sample_weight)[common]}
        self.detector_ = clone(self.detector).fit(X[common], **weights)
        return self

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:
        """Signed distance [n] to the detector's boundary; positive is `classes_[1]`."""
        check_is_fitted(self)
        inside: npt.NDArray[np.float64] = self.detector_.decision_function(validate_data(self, X, reset=False))
        return inside if self.classes_[1] == self.common else -inside

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The common class within the boundary, the other one on it and beyond."""
        scores = self.decision_function(X)
        second = scores > 0 if self.classes_[1] == self.common else scores >= 0
        labels: npt.NDArray[Any] = self.classes_[second.astype(np.int64)]
        return labels
