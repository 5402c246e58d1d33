"""Mixed-type data, exported, and scored again over HTTP by a process that has only the bundle.

`make rescore` does it with 20,000 rows, each scored in a batch and once more alone; the suite with fewer. What comes
back is held against the pipeline's own `predict_proba` of the user's DataFrame, by the rule of the parity gate. Nothing
of training runs in the host.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from infra.local.local_host import LocalHost
from training.answer import Answer
from training.exactness import compare
from training.export import export_bundle
from training.parity_cases import people, with_gaps

ROWS = int(os.environ.get("RESCORE_ROWS", "3000"))
ALONE = ROWS if "RESCORE_ROWS" in os.environ else 300
TRAINING, TEST = ROWS * 6 // 10, ROWS // 10
CLIENTS, BATCH = 64, 1_000


def data() -> tuple[pd.DataFrame, pd.Series]:
    """Numbers, whole numbers, booleans, text and categories, an eighth of the values missing."""
    X, y = people(ROWS, 11, "three classes")
    X = with_gaps(X, 11)
    X["owner"] = (
        X["owner"].astype(object).where(X["owner"].notna(), None).map({1.0: True, 0.0: False}, na_action="ignore")
    )
    X["job"] = X["job"].astype("category")
    return X, y


def pipelines() -> dict[str, Any]:
    """Three common ways to deal with such data."""
    numbers = ["balance", "income", "rate", "age"]
    linear = ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
        ("texts", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
         ["city", "job"]),
        ("owner", SimpleImputer(strategy="most_frequent"), ["owner"]),
    ])  # fmt: skip
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    trees = ColumnTransformer([("texts", ordinal, ["city", "job"])], remainder="passthrough")
    return {
        "logistic": make_pipeline(linear, LogisticRegression(max_iter=1_000)),
        "forest": make_pipeline(
            trees, StandardScaler(), RandomForestClassifier(25, min_samples_leaf=3, random_state=0)
        ),
        "hist": HistGradientBoostingClassifier(max_iter=20, categorical_features="from_dtype", random_state=0),
    }


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalHost, dict[str, Any], pd.DataFrame]]:
    """A host that serves the exported bundles, the fitted pipelines, and the rows."""
    X, y = data()
    models, fitted = tmp_path_factory.mktemp("mixed"), {}
    for name, pipeline in pipelines().items():
        frame = shaped(name, X)
        pipeline.fit(frame[:TRAINING], y[:TRAINING])
        export_bundle(
            pipeline, frame[:TRAINING], y[:TRAINING], frame[-TEST:], y[-TEST:], name=name, version="1", out=models
        )
        fitted[name] = pipeline
    environment = {"HYPERPLANE_STORAGE": "memory://", "HYPERPLANE_MODELS": str(models)}
    with LocalHost(env=environment, data=tmp_path_factory.mktemp("mixed-host")) as host:
        yield host, fitted, X


def shaped(name: str, X: pd.DataFrame) -> pd.DataFrame:
    """Histogram boosting takes numbers and categories only."""
    if name == "logistic":
        return X
    booleans = X.assign(owner=X["owner"].astype(float))
    return booleans.astype({"city": "category"}) if name == "hist" else booleans


def instances(X: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as a client has them: JSON values, null where missing."""
    rows = X.astype(object).where(X.notna(), None).to_dict("records")
    return [{str(name): plain(value) for name, value in row.items()} for row in rows]


def plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


@pytest.mark.parametrize("name", ["logistic", "forest", "hist"])
def test_every_row_is_scored_over_http_as_scikit_learn_predicts_it(
    served: tuple[LocalHost, dict[str, Any], pd.DataFrame], name: str
) -> None:
    host, fitted, X = served
    frame, pipeline = shaped(name, X), fitted[name]
    rows = instances(frame)
    in_batches = asyncio.run(score(host, name, [rows[i : i + BATCH] for i in range(0, ROWS, BATCH)]))
    check(pipeline, frame, in_batches)
    some = np.random.default_rng(0).choice(ROWS, ALONE, replace=False)
    singly = asyncio.run(score(host, name, [[rows[i]] for i in some]))
    check(pipeline, frame.iloc[some], singly)


async def score(host: LocalHost, name: str, requests: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Results in the order of the rows; so many clients at once."""
    limit = asyncio.Semaphore(CLIENTS)
    headers = {"x-functions-key": host.key}
    async with httpx.AsyncClient(base_url=host.url, headers=headers, timeout=120) as client:

        async def one(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            async with limit:
                answer = await client.post(f"/models/{name}/score", json={"instances": rows})
            assert answer.status_code == 200, answer.text
            results: list[dict[str, Any]] = answer.json()["results"]
            return results

        found = await asyncio.gather(*map(one, requests))
    return [result for results in found for result in results]


def check(pipeline: Any, X: pd.DataFrame, results: list[dict[str, Any]]) -> None:
    """Equal to the pipeline's own answers to the user's own rows, by the gate's rule."""
    expected, classes = pipeline.predict_proba(X), pipeline.classes_.tolist()
    assert {result["outcome"] for result in results} == {"scored"}
    scores = np.array([[result["probabilities"][label] for label in classes] for result in results])
    labels = np.array([classes.index(result["label"]) for result in results])
    top = np.sort(expected, axis=1)
    places = np.array([classes.index(label) for label in pipeline.predict(X)])
    reference = Answer(places, expected, top[:, -1] - top[:, -2], np.zeros(len(X), dtype=np.bool_))
    assert not compare(reference, Answer(labels, scores)).wrong.any()
    assert math.isfinite(float(np.abs(scores - expected).max()))
