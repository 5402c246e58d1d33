"""tritonclient's whole sequence, synchronous and asynchronous."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from scoring import __version__
from tests.foreign.foreign_client import Run, sent

pytestmark = pytest.mark.foreign


@pytest.fixture
def run(run_of: Callable[[str], Run]) -> Run:
    return run_of("triton")


@pytest.mark.parametrize("client", ["http", "aio"])
def test_health_readiness_and_metadata_are_what_it_understands(run: Run, client: str) -> None:
    facts = run.facts[client]
    assert (facts["live"], facts["ready"], facts["model ready"], facts["version ready"]) == (True,) * 4
    assert facts["unknown model ready"] is False
    assert facts["server"] == {
        "name": "hyperplane", "version": __version__, "extensions": ["binary_tensor_data"],
    }  # fmt: skip
    assert facts["model"]["name"] == "wine"
    assert facts["model"]["versions"] == ["1"]
    assert [tensor["name"] for tensor in facts["model"]["inputs"]] == [*sent()["wine"]["features"], "instance_id"]
    assert facts["version"] == facts["model"]


def test_the_servers_metadata_is_there_with_a_slash_and_without(run: Run) -> None:
    assert run.facts["http"]["server with a slash"] == run.facts["http"]["server"]


def test_its_request_id_and_the_instances_own_come_back_with_a_receipt(run: Run) -> None:
    answer = run.answers["binary"]["wine"]
    assert answer["id"] == "triton-1"
    assert answer["instance_id"] == sent()["wine"]["ids"]
    assert json.loads(answer["parameters"]["receipt"])[0]["blob"]
    assert json.loads(answer["parameters"]["classes"]) == ["class_0", "class_1", "class_2"]


@pytest.mark.parametrize(
    ("what", "status", "text"),
    [
        ("unknown model", "404", "no model named 'beer'; there are: breast-cancer, diabetes, wine"),
        ("unknown version", "404", "model 'wine' has no version '99'; there is: 1"),
        ("unknown output", "400", "'colour'"),
        ("wrong shape", "400", "'alcohol'"),
        ("wrong key", "401", "empty response"),
    ],
)
def test_errors_are_its_own_exception_with_our_text(run: Run, what: str, status: str, text: str) -> None:
    assert run.errors[what]["status"] == status
    assert text in run.errors[what]["text"]
