"""The whole sequence of MLflow's ScoringServerClient."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from audit.ids import id_time_s
from scoring import __version__
from tests.foreign.foreign_client import ROWS, Run, sent
from tests.platform import DEMO_MODELS

pytestmark = pytest.mark.foreign


@pytest.fixture
def run(run_of: Callable[[str], Run]) -> Run:
    return run_of("mlflow")


def test_it_waits_until_the_server_is_there_and_asks_its_version(run: Run) -> None:
    assert run.facts["version"] == __version__


def test_the_bare_route_is_the_default_models_and_its_answer_reads_in_both_shapes(run: Run) -> None:
    assert run.facts["default model"] == "breast-cancer"
    assert run.facts["shapes"] == [[ROWS, 1], [ROWS]]
    assert run.facts["shapes agree"]
    assert run.facts["written and read"]
    assert run.facts["receipt"][0]["blob"]


@pytest.mark.parametrize("model", DEMO_MODELS)
def test_an_index_is_no_id_and_only_a_body_of_our_own_can_name_instances(run: Run, model: str) -> None:
    assert run.answers["records"][model]["instance_id"] == sent()[model]["ids"]
    assert run.answers["records"][model]["request_id"] == "mlflow-1"
    for way in run.answers.keys() - {"records"}:
        assert all(id_time_s(each) is not None for each in run.answers[way][model]["instance_id"]), way


def test_errors_are_its_own_exception_with_our_text(run: Run) -> None:
    text = {name: error["text"] for name, error in run.errors.items()}
    assert "error code 404" in text["unknown model"]
    assert "no model named 'beer'; there are: breast-cancer, diabetes, wine" in text["unknown model"]
    for name, words in {
        "parameters": "params: no model here takes parameters; leave params out",
        "frame without names": "dataframe_split.columns[0]: expected a feature's name, found a number",
        "no rows": "dataframe_split.data: empty; send at least one",
    }.items():
        assert f'error code 400, response: {{"error":"{words}' in text[name]


def test_dicts_of_arrays_are_never_sent_for_its_writer_takes_their_keys_for_pairs(run: Run) -> None:
    """As of MLflow 3.17: `for k, v in data` of a dict. When this fails, ask for them in `use_mlflow.py` as such."""
    assert run.errors["dict of arrays"]["type"] == "ValueError"
    assert "unpack" in run.errors["dict of arrays"]["text"]
