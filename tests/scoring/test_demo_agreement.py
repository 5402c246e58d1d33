"""The demo bundles answer over the whole line what scikit-learn answers, one by one and in a batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.scoring.services import Line, line
from training.demo import DEMOS, Demo, export_demos


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    models = tmp_path_factory.mktemp("models")
    assert len(list(export_demos(models))) == len(DEMOS)
    with line(models) as started:
        assert started.service.catalog.problems == {}
        yield started


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Instances as a client would send them: JSON numbers, and null for what is missing."""
    found: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return found


def fitted(name: str) -> tuple[Demo, Any, pd.DataFrame]:
    demo = DEMOS[name]()
    X_train, X_test, y_train, _ = demo.split()
    return demo, demo.pipeline.fit(X_train, y_train), X_test.head(40)


@pytest.mark.parametrize("name", list(DEMOS))
@pytest.mark.parametrize("batch", [True, False], ids=["batch", "one by one"])
def test_predictions_equal_scikit_learns(demos: Line, name: str, batch: bool) -> None:
    _, pipeline, X = fitted(name)
    instances = rows(X)
    X = pd.DataFrame(instances)[list(X.columns)].astype(float)
    bodies = [instances] if batch else [[instance] for instance in instances]
    results = [each for body in bodies for each in demos.score({"instances": body}, model=name)["results"]]
    scored = [row for row, each in enumerate(results) if each["outcome"] == "scored"]
    assert len(scored) > 30
    if hasattr(pipeline, "predict_proba"):
        expected = pipeline.predict_proba(X)[scored]
        answered = [list(results[row]["probabilities"].values()) for row in scored]
        assert [results[row]["label"] for row in scored] == pipeline.predict(X)[scored].tolist()
    else:
        expected = pipeline.predict(X)[scored]
        answered = [results[row]["value"] for row in scored]
    np.testing.assert_allclose(answered, expected, rtol=1e-6, atol=1e-9)


def test_what_is_missing_is_imputed_where_it_was_missing_in_training(demos: Line) -> None:
    for name, outcome in (("wine", "scored"), ("breast-cancer", "abstained"), ("diabetes", "abstained")):
        _, _, X = fitted(name)
        instance = rows(X.dropna().head(1))[0] | {X.columns[0]: None}
        (result,) = demos.score({"instances": [instance]}, model=name)["results"]
        assert (result["outcome"], result["flags"]["missing"]) == (outcome, [X.columns[0]])
