"""Redacted values never reach the log, the process's logs or an error's text, whatever a client sends and however."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.compact import COLUMNS, compact_hour
from audit.memory_store import MemoryStore
from audit.reader import blobs, hours
from audit.records import decode_record
from audit.seal import seal_hour
from audit.store import Store
from scoring.__main__ import main
from scoring.bundle import Criteria, Feature
from scoring.catalog import Catalog
from scoring.content import Content
from scoring.errors import BadRequest, NotReady
from scoring.redaction import Redactor, digest, is_looser, redactor_of
from scoring.verdict import Verdict
from tests.scoring.bundles import AGE, INCOME, MEMBER, breaking, manifest, regressor_manifest, write_bundle
from tests.scoring.services import Line, line
from tests.scoring.test_json_body import JSON

KEY = bytes(range(32))
NAME = Feature(name="name", type="string", categories=["Ada", "Bob"], redaction="hash", missing_in_training=1)
CARD = Feature(
    name="card", type="float", minimum=0.0, maximum=1e15, mean=5e14, deviation=1e14, redaction="drop",
    missing_in_training=1,
)  # fmt: skip
PERSON = [AGE, NAME, CARD, MEMBER]
GOOD: dict[str, Any] = {"age": 50.0, "name": "Ada", "card": 4111_1111_1111, "member": True}
SECRET = "Grace-Hopper-1906"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    write_bundle(tmp_path, manifest(features=PERSON, calibration=None))
    return tmp_path


@pytest.fixture
def started(models: Path) -> Iterator[Line]:
    with line(models, redaction_key=KEY) as running:
        yield running


def kept(started: Line, *instances: Any) -> list[tuple[Any, list[str]]]:
    """What the log holds of instances, and what it says that it does not hold."""
    before = len(started.records())
    started.score(json.dumps({"instances": instances}).encode())
    return [(record.x, record.redacted) for record in started.records()[before:]]


def in_log(store: Store) -> bytes:
    return b"".join(store.read(info.name) for hour in hours(store) for info in blobs(store, hour))


def test_a_hashed_value_is_its_hmac_and_a_dropped_one_is_not_there(started: Line) -> None:
    ((x, redacted),) = kept(started, GOOD)
    assert x == {"age": 50.0, "name": digest(KEY, "name", "Ada"), "member": True}
    assert redacted == ["card", "name"]


def test_the_hmac_is_what_it_is_documented_to_be() -> None:
    by_hand = hmac.new(KEY, b'["age",41.0]', hashlib.sha256).hexdigest()
    assert digest(KEY, "age", 41) == {"hmac": by_hand, "key": hashlib.sha256(KEY).hexdigest()[:8]}
    text = hmac.new(KEY, b'["n\\u00e4me","A\\ud800"]', hashlib.sha256).hexdigest()
    assert digest(KEY, "näme", "A\ud800")["hmac"] == text


SAME = [(41, 41.0), (0, -0.0), (10**400, math.inf), ({"a": 1, "b": 2}, {"b": 2.0, "a": 1})]
APART = [
    41, "41", "41.0", 41.5, [41], {"a": 41}, True, "true", False, 0, "0", "", None, "null", 1e300, math.inf, "Infinity",
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_values_that_are_one_have_one_hash(one: Any, other: Any) -> None:
    assert digest(KEY, "f", one) == digest(KEY, "f", other)


def test_values_features_and_keys_that_differ_have_hashes_that_differ() -> None:
    found = [digest(KEY, "f", value)["hmac"] for value in APART]
    found += [digest(KEY, "g", 41)["hmac"], digest(KEY[::-1], "f", 41)["hmac"]]
    assert len(set(found)) == len(APART) + 2


@pytest.mark.parametrize(
    ("sent", "x", "redacted"),
    [
        (GOOD | {"name": None, "card": None}, {"age": 50.0, "name": None, "member": True}, ["card", "name"]),
        (GOOD | {"name": math.nan}, {"age": 50.0, "name": None, "member": True}, ["card", "name"]),
        ({"age": 50.0, "member": True}, {"age": 50.0, "member": True}, ["card", "name"]),
        (GOOD | {"nmae": SECRET}, {"age": 50.0, "name": digest(KEY, "name", "Ada"), "member": True},
         ["card", "name", "*"]),
        ({SECRET: 1}, {}, ["card", "name", "*"]),
        ({"age": SECRET}, {}, ["card", "name", "age"]),
        ({"age": [SECRET], "member": {"a": SECRET}}, {}, ["card", "name", "age", "member"]),
        ({"name": SECRET * 1000}, {"name": digest(KEY, "name", SECRET * 1000)}, ["card", "name"]),
        ({"name": 5, "card": SECRET}, {"name": digest(KEY, "name", 5)}, ["card", "name"]),
        ({"age": math.inf}, {"age": "Infinity"}, ["card", "name"]),
        (SECRET, None, ["card", "name", "*"]),
        ([SECRET], None, ["card", "name", "*"]),
        (None, None, ["card", "name", "*"]),
    ],
)  # fmt: skip
def test_what_might_be_a_redacted_value_in_another_place_is_not_kept_either(
    sent: Any, x: Any, redacted: list[str], started: Line
) -> None:
    assert kept(started, sent) == [(x, redacted)]


SECRETS = (
    st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=12, max_size=20)
    | st.integers(10**12, 10**15)
).filter(lambda secret: len(set(str(secret))) > 7)  # 000000000000 stands in every first frame
PLACES = st.sampled_from(["name", "card", "Name", "nam e", "age", "member", "instance", "list", "nested", "key"])


def hidden_in(place: str, secret: Any) -> Any:
    """An instance that holds a secret somewhere; a number under the name of a feature that takes it is no secret."""
    if place == "instance":
        return secret
    if place == "list":
        return [GOOD, secret]
    if place == "nested":
        return GOOD | {"age": {"name": secret}}
    if place == "key":
        return GOOD | {str(secret): 1}
    return GOOD | {place: str(secret) if place == "age" else secret}


def forms(secret: Any) -> list[bytes]:
    """How a value might stand in bytes."""
    text = str(secret)
    plain = [text.encode(), json.dumps(text)[1:-1].encode(), ascii(text)[1:-1].encode(), text[:10].encode()]
    plain += [repr(float(secret)).encode()] if isinstance(secret, int) else []
    encoded = [form for value in (secret, text) for form in (json.dumps(value).encode(), msgspec.json.encode(value))]
    return [*plain, *(hashlib.sha256(form).hexdigest().encode() for form in (*plain, *encoded)), *encoded]


@given(st.lists(st.tuples(PLACES, SECRETS), min_size=1, max_size=4), st.booleans(), JSON)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_form_of_a_redacted_value_is_written_anywhere(
    started: Line, caplog: pytest.LogCaptureFixture, hidden: list[tuple[str, Any]], broken: bool, more: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = [secret for _, secret in hidden]
    body = json.dumps({"instances": [*(hidden_in(*one) for one in hidden), more]}).encode()
    size = len(in_log(started.store))
    try:
        answer = started.run(lambda service: service.score("credit", None, Content(body[:-2] if broken else body))).body
    except BadRequest as problem:
        answer = str(problem).encode()
        assert broken
    written = in_log(started.store)[size:] + caplog.text.encode(errors="backslashreplace") + answer
    for secret in secrets:
        for form in forms(secret):
            assert form not in written


BODIES = [
    b"%b",
    b'{"instances": [{"name": "%b"}',
    b'{"instances": [{"name": "%b"}]} %b',
    b'{"instances": "%b"}',
    b'{"%b": 1}',
    b'{"instances": [{}], "ids": ["%b ?"]}',
    b'{"instances": [{}], "ids": "%b"}',
    b'{"instances": [{}], "request_id": "%b!"}',
    b'["%b"]',
    b'"%b"',
    b'{"instances": [], "ids": ["%b"]}',
    b'{"labels": [{"id": "%b"}]}',
    b'{"instances": ["%b\\x"]}',
    b'{"instances": ["%b\x01"]}',
    b"\xff%b",
]


@pytest.mark.parametrize("body", BODIES)
def test_an_error_quotes_nothing_of_a_body(body: bytes, started: Line) -> None:
    body = body.replace(b"%b", SECRET.encode())
    with pytest.raises(BadRequest) as caught:
        started.score(body)
    assert SECRET[:5] not in str(caught.value)
    (record,) = started.records()
    assert (record.kind, record.x, record.redacted) == ("request_error", {"size": len(body)}, ["*"])


@pytest.mark.parametrize("body", BODIES)
def test_nor_where_nothing_is_redacted(body: bytes, tmp_path: Path) -> None:
    body = body.replace(b"%b", SECRET.encode())
    write_bundle(tmp_path, manifest())
    with line(tmp_path) as running:
        with pytest.raises(BadRequest):
            running.score(body)
        (record,) = running.records()
    assert SECRET[:5] not in record.x["message"]
    assert record.x["sha256"] == hashlib.sha256(body).hexdigest()
    assert record.redacted == []


def test_a_run_that_fails_tells_no_value(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    age = msgspec.structs.replace(AGE, redaction="drop")
    write_bundle(tmp_path, regressor_manifest(features=[age, INCOME, MEMBER]), breaking())
    with line(tmp_path) as running:
        sent = {"instances": [{"age": 412_345_678_912, "income": 5, "member": True}]}
        (result,) = running.score(sent, model="amount")["results"]
        (record,) = running.records()
    assert (result["outcome"], result["reasons"]) == ("failed", ["model_error"])
    assert record.x == {"income": 5, "member": True}
    assert "the run failed" in caplog.text
    assert "412345678912" not in caplog.text + "".join(capfd.readouterr())  # onnxruntime writes to stderr by itself


def test_flags_hold_names_and_fixed_words_alone(started: Line) -> None:
    started.score({"instances": [GOOD | {"name": SECRET + "\x00"}]})
    (record,) = started.records()
    assert record.flags["artifacts"] == {"name": ["control_characters", "unseen_category"]}
    assert record.flags["outside"] == {"name": "unseen"}


def test_a_hash_without_a_key_refuses_the_model_and_says_what_to_set(models: Path) -> None:
    assert Catalog.load(models).problems == {
        "credit/1": "feature name is to be recorded as a keyed hash, and the setting HYPERPLANE_REDACTION_KEY is not "
        "there; `openssl rand -base64 32` prints a key for it"
    }


def test_dropping_needs_no_key(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest(features=[AGE, CARD], calibration=None))
    with line(tmp_path) as running:
        assert kept(running, {"age": 50.0, "card": 4111}) == [({"age": 50.0}, ["card"])]


def test_without_redaction_records_are_as_before(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest(criteria=Criteria(extra_features="ignore")))
    with line(tmp_path) as running:
        running.score({"instances": [{"age": "x", "nmae": 1}, "text"]})
        assert [(record.x, record.redacted) for record in running.records()] == [
            ({"age": "x", "nmae": 1}, []), ("text", []),
        ]  # fmt: skip


def test_a_version_redacts_what_the_champion_does_too_and_the_stricter_of_both(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest(version="1", features=[AGE, msgspec.structs.replace(CARD, redaction="hash")],
                                    calibration=None))  # fmt: skip
    write_bundle(tmp_path, manifest(version="2", features=PERSON, calibration=None))
    sent = {"instances": [GOOD]}
    with line(tmp_path, redaction_key=KEY) as running:
        running.score(sent, version="1")
        running.score(sent, version="2")
        first, second = running.records()
    assert (first.x, first.redacted) == ({"age": 50.0, "name": digest(KEY, "name", "Ada")}, ["card", "name", "*"])
    assert second.redacted == ["card", "name"]


def test_serving_toml_may_redact_more_for_every_version(tmp_path: Path) -> None:
    for version in ("1", "2"):
        write_bundle(tmp_path, manifest(version=version))
    (tmp_path / "serving.toml").write_text(
        '[models.credit]\nchampion = "2"\n[models.credit.policies.features]\nincome.redaction = "drop"\n'
    )
    with line(tmp_path) as running:
        for version in ("1", "2"):
            running.score({"instances": [{"age": 50.0, "income": 777_777, "member": True}]}, version=version)
        records = running.records()
    assert [(record.x, record.redacted) for record in records] == [({"age": 50.0, "member": True}, ["income"])] * 2


def test_where_the_champion_was_refused_serving_toml_still_redacts(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest(version="1", features=[AGE], calibration=None))
    broken = write_bundle(tmp_path, manifest(version="2"))
    broken.model_path.write_bytes(b"no graph")
    (tmp_path / "serving.toml").write_text('[models.credit.policies.features]\nincome.redaction = "drop"\n')
    with line(tmp_path) as running:
        running.score({"instances": [{"age": 50.0, "income": 777_777}]}, version="1")
        (record,) = running.records()
    assert record.x == {"age": 50.0}


def test_what_a_refused_champion_drops_reaches_the_log_through_no_other_version(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest())
    age = msgspec.structs.replace(AGE, redaction="drop")
    write_bundle(tmp_path, manifest(version="2", features=[age, INCOME, MEMBER]), breaking(2))
    with line(tmp_path) as running:
        assert list(running.service.catalog.problems) == ["credit/2"]
        running.score({"instances": [GOOD]}, version="1")
        (record,) = running.records()
    assert "age" not in record.x
    assert "age" in record.redacted


def test_what_a_champion_hashes_is_scored_by_no_version_while_there_is_no_key(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest())
    age = msgspec.structs.replace(AGE, redaction="hash")
    write_bundle(tmp_path, manifest(version="2", features=[age, INCOME, MEMBER]))
    with line(tmp_path) as running:
        with pytest.raises(NotReady):
            running.score({"instances": [GOOD]}, version="1")
        assert running.records() == []


@pytest.mark.parametrize(
    ("way", "other", "looser"), [("none", "hash", True), ("hash", "drop", True), ("hash", "hash", False)]
)
def test_a_dropped_value_is_less_than_a_hash_and_that_less_than_the_value(way: str, other: str, looser: bool) -> None:
    assert is_looser(way, other) is looser
    assert is_looser(other, way) is False


def test_nothing_to_redact_is_no_redactor() -> None:
    assert redactor_of([AGE], {}, KEY) is None
    redactor = redactor_of([AGE], {"name": "drop"}, None)
    assert isinstance(redactor, Redactor)
    assert redactor.kept({"age": 1.0, "name": "Ada"}, Verdict()) == ({"age": 1.0}, ["name"])


def test_redacted_records_become_parquet(started: Line) -> None:
    started.score({"instances": [GOOD, SECRET, {}]})
    started.writer.close()
    (hour,) = hours(started.store)
    seal_hour(started.store, hour)
    derived = MemoryStore()
    (part,) = compact_hour(started.store, derived, hour)
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(derived.read(part)))
    assert table.schema.equals(COLUMNS)
    assert table["redacted"].to_pylist() == [["card", "name"], ["card", "name", "*"], ["card", "name"]]
    first, second, _ = table["x"].to_pylist()
    assert (json.loads(first)["name"], second) == (digest(KEY, "name", "Ada"), None)


def test_an_auditor_with_the_key_can_check_a_guess(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"HYPERPLANE_REDACTION_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}
    monkeypatch.setattr("sys.stdin", io.StringIO('"Ada"\n'))
    assert main(["redact", "name"], environ) == 0
    assert json.loads(capsys.readouterr().out) == digest(KEY, "name", "Ada")
    monkeypatch.setattr("sys.stdin", io.StringIO("Ada"))
    assert main(["redact", "name"], environ) == 2
    told = capsys.readouterr().err
    assert "Ada" not in told
    assert "a text needs double quotes" in told
    assert main(["redact", "name"], {}) == 2
    assert "HYPERPLANE_REDACTION_KEY is not set" in capsys.readouterr().err


def test_a_record_that_is_redacted_reads_back(started: Line) -> None:
    started.score({"instances": [GOOD]})
    (record,) = started.records()
    assert decode_record(msgspec.json.encode(record)) == record
