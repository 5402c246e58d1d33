"""What the model saw is rebuilt from the record exactly, for every kind of value and in every protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from audit.reader import records
from scoring.bundle import Criteria, Feature
from scoring.content import Content
from scoring.encoding import Matrix
from scoring.model import Answers, Model
from scoring.protocols.registry import ProtocolName
from scoring.replay import Replayer
from scoring.startup import opening
from tests.scoring.bundles import AGE, INCOME, JOB, MEMBER, classifier, manifest, write_bundle
from tests.scoring.protocols.dialects import DIALECTS, Dialect
from tests.scoring.protocols.tensor_client import numbers, request, tensor, texts
from tests.scoring.services import Line, line

ESCAPE = "\\ud800"  # six characters, and a category: what a lone surrogate is stored as
CATEGORIES = ["Infinity", "NaN", ESCAPE, "clerk", "cook", "x" * 1024]
FEATURES = [
    msgspec.structs.replace(AGE, sentinels=[-999, "N/A", "NaN", 2**53], missing="impute"),
    msgspec.structs.replace(INCOME, sentinels=[-1], missing="impute"),
    msgspec.structs.replace(MEMBER, sentinels=[-1], missing="impute"),
    msgspec.structs.replace(JOB, categories=CATEGORIES, missing="impute"),
]
NUMBERS = [
    0.0, -0.0, 0.1, 5e-324, -5e-324, 1.7976931348623157e308, 1e22, 2**53, 2**53 + 1, 2**63, 2**64 + 2**11 + 1, -(2**70),
    10**300, 10**400, 1e-400, 3.0, -999, -999.0, -1, True, float("nan"), float("inf"), None,
]  # fmt: skip
TEXTS = [
    *CATEGORIES,
    "",
    "N/A",
    "chef",
    "\ud800",
    "a\udfffb",
    ESCAPE + "\ud800",
    "\x00",
    "é",
    "e\u0301",
    "😀" * 1024,
    "-Infinity",
]
VALUES = st.one_of(
    st.sampled_from([*NUMBERS, *TEXTS]),
    st.floats(),
    st.integers(),
    st.booleans(),
    st.text(st.characters(codec=None, exclude_categories=()), max_size=8),
)
KEYS = st.sampled_from(["extra", "\ud800", "age ", "y" * 2000, ESCAPE])


def instances() -> st.SearchStrategy[list[dict[str, Any]]]:
    known = {feature.name: VALUES for feature in FEATURES}
    ordinary = {
        "age": st.one_of(st.floats(allow_infinity=False), st.sampled_from([0, -0.0, 2**53 + 1, -999, None, "NaN"])),
        "income": st.one_of(st.integers(), st.sampled_from([3.0, -0.0, float("nan"), 10**300])),
        "member": st.booleans(),
        "job": st.one_of(st.sampled_from([*TEXTS, float("nan"), None]), st.text(max_size=5)),
    }
    rows = st.one_of([st.fixed_dictionaries({}, optional=kinds) for kinds in (ordinary, known)])
    others = st.dictionaries(KEYS, VALUES, max_size=1)
    return st.lists(st.builds(lambda row, more: {**more, **row}, rows, others), min_size=1, max_size=6)


class Seen:
    """The matrices that models were run on, NaN of one kind."""

    def __init__(self) -> None:
        self.matrices: list[tuple[tuple[int, ...], bytes]] = []

    def note(self, rows: Matrix) -> None:
        self.matrices.append((rows.shape, np.where(np.isnan(rows), np.nan, rows).tobytes()))


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    noted, run = Seen(), Model.run

    def running(model: Model, rows: Matrix, limit_s: float | None = None) -> Answers:
        noted.note(rows)
        return run(model, rows, limit_s)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Model, "run", running)
        yield noted


@pytest.fixture(scope="module")
def served(seen: Seen, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Line, Replayer]]:
    folder = tmp_path_factory.mktemp("models")
    described = manifest(features=FEATURES, calibration=None, criteria=Criteria(extra_features="ignore"))
    write_bundle(folder, described, classifier(len(FEATURES)))
    with line(folder, about=opening()) as started:
        yield started, Replayer(started.store, folder)


def check(served: tuple[Line, Replayer], seen: Seen, content: Content, protocol: ProtocolName = "native") -> int:
    """Score, replay every record of it that was run, and compare what the model saw; returns how many those are."""
    started, replayer = served
    seen.matrices.clear()
    started.reply(content, protocol=protocol)
    then = seen.matrices[:]
    everything = list(records(started.store))
    request_id = everything[-1][0].request
    run = [pair for pair in everything if pair[0].request == request_id and pair[0].run is not None]
    for _, replay in replayer.each(run):
        assert replay.verdict == "equal", (replay.reason, replay.sentence, run)
        assert seen.matrices[-1] == then[-1]
    assert len(then) <= 1
    return len(run)


@given(instances())
@example([{"age": 1.0, "job": ESCAPE}, {"age": 1.0, "job": "\ud800"}, {"age": 1.0, "job": "\ud800" + ESCAPE}])
@example([{"age": float("nan"), "job": "NaN"}, {"age": "NaN", "job": float("nan")}, {"age": None, "job": "Infinity"}])
@example([{"age": -0.0, "income": -0.0, "member": False}, {"age": 2**53 + 1, "income": 2**64 + 2**11 + 1}])
@example([{"age": 1, "y" * 2000: "z" * 2000, "extra": float("inf")}])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_values_are_rebuilt(served: tuple[Line, Replayer], seen: Seen, given_: list[dict[str, Any]]) -> None:
    check(served, seen, Content(json.dumps({"instances": given_}).encode()))


def test_values_of_every_kind_do_reach_the_model(served: tuple[Line, Replayer], seen: Seen) -> None:
    ages = [{"age": number} for number in NUMBERS]
    jobs = [{"age": 1.0, "job": text} for text in TEXTS]
    assert check(served, seen, Content(json.dumps({"instances": ages}).encode())) == len(NUMBERS) - 3
    assert check(served, seen, Content(json.dumps({"instances": jobs}).encode())) == len(TEXTS)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_every_protocol_is_rebuilt(served: tuple[Line, Replayer], seen: Seen, dialect: Dialect) -> None:
    plain = {"age": 0.1, "income": 3.0, "member": True, "job": "cook"}
    odd = [
        plain, {**plain, "age": None}, {**plain, "job": "NaN"}, {**plain, "job": "nobody"}, {**plain, "age": -0.0},
        {**plain, "age": -999.0}, {**plain, "income": 2.5},
        {**plain, "job": "\ud800" if "CSV" not in dialect.name else ""},
    ]  # fmt: skip
    content = dialect.say(odd, [str(number) for number in range(len(odd))])
    assert content is not None
    assert check(served, seen, content, dialect.protocol) >= 6


@pytest.mark.parametrize(("datatype", "dtype"), [("FP16", "<f2"), ("FP32", "<f4"), ("FP64", "<f8")])
def test_binary_tensors_of_every_precision_are_rebuilt(
    served: tuple[Line, Replayer], seen: Seen, datatype: str, dtype: str
) -> None:
    values = [0.1, -0.0, float("nan"), 6e-8, 65504.0, 1 / 3]
    content = request(
        numbers("age", datatype, dtype, values),
        numbers("income", "INT64", "<i8", [2**62 + 1, -(2**63), 0, 1, 2, 3]),
        numbers("member", "BOOL", "?", [True, False] * 3),
        texts("job", [b"NaN", ESCAPE.encode(), b"", "é".encode(), b"cook", b"Infinity"]),
    )
    assert check(served, seen, content, "open_inference") == 6


def test_unsigned_integers_and_json_tensors_are_rebuilt(served: tuple[Line, Replayer], seen: Seen) -> None:
    content = request(
        tensor("age", "FP32", [0.1, None]),
        numbers("income", "UINT64", "<u8", [2**64 - 1, 2**53 + 1]),
        tensor("member", "BOOL", [True, False]),
    )
    assert check(served, seen, content, "open_inference") == 2


def test_a_matrix_in_one_tensor_is_rebuilt_with_its_booleans(seen: Seen, tmp_path: Path) -> None:
    described = manifest(features=FEATURES[:3], calibration=None)
    write_bundle(tmp_path, described, classifier(3))
    with line(tmp_path, about=opening()) as started:
        matrix = numbers("x", "FP32", "<f4", [[0.1, 2.0, 1.0], [float("nan"), -1.0, 0.0], [-0.0, 3.0, -1.0]])
        assert check((started, Replayer(started.store, tmp_path)), seen, request(matrix), "open_inference") == 3


def test_a_key_that_may_be_another_cut_or_escaped_is_not_taken_for_a_feature(tmp_path: Path) -> None:
    described = manifest(
        features=[AGE, Feature(name=ESCAPE, type="float")], calibration=None, criteria=Criteria(extra_features="ignore")
    )
    write_bundle(tmp_path, described, classifier(2))
    with line(tmp_path, about=opening()) as started:
        body = json.dumps({"instances": [{"age": 1.0, ESCAPE: 2.0, "\ud800": 3.0}]}).encode()
        started.reply(Content(body))
        record, position = next(iter(records(started.store)))
        replay = Replayer(started.store, tmp_path).replay(record, position)
    assert record.run is not None
    assert record.x == {"age": 1.0, ESCAPE: 3.0}
    assert (replay.verdict, replay.reason) == ("cannot", "input_cut")
