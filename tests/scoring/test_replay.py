"""Replaying records: what was scored gives the same bits again, and what cannot be replayed says why."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit.appender import Appender
from audit.memory_store import MemoryStore
from audit.reader import records
from audit.records import Record, encode_record
from audit.store import Store
from scoring.bundle import Feature, load_bundle
from scoring.model import Answers, Model, RunTimeout
from scoring.replay import Replayer, replays
from scoring.replay_result import Machine, Replay
from scoring.startup import opening
from tests.scoring.bundles import (
    AGE,
    INCOME,
    MEMBER,
    breaking,
    classifier,
    manifest,
    regression,
    regressor_manifest,
    write_bundle,
)
from tests.scoring.services import line

HERE = opening()
ELSEWHERE = HERE | {"cpu": "Another CPU"}
BATCHES = (
    (1, 0.0),
    (2, 0.0),
    (7, 0.3),
    (7, 0.0),
    (511, 0.0),
    (512, 0.3),
    (513, 0.0),
    (2000, 0.3),
)  # size, share spoilt
DEMOS = ("breast-cancer", "diabetes", "wine")
ONE = {"age": 61.0, "income": 2}
KEY = b"k" * 32


def each(store: Store, models: Path, **more: Any) -> list[Replay | None]:
    return replays(Replayer(store, models, **more), list(records(store)))


def only(store: Store, models: Path, **more: Any) -> Replay:
    """The replay of the first record, be it one that was run or not."""
    record, position = next(iter(records(store)))
    return Replayer(store, models, **more).replay(record, position)


def rewritten(store: Store, change: Any, about: dict[str, str] = HERE) -> MemoryStore:
    """A log that a writer might have written, with other records: `change` gives what is in the place of each, or
    None."""
    copy = MemoryStore()
    found = [record for record, _ in records(store)]
    appender = Appender(copy, writer_id=found[0].writer, opening=about, clock=lambda: 1_795_435_200.0)
    appender.append([encode_record(kept) for kept in map(change, found) if kept is not None])
    return copy


def varied(models: Path, model: str, count: int, draw: random.Random, spoilt: float) -> list[dict[str, Any]]:
    """Instances about the training data of a demo model, some of which are refused."""
    features = load_bundle(models / model / "1").manifest.features
    made = [{feature.name: value(feature, draw) for feature in features} for _ in range(count)]
    for instance in made:
        if draw.random() < spoilt:
            instance[features[0].name] = "no number"
    return made


def value(feature: Feature, draw: random.Random) -> Any:
    if feature.type in ("string", "boolean"):
        return draw.choice(feature.categories or [True])
    number = draw.gauss(feature.mean or 0.0, 0.2 * (feature.deviation or 1.0))
    number = min(max(number, feature.minimum or 0.0), feature.maximum or 1.0)
    return round(number) if feature.type == "integer" else number


@pytest.mark.parametrize("model", DEMOS)
def test_a_thousand_sampled_rows_of_batches_of_mixed_sizes_are_equal_to_the_last_bit(
    demo_models: Path, model: str
) -> None:
    draw = random.Random(20261124)
    with line(demo_models, about=HERE) as started:
        for size, spoilt in BATCHES:
            started.score({"instances": varied(demo_models, model, size, draw, spoilt)}, model=model)
    found = [pair for pair in records(started.store) if pair[0].run is not None]
    assert len(found) > 2500
    assert {record.run[2] for record, _ in found if record.run} >= {1, 2, 7, 511, 512}
    assert any(record.run[1] != (record.row or 0) % 512 for record, _ in found if record.run)
    made = replays(Replayer(started.store, demo_models), draw.sample(found, 1000))
    assert Counter((replay.verdict, replay.sentence) for replay in made if replay and replay.verdict != "equal") == {}
    assert len([replay for replay in made if replay]) == 1000
    assert {replay.recorded_on for replay in made if replay} == {Machine.of(HERE)}


def test_a_row_run_alone_has_other_bits_than_in_its_batch_so_that_rebuilding_the_batch_matters(
    demo_models: Path,
) -> None:
    with line(demo_models, about=HERE) as started:
        started.score({"instances": varied(demo_models, "wine", 512, random.Random(1), 0.0)}, model="wine")
    alone = rewritten(
        started.store, lambda record: msgspec.structs.replace(record, run=(record.id, 0, 1) if record.run else None)
    )
    verdicts = Counter(replay.verdict for replay in each(alone, demo_models) if replay)
    assert verdicts["different"] > 10
    assert verdicts["equal"] > 10


def test_a_replay_tells_both_answers_and_on_what_they_were_computed(tmp_path: Path) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [ONE], "ids": ["a"]}, model="amount")
    replay = only(started.store, tmp_path)
    assert (replay.id, replay.model, replay.version, replay.role) == ("a", "amount", "1", "champion")
    assert (replay.verdict, replay.reason, replay.difference) == ("equal", None, 0.0)
    assert replay.recorded == replay.replayed
    assert replay.recorded is not None
    assert (replay.recorded.y, replay.recorded.outcome) == ({"value": 63.0}, "scored")
    assert replay.recorded_on == replay.replayed_on == Machine.of(HERE)


def test_challengers_are_replayed_with_their_own_bundle_from_records_that_ride_along(tmp_path: Path) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    write_bundle(tmp_path, regressor_manifest(version="2"), regression(2, weight=0.1))
    (tmp_path / "serving.toml").write_text('[models.amount]\nchampion = "1"\nchallengers = ["2"]\n')
    with line(tmp_path, about=HERE) as started:
        for size in (1, 700, 3):
            started.score({"instances": [{"age": 20 + i / 50, "income": i % 9} for i in range(size)]}, model="amount")
    made = each(started.store, tmp_path)
    counted = Counter((replay.role, replay.version, replay.verdict) for replay in made if replay)
    assert counted == {("champion", "1", "equal"): 704, ("challenger", "2", "equal"): 704}


def test_an_instance_that_was_never_run_is_nothing_to_replay(tmp_path: Path) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [{"age": "x", "income": 1}, ONE]}, model="amount")
    replay = only(started.store, tmp_path)
    assert (replay.verdict, replay.reason) == ("cannot", "not_run")
    assert "rejected (wrong_type)" in replay.sentence
    assert [one and one.verdict for one in each(started.store, tmp_path)] == [None, "equal"]


def test_labels_and_notes_are_nothing_to_replay(tmp_path: Path) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [ONE], "ids": ["a"]}, model="amount")
        started.label({"labels": [{"id": "a", "value": 5.0}]}, model="amount")
    assert [one and one.verdict for one in each(started.store, tmp_path)] == ["equal", None]
    label, position = list(records(started.store))[1]
    with pytest.raises(ValueError, match="kind label"):
        Replayer(started.store, tmp_path).replay(label, position)


def test_answers_that_were_withheld_are_replayed_with_the_reasons_why(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest(), classifier())
    (tmp_path / "serving.toml").write_text("[models.credit.policies]\nminimum_probability = 0.6\n")
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [{"age": age, "income": 500, "member": True} for age in (50.0, 80.0)]})
    (tmp_path / "serving.toml").unlink()  # the log alone says by which policies it was judged
    made = each(started.store, tmp_path)
    assert [replay and replay.verdict for replay in made] == ["equal", "equal"]
    assert [one.replayed and (one.replayed.outcome, one.replayed.reasons) for one in made if one] == [
        ("abstained", ["low_confidence"]), ("scored", []),
    ]  # fmt: skip


def test_a_limit_that_the_policies_lift_is_lifted_in_the_replay_too(tmp_path: Path) -> None:
    described = regressor_manifest()
    criteria = msgspec.structs.replace(described.criteria, output_minimum=0.0, output_maximum=10.0)
    write_bundle(tmp_path, msgspec.structs.replace(described, criteria=criteria), regression(2))
    (tmp_path / "serving.toml").write_text("[models.amount.policies]\noutput_maximum = inf\noutput_minimum = -inf\n")
    with line(tmp_path, about=HERE) as started:
        answer = started.score({"instances": [ONE]}, model="amount")
    assert answer["results"][0]["outcome"] == "scored"
    assert only(started.store, tmp_path).verdict == "equal"


@pytest.mark.parametrize("spoil", ["absent", "changed", "unknown"])
def test_without_the_policies_the_outcome_is_not_guessed(tmp_path: Path, spoil: str) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    (tmp_path / "serving.toml").write_text("[models.amount.policies]\noutput_maximum = 100.0\n")
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [ONE]}, model="amount")
    fingerprint = started.records()[0].policies
    told = {"absent": {}, "changed": {f"policies/amount/{fingerprint}": '{"output_maximum":7.0}'}}.get(spoil, {})
    record = started.records()[0]
    if spoil == "unknown":
        text = '{"of_a_later_time":1}'
        fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]
        told = {f"policies/amount/{fingerprint}": text}
        record = msgspec.structs.replace(record, policies=fingerprint)
    replay = only(rewritten(started.store, lambda _: record, HERE | told), tmp_path)
    assert (replay.verdict, replay.reason) == ("cannot", "policies_gone")
    assert replay.recorded is not None


def test_a_bundle_that_was_removed_is_gone_and_one_in_its_place_is_not_taken_for_it(tmp_path: Path) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [ONE]}, model="amount")
    shutil.rmtree(tmp_path / "amount")
    gone = only(started.store, tmp_path)
    assert (gone.verdict, gone.reason) == ("cannot", "bundle_gone")
    assert str(started.records()[0].bundle) in gone.sentence
    write_bundle(tmp_path, regressor_manifest(description="another one"), regression(2, weight=5.0))
    replaced = only(started.store, tmp_path)
    assert (replaced.verdict, replaced.reason) == ("cannot", "bundle_gone")
    assert "amount/1 there is another one" in replaced.sentence


def test_a_bundle_is_found_by_its_hash_wherever_it_is_kept(tmp_path: Path) -> None:
    write_bundle(tmp_path / "served", regressor_manifest(), regression(2))
    with line(tmp_path / "served", about=HERE) as started:
        started.score({"instances": [ONE]}, model="amount")
    shutil.move(tmp_path / "served" / "amount", tmp_path / "kept" / "amount")
    assert only(started.store, tmp_path / "served").reason == "bundle_gone"
    assert only(started.store, tmp_path / "kept").verdict == "equal"


def test_a_bundle_of_which_a_byte_was_changed_is_not_run(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, regressor_manifest(), regression(2))
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [ONE]}, model="amount")
    data = bytearray(bundle.model_path.read_bytes())
    data[-1] ^= 1
    bundle.model_path.write_bytes(data)
    replay = only(started.store, tmp_path)
    assert (replay.verdict, replay.reason) == ("cannot", "bundle_altered")
    assert "amount/1/model.onnx: its SHA-256 is not the manifest's" in replay.sentence
    assert str(tmp_path) not in replay.sentence
    roundabout = only(started.store, tmp_path / "amount" / "..")
    assert roundabout.sentence == replay.sentence


@pytest.mark.parametrize("way", ["drop", "hash"])
def test_what_is_redacted_cannot_be_replayed_and_the_features_are_named(tmp_path: Path, way: Any) -> None:
    secret = msgspec.structs.replace(INCOME, redaction=way)
    write_bundle(tmp_path, regressor_manifest(features=[AGE, secret]), regression(2))
    with line(tmp_path, about=HERE, redaction_key=KEY) as started:
        started.score({"instances": [ONE]}, model="amount")
    replay = only(started.store, tmp_path)
    assert (replay.verdict, replay.reason, replay.fields) == ("cannot", "redacted", ["income"])
    assert replay.sentence.endswith("what the model saw: income.")


def test_what_is_redacted_but_was_not_the_models_business_does_not_stand_in_the_way(tmp_path: Path) -> None:
    secret = msgspec.structs.replace(MEMBER, redaction="drop")
    write_bundle(tmp_path, regressor_manifest(features=[AGE, INCOME, secret]), regression(3))
    write_bundle(tmp_path, regressor_manifest(version="2"), regression(2))
    (tmp_path / "serving.toml").write_text(
        '[models.amount]\nchampion = "1"\n[models.amount.policies]\nextra_features = "ignore"\n'
    )
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [{**ONE, "member": True, "nmae": "Ada"}]}, model="amount", version="2")
    assert started.records()[0].redacted == ["member", "*"]
    assert only(started.store, tmp_path).verdict == "equal"


def test_an_answer_that_is_not_the_models_is_different_and_both_are_told(tmp_path: Path) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [ONE]}, model="amount")
    lies = rewritten(started.store, lambda record: msgspec.structs.replace(record, y={"value": 63.00000000000001}))
    replay = only(lies, tmp_path)
    assert replay.verdict == "different"
    assert replay.recorded is not None
    assert replay.replayed is not None
    assert (replay.recorded.y, replay.replayed.y) == ({"value": 63.00000000000001}, {"value": 63.0})
    assert replay.difference == 63.00000000000001 - 63.0
    assert "same processor" in replay.sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"y": {"value": 63}},
        {"y": None},
        {"outcome": "abstained"},
        {"reasons": ["not_converged"]},
        {"y": {"value": True}},
    ],
    ids=str,
)
def test_whatever_of_the_decision_was_changed_is_different(tmp_path: Path, changes: dict[str, Any]) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [ONE]}, model="amount")
    lies = rewritten(started.store, lambda record: msgspec.structs.replace(record, **changes))
    assert only(lies, tmp_path).verdict == "different"


def test_an_input_that_was_changed_gives_another_answer_or_is_judged_otherwise(tmp_path: Path) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [ONE]}, model="amount")
    for x, verdict, reason in (
        ({"age": 62.0, "income": 2}, "different", None),
        ({"age": None, "income": 2}, "cannot", "judged_otherwise"),
        ({"age": 999.0, "income": 2}, "cannot", "judged_otherwise"),
        ({"age": {"prefix": "6", "length": 9, "sha256": ""}, "income": 2}, "cannot", "input_cut"),
        (None, "cannot", "input_cut"),
    ):
        lies = rewritten(started.store, lambda record, x=x: msgspec.structs.replace(record, x=x))
        replay = only(lies, tmp_path)
        assert (replay.verdict, replay.reason) == (verdict, reason)


@pytest.mark.parametrize(
    "flags",
    [{"missing": 5}, {"artifacts": ["age"]}, {"outside": None}, {"missing": ["income"]}, {"outside": {"age": "above"}}],
)
def test_flags_that_no_code_of_ours_would_write_for_it_are_no_crash(tmp_path: Path, flags: dict[str, Any]) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [ONE]}, model="amount")
    replay = only(rewritten(started.store, lambda record: msgspec.structs.replace(record, flags=flags)), tmp_path)
    assert (replay.verdict, replay.reason) == ("cannot", "judged_otherwise")


def test_policies_that_are_no_policies_are_no_crash(tmp_path: Path) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [ONE]}, model="amount")
    for text in ("[" * 10_000 + "]" * 10_000, "[]", "7", "{", '{"joint":"abstain"}', '{"minimum_probability":0.5}'):
        fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]
        record = msgspec.structs.replace(started.records()[0], policies=fingerprint)
        told = HERE | {f"policies/amount/{fingerprint}": text}
        replay = only(rewritten(started.store, lambda _, record=record: record, told), tmp_path)
        assert (replay.verdict, replay.reason) == ("cannot", "policies_gone"), text


def test_other_bits_are_put_down_to_other_hardware_only_where_that_was_another(tmp_path: Path) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    with line(tmp_path, about=ELSEWHERE) as started:
        started.score({"instances": [ONE]}, model="amount")
    assert only(started.store, tmp_path).verdict == "equal"

    def lie(record: Record) -> Record:
        return msgspec.structs.replace(record, y={"value": 63.5})

    for about, verdict, reason in (
        (HERE, "different", None),
        (ELSEWHERE, "other hardware", None),
        (HERE | {"onnxruntime": "1.0"}, "other hardware", None),
        (HERE | {"code": "0.0"}, "different", None),
        ({"code": "1"}, "cannot", "hardware_unknown"),
    ):
        replay = only(rewritten(started.store, lie, about), tmp_path)
        assert (replay.verdict, replay.reason, replay.difference) == (verdict, reason, 0.5)
    assert "Another CPU" in only(rewritten(started.store, lie, ELSEWHERE), tmp_path).sentence


def test_a_run_that_failed_fails_again(tmp_path: Path) -> None:
    write_bundle(tmp_path, regressor_manifest(), breaking(2))
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [ONE, {"age": 30.0, "income": 2}]}, model="amount")
    assert [record.reasons for record in started.records()] == [["model_error"], ["model_error"]]
    assert [replay and replay.verdict for replay in each(started.store, tmp_path)] == ["equal", "equal"]
    lies = rewritten(
        started.store, lambda record: msgspec.structs.replace(record, outcome="scored", reasons=[], y={"value": 1.0})
    )
    replay = only(lies, tmp_path)
    assert (replay.verdict, replay.reason) == ("cannot", "model_error")


def test_an_answer_that_is_no_finite_number_is_none_again(tmp_path: Path) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2, weight=1e308))
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [ONE, {"age": 0.5, "income": 0}]}, model="amount")
    assert [record.reasons for record in started.records()] == [["non_finite_output"], []]
    assert [replay and replay.verdict for replay in each(started.store, tmp_path)] == ["equal", "equal"]


def test_a_run_that_was_ended_has_no_answer_to_compare(tmp_path: Path) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [ONE]}, model="amount")
    ended = rewritten(
        started.store, lambda record: msgspec.structs.replace(record, outcome="failed", reasons=["timeout"], y=None)
    )
    assert only(ended, tmp_path).reason == "run_ended"


def test_a_run_that_takes_too_long_here_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    with line(tmp_path, about=HERE) as started:
        started.score({"instances": [ONE]}, model="amount")
    replayer = Replayer(started.store, tmp_path)
    found = list(records(started.store))
    assert replayer.replay(*found[0]).verdict == "equal"

    def slow(model: Model, rows: Any, limit_s: float | None = None) -> Answers:
        raise RunTimeout("the run was ended: it took longer than it may, 30 s")

    monkeypatch.setattr(Model, "run", slow)
    assert replayer.replay(*found[0]).reason == "timeout"
