"""Models made of models: calibrated, voting, stacking, bagging, a threshold or a search around one.

Each asks its models for what scikit-learn asks them for, and combines the answers by the same rule. The models inside
are converted by the same converters as a model alone, whatever they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from training.converters.dispatch import predict
from training.converters.nodes import Nodes
from training.converters.prediction import Prediction, above, at_least, largest
from training.converters.table import Numbers, Table
from training.errors import ExportRefused


def convert_voting_classifier(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """The (weighted) mean of probabilities; hard votes have no scores, and a model without scores is not exported."""
    answers = _each(nodes, model.estimators_, table)
    if model.voting == "hard":
        raise ExportRefused("VotingClassifier with voting='hard' gives no scores; set voting='soft'")
    mean = _mean(nodes, [_probabilities(answer, model) for answer in answers], model._weights_not_none)
    return Prediction(label=largest(nodes, mean), probabilities=mean)


def convert_voting_regressor(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """The (weighted) mean of values."""
    values = [_value(answer) for answer in _each(nodes, model.estimators_, table)]
    return Prediction(value=_mean(nodes, values, model._weights_not_none))


def convert_bagging_classifier(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """The mean of probabilities of models that saw some rows and some columns."""
    if any(len(inner.classes_) != model.n_classes_ for inner in model.estimators_):
        raise ExportRefused("a model in BaggingClassifier has not seen every class; raise max_samples")
    answers = _bagged(nodes, model, table)
    mean = _mean(nodes, [_probabilities(answer, model) for answer in answers], None)
    return Prediction(label=largest(nodes, mean), probabilities=mean)


def convert_bagging_regressor(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """The mean of values of models that saw some rows and some columns."""
    return Prediction(value=_mean(nodes, [_value(answer) for answer in _bagged(nodes, model, table)], None))


def convert_stacking_classifier(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """What the final model makes of the others' answers."""
    return predict(nodes, model.final_estimator_, _stacked(nodes, model, table, binary=len(model.classes_) == 2))


def convert_stacking_regressor(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """What the final model makes of the others' values."""
    return predict(nodes, model.final_estimator_, _stacked(nodes, model, table, binary=False))


def convert_threshold(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """`FixedThresholdClassifier`, `TunedThresholdClassifierCV`: the model's scores, and labels by the threshold."""
    inner = getattr(model, "estimator_", model.estimator)
    answer = predict(nodes, inner, table)
    score, threshold, position = threshold_of(model)
    wanted = answer.probabilities if score == "predict_proba" else answer.decision
    if wanted is None:
        raise ExportRefused(f"{type(model).__name__} needs {score} of {type(inner).__name__}, which is not exported")
    if score == "predict_proba":
        wanted = nodes.columns(wanted, [position])
    elif position == 0:
        wanted = nodes.op("Neg", wanted)
    label = at_least(nodes, wanted, threshold)
    if position == 0:
        label = nodes.op("Sub", np.array([1], dtype=np.int64), label)
    return Prediction(label=label, probabilities=answer.probabilities, decision=answer.decision)


def threshold_of(model: Any) -> tuple[str, float, int]:
    """The score that is compared, the threshold, and the position of the class whose score it is."""
    inner = getattr(model, "estimator_", model.estimator)
    method = model._get_response_method()
    methods = [method] if isinstance(method, str) else list(method)
    score = next(name for name in methods if hasattr(inner, name))
    threshold = getattr(model, "best_threshold_", None)
    if threshold is None:
        threshold = model.threshold
    if threshold == "auto":
        threshold = 0.5 if score == "predict_proba" else 0.0
    label = _positive_label(model)
    return score, float(threshold), 1 if label is None else list(model.classes_).index(label)


def _positive_label(model: Any) -> Any:
    if getattr(model, "pos_label", None) is not None:
        return model.pos_label
    scorer = getattr(model, "_curve_scorer", None)
    return None if scorer is None else scorer._get_pos_label()


def convert_search(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """The best model that a search found."""
    return predict(nodes, model.best_estimator_, table)


def convert_frozen(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """The model that was frozen."""
    return predict(nodes, model.estimator, table)


def convert_anomaly(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """`AnomalyClassifier`: the detector's decision, turned so that it is larger for the second class."""
    inside = predict(nodes, model.detector_, table)
    assert inside.decision is not None, "an outlier detector has a decision function"
    if model.classes_[1] == model.common:
        return Prediction(label=above(nodes, inside.decision, 0.0), decision=inside.decision)
    decision = nodes.op("Neg", inside.decision)
    return Prediction(label=at_least(nodes, decision, 0.0), decision=decision)


def _each(nodes: Nodes, models: Sequence[Any], table: Table) -> list[Prediction]:
    answers = []
    for i, inner in enumerate(models):
        with nodes.step(f"{type(inner).__name__.lower()}-{i}"):
            answers.append(predict(nodes, inner, table))
    return answers


def _bagged(nodes: Nodes, model: Any, table: Table) -> list[Prediction]:
    features = model.estimators_features_
    return [
        predict(nodes, inner, table.select(nodes, np.asarray(columns).tolist()))
        for inner, columns in zip(model.estimators_, features, strict=True)
    ]


def _stacked(nodes: Nodes, model: Any, table: Table, *, binary: bool) -> Table:
    parts = []
    inner = [each for each in model.estimators_ if each != "drop"]
    for answer, method in zip(_each(nodes, inner, table), model.stack_method_, strict=True):
        if method == "predict_proba":
            wanted = answer.probabilities
            width = len(model.classes_)
            if binary and wanted is not None:
                wanted, width = nodes.columns(wanted, [1]), 1
        elif method == "decision_function":
            wanted = answer.decision
            width = len(model.classes_) if len(model.classes_) > 2 else 1
        else:
            wanted, width = answer.value, 1
            if wanted is None and answer.label is not None:
                column = nodes.op("Reshape", answer.label, np.array([-1, 1], dtype=np.int64))
                wanted = nodes.cast(column)
        if wanted is None:
            raise ExportRefused(f"a stacked model gives no {method}")
        parts.append(Table((Numbers(wanted, width),)).with_other_last_bits())
    return Table.beside([*parts, table] if model.passthrough else parts)


def _mean(nodes: Nodes, names: list[str], weights: npt.ArrayLike | None) -> str:
    shares = np.ones(len(names)) if weights is None else np.asarray(weights, dtype=np.float64)
    scaled = [
        name if share == 1 else nodes.op("Mul", name, np.array([float(share)]))
        for name, share in zip(names, shares, strict=True)
    ]
    total = scaled[0] if len(scaled) == 1 else nodes.op("Sum", *scaled)
    return nodes.op("Div", total, np.array([float(shares.sum())]))


def _probabilities(answer: Prediction, model: Any) -> str:
    if answer.probabilities is None:
        raise ExportRefused(
            f"a model in {type(model).__name__} gives no probabilities; wrap it in CalibratedClassifierCV"
        )
    return answer.probabilities


def _value(answer: Prediction) -> str:
    assert answer.value is not None, "a regressor answers with values"
    return answer.value
