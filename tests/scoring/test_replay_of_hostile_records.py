"""Replaying what a hostile writer wrote into frames that verify: never a crash, never more than it may cost, and never
`equal` of what is not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit.appender import Appender
from audit.memory_store import MemoryStore
from audit.reader import BlobReader, records
from audit.records import Record, encode_record
from audit.store import Store
from scoring.bundle import Criteria
from scoring.json_body import DEPTH
from scoring.model import Answers, Model, RunTimeout
from scoring.recorded_run import _rows
from scoring.replay import Replayer, replays
from scoring.replay_limits import ReplayLimits
from scoring.replay_result import SENTENCE, Replay
from scoring.startup import opening
from tests.scoring.bundles import regression, regressor_manifest, write_bundle
from tests.scoring.services import line

HERE = opening()
ONE = {"age": 61.0, "income": 2}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    free = {"criteria": Criteria(extra_features="ignore")}
    write_bundle(folder, regressor_manifest(**free), regression(2))
    write_bundle(folder, regressor_manifest(name="other", **free), regression(2))
    write_bundle(folder, regressor_manifest(version="2", **free), regression(2))
    return folder


@pytest.fixture(scope="module")
def scored(models: Path) -> dict[str, Record]:
    """A record of the same instance and answer by each bundle."""
    with line(models, about=HERE) as started:
        for model, version in (("amount", "1"), ("other", "1"), ("amount", "2")):
            started.score({"instances": [ONE], "ids": ["a"]}, model=model, version=version)
    return {f"{record.model}/{record.version}": record for record in started.records()}


def log_of(*lines: Record | bytes) -> MemoryStore:
    store = MemoryStore()
    writer = Appender(store, writer_id="20261123T120000-00000000", opening=HERE, clock=lambda: 1_795_435_200.0)
    writer.append([each if isinstance(each, bytes) else encode_record(each) for each in lines])
    return store


def changed(record: Record, **changes: Any) -> Record:
    return msgspec.structs.replace(record, **changes)


def each(store: Store, models: Path, limits: ReplayLimits | None = None) -> list[Replay]:
    made = replays(Replayer(store, models), list(records(store)), limits)
    return [one for one in made if one is not None]


def verdicts(store: Store, models: Path, limits: ReplayLimits | None = None) -> list[tuple[str, str | None]]:
    return [(one.verdict, one.reason) for one in each(store, models, limits)]


def test_a_record_with_another_input_beside_the_true_one_is_not_equal_with_it(
    models: Path, scored: dict[str, Record]
) -> None:
    true = scored["amount/1"]
    for false in (changed(true, x={"age": 33.0, "income": 9}), changed(true, flags={"missing": ["age"]}), true):
        assert verdicts(log_of(true, false), models) == [("equal", None), ("cannot", "run_unclear")]
        sampled = [
            (changed(record, x=None, flags={}, us={}), position) for record, position in records(log_of(true, false))
        ]
        made = replays(Replayer(log_of(true, false), models), sampled)
        assert [one and one.reason for one in made] == [None, "run_unclear"]


def test_a_record_with_the_bundle_of_another_model_or_version_is_not_equal(
    models: Path, scored: dict[str, Record]
) -> None:
    for lie in (
        changed(scored["amount/1"], bundle=scored["other/1"].bundle),
        changed(scored["amount/1"], bundle=scored["amount/2"].bundle),
        changed(scored["amount/1"], version="2"),
        changed(scored["amount/1"], version=None),
        changed(scored["amount/1"], version="../../other/1"),
    ):
        (replay,) = each(log_of(lie), models)
        assert (replay.verdict, replay.reason) == ("cannot", "bundle_of_another")
        assert "The recorded hash is that of " in replay.sentence


@pytest.mark.parametrize("size", [513, 65_536, 10**9, 10**400])
def test_a_run_that_says_it_is_larger_than_any_holds_no_rows(
    models: Path, scored: dict[str, Record], size: int
) -> None:
    run = scored["amount/1"].run
    assert run is not None
    rows = [changed(scored["amount/1"], run=(run[0], place, size)) for place in range(50)]
    read = 0

    class Counting(MemoryStore):
        def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
            nonlocal read
            read += 1
            return super().read(name, offset, length)

    store = log_of(*rows)
    counting = Counting()
    for info in store.list():
        counting.create(info.name)
        counting.append(info.name, store.read(info.name), at=0)
    pair = next(iter(records(store)))
    assert Replayer(counting, models).replay(*pair).reason == "run_unclear"
    assert read == 1  # for the processor and the policies; the run is not looked for


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_an_instance_nested_deeper_than_a_request_may_be_is_no_crash(models: Path, scored: dict[str, Record]) -> None:
    true = scored["amount/1"]
    assert verdicts(log_of(changed(true, x={**ONE, "z": deep(DEPTH - 1)})), models) == [("equal", None)]
    for levels in (DEPTH, 3_000):
        lie = changed(true, x={**ONE, "z": deep(levels)})
        assert verdicts(log_of(lie), models) == [("cannot", "judged_otherwise")]
    assert verdicts(log_of(changed(true, y={"value": deep(3_000)})), models) == [("different", None)]


def test_a_sentence_about_endless_words_has_an_end(models: Path, scored: dict[str, Record]) -> None:
    true = scored["amount/1"]
    for changes in (
        {"bundle": "b" * 1_000_000},
        {"policies": "p" * 1_000_000},
        {"reasons": ["r" * 1_000_000]},
        {"flags": {"missing": ["m" * 1_000_000]}},
    ):
        (replay,) = each(log_of(changed(true, **changes)), models)
        assert replay.verdict != "equal"
        assert len(replay.sentence) <= SENTENCE + 1


def test_a_line_full_of_what_looks_like_a_run_is_read_once(scored: dict[str, Record]) -> None:
    true = scored["amount/1"]
    assert true.run is not None
    name = true.run[0]
    bait = changed(true, x={**ONE, "z": [{"run": [name, 0, 1]}] * 60_000})
    store = log_of(true, b"{}", bait, true)
    frame = list(BlobReader(store, only_name(store)))[1]
    began_s = time.process_time()
    found = list(_rows(frame, {name.encode()}))
    assert time.process_time() - began_s < 0.5  # six seconds when it went back to the line's start each time
    assert [position.line for _, position, _ in found] == [0, 2, 3]
    assert [size for *_, size in found] == [len(text) for text in (frame.lines[0], frame.lines[2], frame.lines[3])]


def only_name(store: Store) -> str:
    (info,) = store.list()
    return info.name


def test_runs_that_are_too_much_at_once_are_looked_up_one_by_one_and_one_that_is_too_much_alone_is_not(
    models: Path,
) -> None:
    with line(models, about=HERE) as started:
        for rows in (2, 2, 9):
            started.score({"instances": [{**ONE, "z": "x" * 900}] * rows}, model="amount")
    one, other, large = rows_of(started.records())
    store = log_of(one[0], other[0], *large, one[1], other[1])
    size_bytes = len(encode_record(one[0]))
    room = ReplayLimits(held_bytes=3 * size_bytes)
    made = each(store, models, room)
    assert [(replay.run[0] if replay.run else "", replay.verdict, replay.reason) for replay in made] == [
        (record.run[0], "equal", None) if record.rows == 2 else (record.run[0], "cannot", "run_too_large")
        for record, _ in records(store)
        if record.run
    ]
    assert room.take(3 * size_bytes)  # all of it was given back


def rows_of(found: list[Record]) -> list[list[Record]]:
    """The rows of each run."""
    runs = dict.fromkeys(record.run[0] for record in found if record.run)
    return [[record for record in found if record.run and record.run[0] == run] for run in runs]


def test_when_time_is_up_the_rest_says_so_and_nothing_is_run(models: Path, scored: dict[str, Record]) -> None:
    store = log_of(*scored.values())
    over = ReplayLimits(0.0)
    assert verdicts(store, models, over) == [("cannot", "no_time")] * 3
    times = iter([0.0] * 9)
    some = ReplayLimits(1.0, clock=lambda: next(times, 2.0))
    found = verdicts(store, models, some)
    assert ("cannot", "no_time") in found
    assert set(found) <= {("equal", None), ("cannot", "no_time")}


def test_a_run_gets_no_more_time_than_is_left(
    models: Path, scored: dict[str, Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s, limits_s = 0.0, []

    def slow(model: Model, rows: Any, limit_s: float | None = None) -> Answers:
        nonlocal now_s
        limits_s.append(limit_s)
        now_s += limit_s or 0.0
        raise RunTimeout("the run was ended: it took longer than it may")

    store = log_of(scored["amount/1"])
    found = list(records(store))
    replayer = Replayer(store, models, run_timeout_s=7.0)
    replayer.replay(*found[0])  # loads the model
    monkeypatch.setattr(Model, "run", slow)
    reasons = []
    for seconds in (20.0, 5.0):
        made = replays(replayer, found, ReplayLimits(seconds, clock=lambda: now_s))
        reasons.append(made[0] and made[0].reason)
    assert (limits_s, reasons) == ([7.0, 5.0], ["timeout", "no_time"])
