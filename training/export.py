"""`export_bundle`: a fitted pipeline and its data become a bundle, or an error that says why not.

The order is: refuse what cannot be exported, convert, prove parity, measure, write. Nothing is on disk before the
last step, which is atomic. The same input gives the same bytes but for `created`.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from evaluation.metrics import bundle_metrics, classification_of_indices, regression_metrics
from scoring.bundle import SCHEMA, Bundle, Criteria, Label, Manifest, Metric
from training.agreement import check_answers, check_columns, check_every_answer, check_gaps, check_types
from training.answer import Answer
from training.baseline import build_baseline
from training.bundle_writer import check_free, manifest_document, write_bundle
from training.card import model_card
from training.convergence import convergence_notes
from training.conversion import INPUT, convert, output_names
from training.data import Columns, Data, Doubles, fingerprint, read_columns, read_features, read_target
from training.declaration import Declaration, check_names, read_criteria, read_run_times, read_thresholds
from training.envelope import calibrate
from training.errors import ExportRefused
from training.features import describe_features, read_policies
from training.importance import permutation_importance
from training.model_kind import ModelKind, model_kind
from training.parity import prove, what_it_takes
from training.reference import Reference
from training.sample import sample_parquet
from training.session import GraphSession

LIBRARIES = ("scikit-learn", "skl2onnx", "onnx", "onnxruntime", "numpy")


def export_bundle(
    pipeline: Any,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    *,
    name: str,
    version: str,
    out: str | Path = "models",
    sample_weight: Any = None,
    feature_names: Sequence[str] | None = None,
    target: str | None = None,
    target_unit: str | None = None,
    units: Mapping[str, str] | None = None,
    policies: Mapping[str, Any] | None = None,
    positive: Label | None = None,
    criteria: Criteria | None = None,
    p99_ms: float | None = None,
    cold_start_ms: float | None = None,
    thresholds: Mapping[str, float] | None = None,
    description: str = "",
    source: str | None = None,
    convergence: Sequence[str] = (),
    private: bool = False,
    allow_constant: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.time,
    seed: int = 0,
) -> Bundle:
    """Write `out/name/version` for a fitted scikit-learn pipeline, with proof that the graph predicts the same.

    `X_train`, `X_test`: DataFrames or arrays of rows × columns of numbers, booleans, text or categories, missing as
    NaN or None, as the pipeline was fitted with. `y_train`, `y_test`: one label or number a row; for an outlier
    detector -1 (outlier) or 1. `sample_weight`: the weights that the pipeline was fitted with, if any; they go into
    the data's fingerprint.

    `policies` maps a feature to a `training.features.FeaturePolicy` or a dict of its fields (missing, outside,
    sentinels, defaults, redaction, unit); `units` is a short form for units. `positive` is the class that AUC, TPR, FPR
    speak of (binary; the second class otherwise). `p99_ms`, `cold_start_ms` are run times asked for. `thresholds` are
    verdict thresholds that differ from evaluation's defaults. `convergence` are texts of warnings raised while fitting
    (`training.convergence.fit_recorded` returns them). `private` leaves out the sample of training rows.
    `allow_constant` lets columns pass of which all training rows hold the same value. `tell` is called with a few
    words at the beginning of each stage of the work, which takes seconds to minutes.

    Raises `ExportRefused` with the reason and the fix, `ParityError` with the worst rows, `BundleExists` for a
    version that is taken. Nothing is written then.
    """
    check_names(feature_names)
    declared = Declaration(
        models=Path(out), name=name, version=version,
        created=datetime.fromtimestamp(clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        feature_names=feature_names, target=target, target_unit=target_unit,
        policies=read_policies(policies or {}, units or {}), positive=positive, criteria=read_criteria(criteria),
        requirements=read_run_times(p99_ms, cold_start_ms), thresholds=read_thresholds(thresholds or {}),
        description=description, source=source, convergence=convergence, private=private,
        allow_constant=allow_constant, seed=seed,
    )  # fmt: skip
    check_free(declared.models, name, version)
    return _export(pipeline, (X_train, y_train), (X_test, y_test), sample_weight, declared, tell)


def _export(
    pipeline: Any,
    train_set: tuple[Any, Any],
    test_set: tuple[Any, Any],
    sample_weight: Any,
    declared: Declaration,
    tell: Callable[[str], None],
) -> Bundle:
    """Refuse, convert, prove, measure, write."""
    tell("reading the data")
    kind = model_kind(pipeline)
    columns = read_columns(pipeline, train_set[0], declared.feature_names)
    train = _data(*train_set, columns, "train", kind.task != "regression")
    test = _data(*test_set, columns, "test", kind.task != "regression")
    weights = _weights(sample_weight, len(train))
    target = _target_name(declared.target, train_set[1], columns)
    truth = _truth(train, test, kind)
    positive = _positive(declared.positive, kind)
    reference = Reference(pipeline, kind, columns)
    check_columns(train, columns, allow_constant=declared.allow_constant)
    check_types(pipeline, train, columns)
    takes = what_it_takes(reference, train.values, columns)
    check_gaps(train, test, columns, takes)
    unknown = columns.holds_unknown(test.values)
    check_every_answer(reference, train_set[0], train.values, np.arange(len(train)), "X_train")
    check_answers(reference, test_set[0], test.values, np.flatnonzero(~unknown))
    tell("converting to ONNX")
    graph = convert(pipeline, kind, columns.vocabularies).SerializeToString(deterministic=True)
    if unknown.any():  # read again: converters may have learnt these texts from an encoder that was told of them
        test = replace(test, values=read_features(test_set[0], columns, "X_test"))
        check_answers(reference, test_set[0], test.values, np.flatnonzero(unknown))
    features = describe_features(train.values, columns, takes, declared.policies)
    session = GraphSession(graph, kind)
    tell("proving that the graph predicts the same")
    parity = prove(reference, session, train.values, test.values, columns, takes, declared.seed)

    tell("measuring")
    answer = session.predict(test.values)
    importances = permutation_importance(session.predict, test.values, truth, kind, declared.seed)
    features = [
        msgspec.structs.replace(feature, importance=importance)
        for feature, importance in zip(features, importances, strict=True)
    ]
    manifest = Manifest(
        schema=SCHEMA, name=declared.name, version=declared.version, created=declared.created, task=kind.task,
        features=features, input=INPUT, output=output_names(kind), classes=list(kind.classes), positive=positive,
        target=target, target_unit=declared.target_unit, criteria=declared.criteria,
        calibration=calibrate(train.values, features, declared.seed), parity=parity,
        metrics=_metrics(kind, answer, truth, positive, declared.seed),
        convergence=_convergence(declared.convergence, pipeline), requirements=declared.requirements,
        thresholds=dict(declared.thresholds), libraries=_libraries(),
        data=fingerprint(train, columns, weights) | _about(test, weights, declared.source),
        description=declared.description, files={},
    )  # fmt: skip
    manifest_document(manifest)  # refuses what no manifest can hold before the card is written from it
    files = _files(manifest, kind, graph, train, answer, truth) | {
        "card.md": model_card(manifest, kind, _steps(pipeline), len(test)).encode()
    }
    if not declared.private and all(feature.redaction == "none" for feature in features):
        predicted = _predicted(kind, session.predict(train.values))
        files["sample.parquet"] = sample_parquet(train, predicted, features, target, declared.seed)
    return write_bundle(declared.models, manifest, files)


def _files(
    manifest: Manifest, kind: ModelKind, graph: bytes, train: Data, answer: Answer, truth: npt.NDArray[np.generic]
) -> dict[str, bytes]:
    """The graph and the baseline."""
    assert manifest.calibration is not None
    positions = None if kind.task == "regression" else truth.astype(np.int64)
    baseline = build_baseline(manifest.features, manifest.calibration, train.values, kind, answer, positions)
    return {"model.onnx": graph, "baseline.json": msgspec.json.encode(baseline) + b"\n"}


def _convergence(told: Sequence[str], pipeline: Any) -> list[str]:
    return [*told, *(note for note in convergence_notes(pipeline) if note not in told)]


def _libraries() -> dict[str, str]:
    return {library: installed(library) for library in LIBRARIES} | {"python": platform.python_version()}


def _data(X: Any, y: Any, columns: Columns, what: str, classifier: bool) -> Data:
    values = read_features(X, columns, f"X_{what}")
    return Data(values, read_target(y, len(values), f"y_{what}", classifier=classifier))


def _weights(given: Any, rows: int) -> Doubles | None:
    if given is None:
        return None
    expected = f"sample_weight must be {rows} finite numbers of at least 0, one for each training row"
    try:
        weights = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise ExportRefused(f"{expected}: {problem}") from problem
    if weights.shape != (rows,) or not np.isfinite(weights).all() or (weights < 0).any():
        raise ExportRefused(expected)
    return weights


def _target_name(target: str | None, y_train: Any, columns: Columns) -> str:
    name = target or (str(y_train.name) if isinstance(y_train, pd.Series) and y_train.name is not None else "target")
    if name in columns.names:
        raise ExportRefused(
            f"the target {name!r} has the name of a feature; pass target='…', or leave the column out of X"
        )
    return name


def _truth(train: Data, test: Data, kind: ModelKind) -> npt.NDArray[np.generic]:
    """The test set's class positions, or its values; refuses labels that the classifier does not know."""
    if kind.task == "regression":
        return test.target
    places = {label: position for position, label in enumerate(kind.classes)}
    for what, data in (("y_train", train), ("y_test", test)):
        unknown = sorted({repr(label) for label in data.target.tolist() if label not in places})
        if unknown:
            raise ExportRefused(
                f"{what} holds labels that the classifier does not know: {', '.join(unknown[:5])}; its classes are "
                + ", ".join(map(repr, kind.classes))
            )
    return np.array([places[label] for label in test.target.tolist()], dtype=np.int64)


def _positive(positive: Label | None, kind: ModelKind) -> Label | None:
    if kind.task != "binary":
        if positive is not None:
            raise ExportRefused(f"positive={positive!r} is for classifiers of two classes; this is {kind.task}")
        return None
    if positive is None:
        return kind.usual_positive
    if positive not in kind.classes:
        raise ExportRefused(f"positive={positive!r} is none of the classes {list(kind.classes)}")
    return positive


def _metrics(
    kind: ModelKind, answer: Answer, truth: npt.NDArray[np.generic], positive: Label | None, seed: int
) -> dict[str, Metric]:
    """The test set's figures, computed by the code that computes production's."""
    if answer.labels is None:
        return bundle_metrics(regression_metrics(truth.astype(np.float64), answer.scores[:, 0]))
    has_probabilities = kind.answer == "probabilities"
    return bundle_metrics(
        classification_of_indices(
            truth.astype(np.int64),
            answer.labels,
            classes=list(kind.classes),
            positive=positive,
            probabilities=answer.scores if has_probabilities else None,
            scores=None if has_probabilities else answer.scores[:, 0],
            seed=seed,
        )
    )


def _about(test: Data, weights: Doubles | None, source: str | None) -> dict[str, Any]:
    about: dict[str, Any] = {"test_rows": len(test)}
    if weights is not None:
        about["weighted"] = True
    if source:
        about["source"] = source
    return about


def _predicted(kind: ModelKind, answer: Answer) -> npt.NDArray[Any]:
    if answer.labels is None:
        return answer.scores[:, 0]
    classes = np.array(kind.classes, dtype=object)
    return np.asarray(classes[answer.labels])


def _steps(pipeline: Any) -> str:
    if isinstance(pipeline, Pipeline):
        return " → ".join(type(step).__name__ if not isinstance(step, str) else step for _, step in pipeline.steps)
    return type(pipeline).__name__
