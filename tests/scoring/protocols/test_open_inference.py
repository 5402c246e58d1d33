"""Tensors in, tensors out: the same instances, outcomes and records as through the native protocol."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.records import Record
from scoring.bundle import Feature, Output
from scoring.content import Content
from scoring.errors import BadRequest
from scoring.protocols.open_inference import OpenInference
from scoring.protocols.protocol import Terms
from tests.scoring.bundles import (
    AGE,
    INCOME,
    MEMBER,
    classifier,
    decision_function,
    job_manifest,
    manifest,
    numeric_manifest,
    positions,
    regression,
    regressor_manifest,
    write_bundle,
)
from tests.scoring.protocols.tensor_client import Binary, Tensor, binary, head, numbers, read, request, tensor, texts
from tests.scoring.services import Line, line

OIP = "open_inference"
ROWS: list[dict[str, Any]] = [
    {"age": 80.0, "income": 500, "member": True},
    {"age": 41.25, "income": 7, "member": False},
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    models = tmp_path_factory.mktemp("models")
    write_bundle(models, manifest())
    write_bundle(models, regressor_manifest(), regression(2))
    write_bundle(models, job_manifest(name="job"), positions())
    write_bundle(models, regressor_manifest(name="single", features=[AGE]), regression(1))
    write_bundle(models, manifest(name="member", features=[MEMBER], calibration=None), classifier(1))
    write_bundle(models, manifest(name="plain", output=Output(label_index="label_index", score="score")),
                 decision_function())  # fmt: skip
    with line(models) as started:
        assert started.service.catalog.problems == {}
        yield started


def infer(line: Line, *inputs: Tensor | Binary, model: str = "credit", **fields: Any) -> dict[str, list[Any]]:
    """The outputs of one request."""
    return infer_content(line, request(*inputs, **fields), model)


def infer_content(line: Line, content: Content, model: str = "credit") -> dict[str, list[Any]]:
    """The same of a request as it stands."""
    return read(line.reply(content, model, protocol=OIP))


def refusal(line: Line, content: Content, model: str = "credit") -> str:
    """What is said of a body that is no request, which is on record."""
    with pytest.raises(BadRequest) as caught:
        line.reply(content, model, protocol=OIP)
    newest = line.records()[-1]
    assert (newest.kind, newest.x) == ("request_error", newest.x | {"message": str(caught.value)})
    assert newest.reasons == [caught.value.reason]
    return str(caught.value)


def columns(**data: list[Any]) -> list[Tensor]:
    """A JSON tensor for each feature of `credit`."""
    datatypes = {"age": "FP64", "income": "INT64", "member": "BOOL", "job": "BYTES"}
    return [tensor(name, datatypes.get(name, "FP64"), values) for name, values in data.items()]


def same(record: Record) -> dict[str, Any]:
    """What a record says of its instance, whose keys have the client's order, with the types of its values."""
    assert record.x is not None
    said = {"outcome": record.outcome, "reasons": record.reasons, "flags": record.flags}
    return said | {"x": repr(sorted(record.x.items())), "y": repr(record.y)}


GOOD = columns(age=[80.0, 41.25], income=[500, 7], member=[True, False])


class TestInstances:
    @pytest.mark.parametrize(
        "inputs",
        [
            GOOD,
            [tensor(each["name"], each["datatype"], each["data"], [2, 1]) for each in GOOD],
            [tensor(each["name"], each["datatype"], [[value] for value in each["data"]], [2, 1]) for each in GOOD],
            [numbers("age", "FP64", "<f8", [80.0, 41.25]), numbers("income", "INT16", "<i2", [500, 7]),
             numbers("member", "BOOL", "?", [True, False])],
            [numbers("age", "FP32", "<f4", [[80.0], [41.25]]), numbers("income", "UINT64", "<u8", [[500], [7]]),
             tensor("member", "BOOL", [True, False])],
        ],
        ids=["flat", "columns", "nested", "binary", "both"],
    )  # fmt: skip
    def test_have_the_outcome_and_record_of_the_native_protocol(self, shared: Line, inputs: list[Any]) -> None:
        native = shared.score({"instances": ROWS})["results"]
        outputs = infer(shared, *inputs)
        *_, one, two, three, four = shared.records()
        assert [same(one), same(two)] == [same(three), same(four)]
        assert outputs["outcome"] == [result["outcome"] for result in native]
        assert outputs["predict"] == [result["label"] for result in native]
        assert outputs["predict_proba"] == [p for result in native for p in result["probabilities"].values()]

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data())
    def test_hold_what_json_holds_whatever_that_is(self, shared: Line, data: st.DataObject) -> None:
        odd = (st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
               | st.just("\ud800") | st.dictionaries(st.text(max_size=2), st.integers(), max_size=2))  # fmt: skip
        rows = data.draw(st.lists(st.fixed_dictionaries({"age": odd, "income": odd, "member": odd}), min_size=1,
                                  max_size=3))  # fmt: skip
        native = shared.score({"instances": rows})["results"]
        outputs = infer(shared, *columns(**{name: [row[name] for row in rows] for name in rows[0]}))
        records = shared.records()[-2 * len(rows) :]
        assert [same(record) for record in records[: len(rows)]] == [same(record) for record in records[len(rows) :]]
        assert outputs["outcome"] == [result["outcome"] for result in native]
        assert outputs["reasons"] == [",".join(result["reasons"]) for result in native]

    @given(st.lists(st.floats(), min_size=1, max_size=4))
    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_keep_every_bit_of_a_double(self, shared: Line, ages: list[float]) -> None:
        infer(shared, numbers("age", "FP64", "<f8", ages), tensor("income", "INT64", [1] * len(ages)), model="amount")
        kept = [record.x["age"] for record in shared.records()[-len(ages) :] if record.x is not None]
        named = {math.inf: "Infinity", -math.inf: "-Infinity"}
        assert repr(kept) == repr(["NaN" if math.isnan(age) else named.get(age, age) for age in ages])

    def test_fail_no_neighbours(self, shared: Line) -> None:
        ages = ["eighty", None, math.nan, math.inf, 80.0]
        outputs = infer(shared, *columns(age=ages, income=[1] * 5, member=[True] * 5))
        assert outputs["outcome"] == ["rejected", "abstained", "abstained", "rejected", "scored"]
        assert outputs["reasons"] == ["wrong_type", "missing_required", "missing_required", "not_finite", ""]
        assert outputs["predict"] == ["", "", "", "", "good"]
        assert outputs["predict_proba"][:8] == [None] * 8

    def test_lack_a_feature_that_has_no_tensor_and_have_an_extra_key_for_one_that_is_none(self, shared: Line) -> None:
        assert infer(shared, *columns(age=[80.0], member=[True]))["reasons"] == ["missing_required"]
        assert infer(shared, *GOOD, tensor("colour", "BYTES", ["red", "blue"]))["reasons"] == ["unknown_feature"] * 2
        assert shared.records()[-1].x == ROWS[1] | {"colour": "blue"}
        assert infer(shared, tensor("instance_id", "BYTES", ["alone"]))["outcome"] == ["abstained"]

    def test_have_texts_that_need_not_be_utf_8(self, shared: Line) -> None:
        jobs = texts("job", [b"cook", "chéf".encode(), b"co\xffk"])
        outputs = infer(shared, numbers("age", "FP64", "<f8", [30.0] * 3), jobs, model="job")
        assert outputs["outcome"] == ["scored"] * 3
        known, unseen, broken = shared.records()[-3:]
        assert "artifacts" not in known.flags
        assert unseen.flags["artifacts"] == {"job": ["unseen_category"]}
        assert broken.flags["artifacts"] == {"job": ["lone_surrogate", "unseen_category"]}
        assert broken.x is not None
        assert broken.x["job"] == "co\\udcffk"

    @pytest.mark.parametrize("ids", [tensor("instance_id", "BYTES", ["a", "b"]), texts("instance_id", [b"a", b"b"])])
    def test_have_the_clients_ids(self, shared: Line, ids: Any) -> None:
        assert infer(shared, *GOOD, ids)["instance_id"] == ["a", "b"]
        assert [record.id for record in shared.records()[-2:]] == ["a", "b"]

    def test_with_an_id_twice_are_rejected_but_for_the_first(self, shared: Line) -> None:
        outputs = infer(shared, *GOOD, tensor("instance_id", "BYTES", ["a", "a"]))
        assert outputs["reasons"] == ["", "duplicate_id"]

    def test_may_have_a_feature_in_the_place_of_ids(self, tmp_path: Path) -> None:
        named = Feature(name="instance_id", type="float", minimum=0.0, maximum=9.0, mean=5.0, deviation=1.0)
        write_bundle(tmp_path, regressor_manifest(features=[named, INCOME]), regression(2))
        with line(tmp_path) as alone:
            outputs = infer(alone, tensor("instance_id", "FP64", [3.0]), tensor("income", "FP64", [4]), model="amount")
            assert outputs["predict"] == [7.0]
            metadata = alone.run(lambda service: service.metadata("amount"))
            assert [each["name"] for each in metadata["inputs"]] == ["instance_id", "income"]


class TestSingleTensor:
    @pytest.mark.parametrize(
        "given",
        [
            tensor("any", "FP64", [80.0, 500, 1, 41.25, 7, 0], [2, 3]),
            tensor("age", "FP64", [[80.0, 500, 1.0], [41.25, 7, 0.0]], [2, 3]),
            numbers("any", "FP32", "<f4", [[80.0, 500, 1], [41.25, 7, 0]]),
        ],
        ids=["flat", "nested", "binary"],
    )
    def test_holds_the_features_in_the_manifests_order_with_0_and_1_for_booleans(
        self, shared: Line, given: Any
    ) -> None:
        outputs = infer(shared, given)
        assert outputs["outcome"] == ["scored"] * 2
        one, two = shared.records()[-2:]
        assert [one.x, two.x] == ROWS
        assert one.x is not None
        assert one.x["member"] is True
        assert repr(outputs["predict_proba"]) == repr(infer(shared, *GOOD)["predict_proba"])

    def test_with_another_number_in_a_booleans_place_is_a_wrong_type(self, shared: Line) -> None:
        given = tensor("any", "FP64", [[80.0, 500, 2], [80.0, 500, 0.5], [80.0, 500, None]], [3, 3])
        assert infer(shared, given)["reasons"] == ["wrong_type", "wrong_type", "missing_required"]

    def test_of_one_feature_is_the_same_under_either_reading(self, shared: Line) -> None:
        for name, shape in (("age", [2]), ("age", [2, 1]), ("any", [2, 1])):
            assert infer(shared, tensor(name, "FP64", [30.0, 40.0], shape), model="single")["predict"] == [30.0, 40.0]
        other = infer(shared, tensor("any", "FP64", [30.0]), model="single")
        assert other["reasons"] == ["unknown_feature,missing_required"]
        for name in ("member", "any"):
            assert infer(shared, tensor(name, "FP64", [1.0], [1, 1]), model="member")["outcome"] == ["scored"]

    def test_cannot_hold_strings(self, shared: Line) -> None:
        said = refusal(shared, request(tensor("any", "BYTES", ["30", "cook"], [1, 2])), "job")
        assert said == (
            "tensor 'any': feature 'job' is a string, which no single tensor can hold; send a tensor for each feature"
        )


class TestOutputs:
    def test_are_in_json_or_in_binary_as_asked_and_the_same_in_both(self, shared: Line) -> None:
        rows = columns(age=[80.0, None, 20.5], income=[1, 1, 1], member=[True, True, False])
        in_json = shared.reply(request(*rows), protocol=OIP)
        in_binary = shared.reply(request(*rows, parameters={"binary_data_output": True}), protocol=OIP)
        assert (in_json.kind, in_json.headers) == ("application/json", {})
        assert in_binary.kind == "application/octet-stream"
        assert all("data" not in output for output in head(in_binary)["outputs"])
        one, two = read(in_json), read(in_binary)
        assert one.pop("instance_id") != two.pop("instance_id")
        assert one["predict_proba"][2:4] == [None, None]
        assert repr(two) == repr(one).replace("None", "nan")

    def test_are_those_that_were_asked_for_in_their_order(self, shared: Line) -> None:
        wanted = [{"name": "outcome", "parameters": {"binary_data": False}}, {"name": "predict"}]
        reply = shared.reply(request(*GOOD, outputs=wanted, parameters={"binary_data_output": True}), protocol=OIP)
        outcome, predict = head(reply)["outputs"]
        assert outcome == {"name": "outcome", "datatype": "BYTES", "shape": [2], "data": ["scored", "scored"]}
        assert predict["parameters"] == {"binary_data_size": 4 + 4 + 4 + 3}
        assert read(reply)["predict"] == ["good", "bad"]

    @pytest.mark.parametrize("wanted", [None, []])
    def test_are_all_if_none_is_named(self, shared: Line, wanted: Any) -> None:
        metadata = shared.run(lambda service: service.metadata("credit"))
        answered = head(shared.reply(request(*GOOD, outputs=wanted), protocol=OIP))["outputs"]
        assert [(each["name"], each["datatype"], [-1, *each["shape"][1:]]) for each in answered] == [
            (each["name"], each["datatype"], each["shape"]) for each in metadata["outputs"]
        ]

    def test_come_with_the_model_the_request_and_the_receipt(self, shared: Line) -> None:
        answer = head(shared.reply(request(*GOOD, id="r-1"), protocol=OIP))
        parameters = answer["parameters"]
        assert (answer["model_name"], answer["model_version"], answer["id"]) == ("credit", "1", "r-1")
        assert all(type(value) is str for value in parameters.values()), "the protocol knows no lists here"
        assert parameters["request_id"] == "r-1"
        assert json.loads(parameters["classes"]) == ["bad", "good"]
        (receipt,) = json.loads(parameters["receipt"])
        assert receipt.keys() == {"blob", "sequence", "head"}
        assert shared.records()[-1].request == "r-1"

    @pytest.mark.parametrize("fields", [{}, {"id": ""}, {"id": None}])
    def test_have_the_headers_request_id_if_the_request_has_none(self, shared: Line, fields: dict[str, Any]) -> None:
        reply = shared.reply(request(*GOOD, **fields), protocol=OIP, request_id="header-1")
        assert head(reply)["id"] == "header-1"

    def test_of_a_regression_are_values(self, shared: Line) -> None:
        rows = [tensor("age", "FP64", [30.5, None]), tensor("income", "INT32", [2, 2])]
        assert infer(shared, *rows, model="amount")["predict"] == [32.5, None]
        assert "classes" not in head(shared.reply(request(*rows), "amount", protocol=OIP))["parameters"]

    def test_of_a_classifier_without_probabilities_have_its_score(self, shared: Line) -> None:
        outputs = infer(shared, *columns(age=[80.0, None], income=[1, 1], member=[True, True]), model="plain")
        assert (outputs["predict"], outputs["score"]) == (["good", ""], [30.0, None])
        assert "predict_proba" not in outputs

    @pytest.mark.parametrize(
        ("classes", "datatype", "predicted", "none"),
        [
            ([False, True], "INT64", 1, -(2**63)),
            ([-7, 12], "INT64", 12, -(2**63)),
            ([0.5, 1.5], "FP64", 1.5, None),
            ([0, 2**64], "BYTES", "18446744073709551616", ""),
            ([-(2**63), 0], "BYTES", "0", ""),
            ([1, "one"], "BYTES", "one", ""),
            ([0, True], "BYTES", "true", ""),
        ],
    )
    def test_predict_classes_in_a_datatype_that_has_room_for_none(
        self, tmp_path: Path, classes: list[Any], datatype: str, predicted: Any, none: Any
    ) -> None:
        write_bundle(tmp_path, numeric_manifest(1, classes=classes), classifier(1))
        rows = tensor("f0", "FP64", [80.0, None])
        with line(tmp_path) as started:
            (predict,) = head(started.reply(request(rows, outputs=[{"name": "predict"}]), protocol=OIP))["outputs"]
            in_binary = infer(started, rows, parameters={"binary_data_output": True})["predict"]
        assert predict["datatype"] == datatype
        assert repr(predict["data"]) == repr([predicted, none])
        assert repr(in_binary) == repr([predicted, math.nan if none is None else none])


class TestRefusals:
    """A body that is no request: 400 with a text that names the tensor, and a record of it."""

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"shape": [3]}, "tensor 'age': data: expected 3 values, found 2 values"),
            ({"shape": [2, 2]}, "tensor 'age': data: expected 2 × 2 values"),
            ({"shape": [1, 2], "data": [[1], [2]]}, "nested otherwise than its shape"),
            ({"shape": [2, 2], "data": [[1, 2, 3], [4]]}, "tensor 'age': data: nested otherwise than its shape"),
            ({"data": [[1], [2]]}, "tensor 'age': data: nested deeper than its shape; expected 2 values"),
            ({"shape": [2, 1], "data": [[[1]], [[2]]]}, "nested deeper than its shape"),
            ({"shape": [2, 1], "data": [[1], 2]}, "nested deeper than its shape"),
            ({"shape": [1], "data": [1]}, "tensor 'income': has 2 instances, and tensor 'age' 1"),
            ({"shape": [0], "data": []}, "tensor 'age': has no instances; send at least one"),
            ({"shape": [0, 3], "data": []}, "tensor 'age': has no instances"),
            ({"shape": [2, 0], "data": []}, "tensor 'age': shape: expected [n], [n, 1], or [n, features], found [2,"),
            ({"shape": [10**18]}, "tensor 'age': 1,000,000,000,000,000,000 instances are more than 50,000"),
            ({"shape": [10**300]}, "tensor 'age'"),
            ({"shape": [2, 10**18]}, "tensor 'age': the request has over 2,097,152 values"),
            ({"shape": [50_001], "data": [1] * 50_001}, "50,001 instances are more than 50,000; send them in parts"),
            ({"shape": [-2]}, "tensor 'age': shape: expected [n], [n, 1], or [n, features], whole numbers from 0"),
            ({"shape": [2.0]}, "found [2.0]"),
            ({"shape": [True]}, "tensor 'age': shape"),
            ({"shape": []}, "tensor 'age': shape: expected [n], [n, 1], or [n, features], found 0 dimensions"),
            ({"shape": [2, 1, 1]}, "found 3 dimensions"),
            ({"shape": "2"}, "found '2'"),
            ({"shape": None}, "tensor 'age': shape"),
            ({"shape": [2, 2], "data": [1, 2, 3, 4]}, "tensor 'age': its shape is [2, 2]; expected [n] or [n, 1]"),
            ({"name": "income"}, "tensor 'income': sent twice"),
            ({"name": 3}, "inputs[0].name: expected the name of a feature, found a number"),
            ({"name": None}, "inputs[0].name: expected the name of a feature, found nothing"),
            ({"datatype": "FP128"}, "tensor 'age': datatype: expected one of BOOL, INT8"),
            ({"datatype": ["FP64"]}, "tensor 'age': datatype: expected one of BOOL, INT8"),
            ({"data": None}, "tensor 'age': data is missing; send data, or binary_data_size and its bytes"),
            ({"data": 80.0}, "tensor 'age': data: expected an array, found a number"),
            ({"parameters": 3}, "tensor 'age': parameters: expected an object, found a number"),
            ({"parameters": {"shared_memory_region": "r"}}, "tensor 'age': shared memory is not taken"),
            ({"parameters": {"binary_data_size": 16}}, "tensor 'age': has both data and binary_data_size"),
        ],
    )  # fmt: skip
    def test_of_a_tensor_name_it(self, shared: Line, change: dict[str, Any], said: str) -> None:
        assert said in refusal(shared, request(GOOD[0] | change, *GOOD[1:]))

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"inputs": None}, "inputs: expected an array of tensors, found nothing"),
            ({"inputs": {}}, "inputs: expected an array of tensors, found an object"),
            ({"inputs": []}, "inputs: empty; send a tensor for each feature"),
            ({"inputs": ["age"]}, "inputs[0]: expected a tensor, an object, found a string"),
            ({"instances": []}, "unknown field 'instances'"),
            ({"id": "a b"}, "id: expected 1 to 128 letters, digits"),
            ({"id": 3}, "id: expected a string, found a number"),
            ({"model_name": "amount"}, "model_name: found 'amount', and the request was sent to 'credit'"),
            ({"model_name": []}, "model_name: found an array, and the request was sent to 'credit'"),
            ({"model_version": "2"}, "model_version: found '2', and the request was sent to '1'"),
            ({"parameters": []}, "the request: parameters: expected an object, found an array"),
            ({"parameters": {"binary_data_output": 1}}, "binary_data_output: expected true or false, found a number"),
            ({"outputs": "predict"}, "outputs: expected an array of objects with a name, found a string"),
            ({"outputs": ["predict"]}, "outputs[0]: expected an object such as"),
            ({"outputs": [{"name": "score"}]},
             "no output named 'score'; there are: predict, predict_proba, outcome, reasons, instance_id"),
            ({"outputs": [{"name": "predict"}, {"name": "predict"}]}, "outputs[1]: output 'predict' is asked for"),
            ({"outputs": [{"name": "predict", "parameters": {"classification": 2}}]}, "classification is not taken"),
            ({"outputs": [{"name": "predict", "parameters": {"binary_data": "yes"}}]}, "outputs[0]: binary_data"),
        ],
    )  # fmt: skip
    def test_of_a_field_name_it(self, shared: Line, fields: dict[str, Any], said: str) -> None:
        assert said in refusal(shared, request(*GOOD, **fields))

    def test_of_a_long_name_for_many_rows_come_before_each_row_repeats_it(self, shared: Line) -> None:
        given = numbers("x" * 100_000, "UINT8", "u1", [1] * 900)
        said = refusal(shared, request(numbers("age", "FP64", "<f8", [30.0] * 900), given))
        assert said == "inputs: 1 columns that no feature has are too much text for 900 rows; leave them out"

    @pytest.mark.parametrize("ids", [["a b", "c"], [None, "c"], [1, 2]])
    def test_of_ids_name_the_first_that_is_none(self, shared: Line, ids: list[Any]) -> None:
        assert "instance_id[0]: expected" in refusal(shared, request(*GOOD, tensor("instance_id", "BYTES", ids)))

    def test_of_ids_that_are_no_texts(self, shared: Line) -> None:
        said = refusal(shared, request(*GOOD, tensor("instance_id", "INT64", [1, 2])))
        assert said == "tensor 'instance_id': expected BYTES of shape [n], an id for each instance"

    def test_of_too_many_values_come_before_they_are_objects_in_memory(self, shared: Line) -> None:
        zeros = bytes(50_000)
        tensors = [binary(f"x{place}", "BOOL", zeros, [50_000]) for place in range(42)]
        said = refusal(shared, request(*tensors))
        assert said == ("tensor 'x41': the request has over 2,097,152 values up to here; send its instances in parts")

    def test_of_a_tensor_too_often_are_quick(self, shared: Line) -> None:
        many = [{"name": str(place), "shape": [1], "datatype": "INT8", "data": [1]} for place in range(20_000)]
        assert "sent twice" in refusal(shared, request(*many, many[0]))


class TestBinaryBody:
    WHOLE = request(numbers("age", "FP64", "<f8", [80.0, 41.25]), texts("job", [b"cook", b"clerk"]))

    def test_cut_at_any_byte_is_refused(self, shared: Line) -> None:
        body, json_bytes = self.WHOLE.body, int(self.WHOLE.json_bytes)
        assert infer_content(shared, self.WHOLE, "job")["outcome"] == ["scored"] * 2
        for size_bytes in range(json_bytes, len(body)):
            said = refusal(shared, Content(body[:size_bytes], json_bytes=str(json_bytes)), "job")
            assert said.startswith("tensor '"), said

    def test_with_bytes_that_are_no_tensors_is_refused(self, shared: Line) -> None:
        said = refusal(shared, Content(self.WHOLE.body + b"\0", json_bytes=self.WHOLE.json_bytes), "job")
        assert said.startswith("the body: 1 bytes follow")

    @pytest.mark.parametrize("given", ["0", "-1", "+5", "1e3", "ten", "١", "9" * 40, "1_0", "999999"])
    def test_whose_header_is_no_length_in_it_is_refused(self, shared: Line, given: str) -> None:
        said = refusal(shared, Content(self.WHOLE.body, json_bytes=given), "job")
        assert said.startswith("Inference-Header-Content-Length: expected the length of the body's JSON, 1 to ")

    def test_without_its_header_is_no_json(self, shared: Line) -> None:
        assert "the body is not" in refusal(shared, Content(self.WHOLE.body), "job")
        entry = {"name": "age", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": 8}}
        said = refusal(shared, Content(json.dumps({"inputs": [entry]}).encode()))
        assert "tensor 'age': has binary_data_size" in said
        assert "Inference-Header-Content-Length is missing" in said

    @pytest.mark.parametrize("size", [-1, 1.5, "8", True, 7, 10**30])
    def test_whose_sizes_are_none_or_wrong_is_refused(self, shared: Line, size: Any) -> None:
        entry = {"name": "age", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": size}}
        text = json.dumps({"inputs": [entry]}).encode()
        assert "tensor 'age': " in refusal(shared, Content(text + bytes(8), json_bytes=str(len(text))))

    @pytest.mark.parametrize("body", [b"", b"  "])
    def test_that_is_empty_says_what_to_send(self, shared: Line, body: bytes) -> None:
        assert refusal(shared, Content(body)).startswith('the body is empty; send JSON such as {"inputs": ')

    def test_in_json_may_have_the_header_too(self, shared: Line) -> None:
        content = request(*GOOD)
        with_header = Content(content.body, json_bytes=str(len(content.body)))
        assert infer_content(shared, with_header)["outcome"] == ["scored"] * 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["age", "income", "member", "instance_id", "?"]) | JSON,
        "shape": st.lists(st.integers(-1, 4) | st.just(10**18), max_size=3) | JSON,
        "datatype": st.sampled_from(["FP64", "BOOL", "BYTES", "BF16", "INT8"]) | JSON,
        "data": st.lists(JSON, max_size=6) | JSON,
        "parameters": st.fixed_dictionaries({"binary_data_size": st.integers(0, 9) | JSON}) | JSON,
    },
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ENTRY, max_size=3) | JSON, JSON | st.just([{"name": "predict"}]), st.binary(max_size=12))
def test_whatever_a_body_holds_it_is_a_request_or_none(shared: Line, inputs: Any, outputs: Any, behind: bytes) -> None:
    text = json.dumps({"inputs": inputs, "outputs": outputs}).encode()
    served = shared.service.catalog.get("credit")
    try:
        found = OpenInference().decode(Content(text + behind, json_bytes=str(len(text))), Terms(served.manifest, 50))
    except BadRequest:
        return
    assert found.instances
    assert all(type(instance) is dict for instance in found.instances)
