"""Encoders do to known, unknown and missing categories what scikit-learn's do, whatever their options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from training.conversion import convert
from training.data import read_columns, read_features
from training.exactness import compare
from training.model_kind import model_kind
from training.reference import Reference
from training.session import GraphSession

ODD = ["", " ", "a", "A", "ä", "a\u0308", "NaN", "nan", "None", "🙂", "x" * 300, "\x00", "\n", "<b>"]


def frame(rows: int = 240, missing: Any = None, dtype: Any = object, seed: int = 0) -> pd.DataFrame:
    """Two columns of text, one of whole numbers, one of floats."""
    random = np.random.default_rng(seed)
    city = random.choice([*ODD, "a", "a", "b"], rows).astype(object)
    if missing is not ...:
        city[random.random(rows) < 0.15] = missing
    return pd.DataFrame({
        "city": pd.Series(city, dtype=dtype),
        "job": pd.Series(random.choice(["clerk", "nurse"], rows)),
        "grade": random.choice([1, 2, 5], rows),
        "age": random.normal(40, 10, rows),
    })  # fmt: skip


def label(X: pd.DataFrame) -> Any:
    return ((X["age"] > 40) ^ X["city"].isin(["a", "b"]) ^ (X["grade"] == 5)).map({True: "yes", False: "no"})


ENCODERS = [
    OneHotEncoder(handle_unknown="ignore"),
    OneHotEncoder(handle_unknown="ignore", sparse_output=False, drop="first"),
    OneHotEncoder(handle_unknown="ignore", drop="if_binary"),
    OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20),
    OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=3, dtype=np.float32),
    OneHotEncoder(handle_unknown="warn", max_categories=4),
    OneHotEncoder(),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=99, encoded_missing_value=50, min_frequency=15),
    TargetEncoder(cv=KFold(3)),
    TargetEncoder(smooth=0.5, cv=KFold(3)),
]
MISSING = {"None": (None, object), "NaN": (np.nan, object), "text type": (np.nan, "str"), "none": (..., object)}


def answers(pipeline: Any, X: pd.DataFrame, rows: pd.DataFrame) -> tuple[Any, Any]:
    """scikit-learn's and the graph's, for rows as a DataFrame."""
    kind, columns = model_kind(pipeline), read_columns(pipeline, X, None)
    graph = convert(pipeline, kind, columns.vocabularies)
    values = read_features(rows, columns, "rows")
    session = GraphSession(graph.SerializeToString(), kind)
    return Reference(pipeline, kind, columns).predict(values), session.predict(values)


@pytest.mark.filterwarnings("ignore:Found unknown categories:UserWarning")
@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda encoder: repr(encoder)[:90])
def test_an_encoder_in_front_of_a_model(encoder: Any, missing: str) -> None:
    value, dtype = MISSING[missing]
    X = frame(missing=value, dtype=dtype)
    prepare = ColumnTransformer([("encoder", encoder, ["city", "grade", "job"])], remainder="passthrough")
    pipeline = make_pipeline(prepare, LogisticRegression(max_iter=2_000)).fit(X, label(X))
    rows = frame(100, missing=value, dtype=dtype, seed=1)
    rows.loc[:9, "city"] = "nowhere"
    rows.loc[5:14, "job"] = "smith"
    rows.loc[12:19, "grade"] = [0, 3, -1, 6, 10**9, 4, 7, 8]
    expected, answer = answers(pipeline, X, rows)
    assert not compare(expected, answer).wrong.any()
    refuses = isinstance(encoder, OneHotEncoder) and encoder.handle_unknown == "error"
    assert expected.raised.any() == refuses
    assert np.isfinite(answer.scores).all(axis=1).tolist() == (~expected.raised).tolist()


def test_categories_that_an_encoder_was_told_of_are_known_though_no_row_holds_them() -> None:
    X = frame(missing=...)
    told = [[*sorted(set(X["city"])), "zebra"], ["clerk", "nurse", "smith"]]
    one_hot = OneHotEncoder(categories=told, handle_unknown="ignore")
    target = TargetEncoder(cv=KFold(3))
    union = FeatureUnion([("target", target), ("one-hot", one_hot)])
    prepare = ColumnTransformer([("both", union, ["city", "job"])])
    pipeline = make_pipeline(prepare, LogisticRegression(max_iter=2_000)).fit(X, label(X))
    kind, columns = model_kind(pipeline), read_columns(pipeline, X, None)
    convert(pipeline, kind, columns.vocabularies)
    assert [None if v is None else v.values[-1] for v in columns.vocabularies] == ["zebra", "smith", None, None]
    rows = X.head(6).assign(city=["zebra", "zebra", "nowhere", "a", "b", ""], job=["smith", "clerk", "nurse"] * 2)
    expected, answer = answers(pipeline, X, rows)
    assert not compare(expected, answer).wrong.any()


@pytest.mark.parametrize("strategy", ["most_frequent", "constant"])
@pytest.mark.parametrize("indicator", [False, True])
@pytest.mark.parametrize("missing", ["None", "NaN", "text type"])
def test_text_is_imputed_before_it_is_encoded(strategy: str, indicator: bool, missing: str) -> None:
    value, dtype = MISSING[missing]
    X = frame(missing=value, dtype=dtype)
    marks = None if value is None else np.nan
    imputer = SimpleImputer(missing_values=marks, strategy=strategy, fill_value="gone", add_indicator=indicator)
    texts = make_pipeline(imputer, OneHotEncoder(handle_unknown="ignore"))
    prepare = ColumnTransformer([("texts", texts, ["city", "job"])], remainder="passthrough")
    pipeline = make_pipeline(prepare, LogisticRegression(max_iter=2_000)).fit(X, label(X))
    rows = frame(60, missing=value, dtype=dtype, seed=2)
    rows.loc[:5, "city"] = ["gone", "nowhere", "a", "b", "", "a"]
    expected, answer = answers(pipeline, X, rows)
    assert not expected.raised.any()
    assert not compare(expected, answer).wrong.any()


def test_target_encoding_of_three_classes_has_a_column_for_each() -> None:
    X = frame()
    y = np.digitize(X["age"], [35, 45])
    prepare = ColumnTransformer([("target", TargetEncoder(cv=KFold(3)), ["job", "city"])])
    pipeline = make_pipeline(prepare, LogisticRegression(max_iter=2_000)).fit(X, y)
    expected, answer = answers(pipeline, X, frame(80, seed=3))
    assert not compare(expected, answer).wrong.any()


def test_an_array_of_objects_is_a_table_too() -> None:
    X = frame(missing=np.nan)
    prepare = ColumnTransformer([("texts", OneHotEncoder(handle_unknown="ignore"), [0, 1])], remainder="passthrough")
    pipeline = make_pipeline(prepare, LogisticRegression(max_iter=2_000)).fit(X.to_numpy(), label(X))
    kind, columns = model_kind(pipeline), read_columns(pipeline, X.to_numpy(), None)
    assert columns.types == ("string", "string", "integer", "float")
    values = read_features(X.to_numpy(), columns, "rows")
    session = GraphSession(convert(pipeline, kind, columns.vocabularies).SerializeToString(), kind)
    expected = Reference(pipeline, kind, columns).predict(values)
    own = pipeline.predict_proba(X.to_numpy())
    assert (expected.scores == own).all()
    assert not compare(expected, session.predict(values)).wrong.any()


CATEGORIES = frame(missing=None)
PREPARE = ColumnTransformer([("city", OneHotEncoder(handle_unknown="ignore"), ["city"])])
ANY_TEXT = make_pipeline(PREPARE, LogisticRegression(max_iter=2_000)).fit(CATEGORIES, label(CATEGORIES))


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text() | st.none() | st.sampled_from(ODD), min_size=1, max_size=8))
def test_any_text_is_answered_as_by_scikit_learn(texts: list[str | None]) -> None:
    rows = CATEGORIES.head(len(texts)).assign(city=pd.Series(texts, dtype=object))
    expected, answer = answers(ANY_TEXT, CATEGORIES, rows)
    assert answer.scores == pytest.approx(ANY_TEXT.predict_proba(rows), abs=1e-12)
    assert not compare(expected, answer).wrong.any()
