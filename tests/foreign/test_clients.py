"""What every foreign client gets is what the native route answers, what the others get, and what scikit-learn says."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.foreign.foreign_client import CLIENTS, Run, sent
from tests.platform import DEMO_MODELS, Platform
from training.demo import DEMOS

pytestmark = pytest.mark.foreign


@pytest.fixture(params=CLIENTS)
def run(request: pytest.FixtureRequest, run_of: Callable[[str], Run]) -> Run:
    return run_of(request.param)


@pytest.fixture(params=DEMO_MODELS)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_way_of_asking_gets_what_the_native_route_answers_to_the_last_bit(
    run: Run, model: str, platform: Platform
) -> None:
    expected = native_answer(platform, model)
    for way, answers in run.answers.items():
        assert answers.keys() == set(DEMO_MODELS), way
        for output in expected.keys() & answers[model].keys():
            np.testing.assert_array_equal(
                column(answers[model][output]), column(expected[output]), f"{output} of {way}"
            )
        assert "predict" in answers[model], way


def test_the_answers_are_scikit_learns(run: Run, model: str) -> None:
    predicted, probabilities, scored = scikit_learn(model)
    for way, answers in run.answers.items():
        answered = column(answers[model]["predict"])[scored]
        if probabilities is None:
            np.testing.assert_allclose(answered, predicted, rtol=1e-6, atol=1e-9, err_msg=way)
            continue
        assert answered.tolist() == predicted.tolist(), way
        if "predict_proba" in answers[model]:
            given = column(answers[model]["predict_proba"])[scored]
            np.testing.assert_allclose(given, probabilities, rtol=1e-6, atol=1e-9, err_msg=way)


def test_most_rows_are_scored_so_that_agreement_means_something(model: str, platform: Platform) -> None:
    outcomes = native_answer(platform, model)["outcome"]
    assert outcomes.count("scored") >= len(outcomes) - 1
    assert (outcomes[1] == "scored") == (model == "wine"), "only the wine model learnt what to do where values miss"


def native_answer(platform: Platform, model: str) -> dict[str, list[Any]]:
    """The native route's answer, in the words of the tensors."""
    rows = sent()[model]
    instances = [dict(zip(rows["features"], row, strict=True)) for row in rows["rows"]]
    answer = platform.client.post(f"/models/{model}/score", json={"instances": instances, "ids": rows["ids"]})
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    found = {
        "outcome": [result["outcome"] for result in results],
        "reasons": [",".join(result["reasons"]) for result in results],
    }
    if model == "diabetes":
        return found | {"predict": [result.get("value") for result in results]}
    classes = list(next(result["probabilities"] for result in results if "probabilities" in result))
    none = dict.fromkeys(classes)
    probabilities = [list(result.get("probabilities", none).values()) for result in results]
    return found | {"predict": [result.get("label", "") for result in results], "predict_proba": probabilities}


@cache
def scikit_learn(model: str) -> tuple[Any, Any, list[int]]:
    """The pipeline's own predictions and probabilities, of the rows that the model may answer."""
    demo, rows = DEMOS[model](), sent()[model]
    X_train, _, y_train, _ = demo.split()
    pipeline = demo.pipeline.fit(X_train, y_train)
    X = pd.DataFrame(rows["rows"], columns=rows["features"]).astype(float)
    scored = [place for place in range(len(X)) if model == "wine" or X.iloc[place].notna().all()]
    probabilities = pipeline.predict_proba(X.iloc[scored]) if hasattr(pipeline, "predict_proba") else None
    return np.asarray(pipeline.predict(X.iloc[scored])), probabilities, scored


def column(values: list[Any]) -> Any:
    """An output as an array: texts as they are, numbers as doubles with NaN for none."""
    texts = any(isinstance(value, str) for value in values)
    return np.array(values, dtype=object if texts else np.float64)
