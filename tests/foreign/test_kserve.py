"""The whole sequence of KServe's InferenceRESTClient."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from scoring.fields import is_id
from tests.foreign.foreign_client import Run, sent

pytestmark = pytest.mark.foreign


@pytest.fixture
def run(run_of: Callable[[str], Run]) -> Run:
    return run_of("kserve")


def test_health_and_readiness_are_what_it_understands(run: Run) -> None:
    assert run.facts == {"live": True, "ready": True, "model ready": True, "unknown model ready": False}


def test_its_request_id_and_the_instances_own_come_back_with_a_receipt(run: Run) -> None:
    answer = run.answers["json"]["wine"]
    assert answer["id"] == "kserve-1"
    assert is_id(run.answers["binary"]["wine"]["id"]), "it makes one up where it is given none"
    assert answer["instance_id"] == run.answers["binary"]["wine"]["instance_id"] == sent()["wine"]["ids"]
    assert json.loads(answer["parameters"]["receipt"])[0]["blob"]


def test_only_the_outputs_it_asked_for_are_there(run: Run) -> None:
    assert set(run.answers["one tensor"]["wine"]) == {"predict", "outcome", "id", "parameters"}


def test_errors_are_its_own_exception_with_our_text(run: Run) -> None:
    assert run.errors["unknown model"]["status"] == "404"
    assert "no model named 'beer'; there are: breast-cancer, diabetes, wine" in run.errors["unknown model"]["text"]
    assert run.errors["wrong shape"]["status"] == "400"
    assert "'alcohol'" in run.errors["wrong shape"]["text"]
