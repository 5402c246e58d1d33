"""A run's rows are found again wherever the log has spread them, and what is not there is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit.appender import Appender
from audit.memory_store import MemoryStore
from audit.reader import BlobReader, hours, records
from audit.records import Record, encode_record
from audit.seal import seal_hour
from audit.store import Store
from scoring.bundle import Criteria
from scoring.recorded_run import RecordedRun, collect
from scoring.replay import Replayer, replays
from scoring.replay_result import CannotReplay, Replay
from scoring.startup import opening
from tests.scoring.bundles import regression, regressor_manifest, write_bundle
from tests.scoring.services import line

HOUR_S = 3600.0
NOON_S = 1_795_435_200.0
HERE = opening()
WRITER = "20261123T120000-00000000"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_bundle(folder, regressor_manifest(criteria=Criteria(extra_features="ignore")), regression(2))
    return folder


@pytest.fixture(scope="module")
def scored(models: Path) -> list[Record]:
    """The records of a request of 7 rows, row 3 of which was refused, and of one of a single row."""
    with line(models, about=HERE) as started:
        rows: list[dict[str, Any]] = [{"age": 20.0 + i, "income": i} for i in range(7)]
        rows[3]["age"] = "x"
        started.score({"instances": rows}, model="amount")
        started.score({"instances": rows[:1]}, model="amount")
    return [msgspec.structs.replace(record, writer=WRITER) for record in started.records()]


class Log:
    """A log of one writer, frame by frame, by a clock that the test sets."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.now_s = NOON_S
        self._appender = Appender(self.store, writer_id=WRITER, opening=HERE, clock=lambda: self.now_s)

    def write(self, *records: Record) -> Log:
        self._appender.append([encode_record(record) for record in records])
        return self

    def next_hour(self) -> Log:
        self.now_s += HOUR_S
        return self

    def fence(self) -> Log:
        """Somebody closes the blob that is being written."""
        seal_hour(self.store, hours(self.store)[-1])
        return self

    def blobs(self) -> list[str]:
        return [info.name for info in self.store.list()]


def replayed(store: Store, models: Path) -> list[tuple[str, str | None]]:
    return [(one.verdict, one.reason) for one in made(store, models) if one]


def made(store: Store, models: Path) -> list[Replay | None]:
    return replays(Replayer(store, models), list(records(store)))


def each_in_a_frame(log: Log, scored: list[Record]) -> None:
    for record in scored:
        log.write(record)


def between_others(log: Log, scored: list[Record]) -> None:
    log.write(*scored[:2]).write(scored[7]).write(*scored[2:5]).write(*scored[5:7])


def over_an_hours_end(log: Log, scored: list[Record]) -> None:
    log.write(*scored[:2]).next_hour().write(*scored[2:])


def over_a_days_end(log: Log, scored: list[Record]) -> None:
    log.now_s = NOON_S + 11.9 * HOUR_S
    log.write(*scored[:2]).next_hour().write(*scored[2:])


def over_three_blobs(log: Log, scored: list[Record]) -> None:
    log.write(*scored[:2]).next_hour().write(scored[2]).next_hour().write(*scored[3:])


def over_a_fence(log: Log, scored: list[Record]) -> None:
    log.write(*scored[:2]).fence().write(*scored[2:])


@pytest.mark.parametrize(
    "spread",
    [each_in_a_frame, between_others, over_an_hours_end, over_a_days_end, over_three_blobs, over_a_fence],
    ids=lambda spread: spread.__name__,
)
def test_rows_are_found_wherever_they_lie(
    models: Path, scored: list[Record], spread: Callable[[Log, list[Record]], None]
) -> None:
    log = Log()
    spread(log, scored)
    by_id = {(one.id, one.run): one.verdict for one in made(log.store, models) if one}
    assert by_id == {(record.id, record.run): "equal" for record in scored if record.run}


def test_a_batch_that_a_writer_spreads_over_many_frames_and_two_hours_is_found(models: Path) -> None:
    times = iter([NOON_S] * 12)
    with line(
        models, about=HERE, writing={"frame_bytes": 8192, "clock": lambda: next(times, NOON_S + HOUR_S)}
    ) as started:
        rows = [{"age": 20 + i / 25, "income": i % 7, "note": "x" * 50} for i in range(1000)]
        started.score({"instances": rows}, model="amount")
    assert len(hours(started.store)) == 2
    runs = {record.run[0] for record, position in records(started.store) if record.run and "/13/" in position.blob}
    assert runs & {
        record.run[0] for record, position in records(started.store) if record.run and "/12/" in position.blob
    }
    assert {one and one.verdict for one in made(started.store, models)} == {"equal"}


def test_rows_that_are_gone_with_their_blob_are_named(models: Path, scored: list[Record]) -> None:
    log = Log().write(*scored[:2]).next_hour().write(*scored[2:7])
    log.store.delete(log.blobs()[1])
    first = made(log.store, models)[0]
    assert first is not None
    assert (first.verdict, first.reason) == ("cannot", "run_incomplete")
    assert first.sentence == "Of the 6 rows of its run the log does not hold 2, 3, 4, 5 (counted from 0)."


def test_where_the_log_does_not_verify_any_further_is_told(models: Path, scored: list[Record]) -> None:
    log = Log().write(*scored[:2]).write(*scored[2:7])
    name = log.blobs()[0]
    data = log.store.read(name)
    for broken, word in ((data[:-10], "torn"), (data.replace(b'"income":4', b'"income":5'), "altered")):
        store = MemoryStore()
        store.create(name)
        store.append(name, broken, 0)
        reader = BlobReader(store, name)
        assert len(list(reader)) == 2
        assert reader.finding_kind == word
        found = [one for one in made(store, models) if one]
        assert [one.reason for one in found] == ["run_incomplete"] * 2
        assert f"{name} at offset" in found[0].sentence


def test_the_record_itself_may_be_gone_since_it_was_found(models: Path, scored: list[Record]) -> None:
    log = Log().write(*scored)
    found = list(records(log.store))
    log.store.delete(log.blobs()[0])
    replay = Replayer(log.store, models).replay(*found[0])
    assert (replay.verdict, replay.reason) == ("cannot", "run_incomplete")
    assert "is not there any more" in replay.sentence
    assert replay.recorded_on is not None
    assert replay.recorded_on.cpu is None


def test_records_that_contradict_each_other_are_not_chosen_from(models: Path, scored: list[Record]) -> None:
    assert scored[0].run is not None
    run, _, size = scored[0].run
    for lie in (
        {"y": {"value": 1.0}},
        {"run": (run, 0, size + 1)},
        {"run": (run, size, size)},
        {"run": (run, -1, size)},
        {"version": "2"},
        {"role": "challenger"},
        {"model": "another"},
        {"policies": "0123456789abcdef"},
    ):
        log = Log().write(msgspec.structs.replace(scored[0], **lie)).write(*scored[:7])
        replay = Replayer(log.store, models).replay(*list(records(log.store))[-1])
        assert (replay.verdict, replay.reason) == ("cannot", "run_unclear"), lie


def test_a_second_record_of_a_row_that_comes_later_is_not_taken_for_the_first(
    models: Path, scored: list[Record]
) -> None:
    log = Log().write(*scored[:7]).write(msgspec.structs.replace(scored[0], y={"value": 1.0}))
    assert replayed(log.store, models) == [("equal", None)] * 6 + [("cannot", "run_unclear")]


@pytest.mark.parametrize("run", [("r", 0, 0), ("r", 5, 1), ("r", -1, 1), ("r", 0, 10**12), ("", 0, 1), ('q"\\', 0, 1)])
def test_a_run_that_cannot_be_is_no_guess_and_no_crash(
    models: Path, scored: list[Record], run: tuple[str, int, int]
) -> None:
    log = Log().write(msgspec.structs.replace(scored[0], run=run))
    replay = Replayer(log.store, models).replay(*next(iter(records(log.store))))
    assert replay.verdict == "cannot"
    assert replay.reason in ("run_unclear", "run_incomplete")


def test_text_in_an_instance_that_looks_like_a_run_is_not_taken_for_one(models: Path, scored: list[Record]) -> None:
    assert scored[0].run is not None
    spoilt = {"run": [scored[0].run[0], 1, 6], "text": '"run":["' + scored[0].run[0]}
    instance = {"age": 30.0, "income": 1, **spoilt}
    with line(models, about=HERE) as started:
        started.score({"instances": [instance]}, model="amount")
    other = [msgspec.structs.replace(record, writer=WRITER) for record in started.records()]
    assert b'"run":["' + scored[0].run[0].encode() in encode_record(other[0])
    log = Log().write(*other).write(*scored)
    assert replayed(log.store, models) == [("equal", None)] * 8


def test_blobs_of_other_writers_and_foreign_files_are_passed_over(models: Path, scored: list[Record]) -> None:
    log = Log().write(*scored[:2])
    for name in ("log/v1/2026/11/23/12/foreign.txt", "log/v1/2026/11/23/13/20261123T120000-00000001-1.jsonl"):
        log.store.put(name, b"rubbish", overwrite=False)
    log.next_hour().write(*scored[2:])
    assert replayed(log.store, models) == [("equal", None)] * 7


def test_no_more_rows_are_held_than_those_of_runs_under_way(scored: list[Record]) -> None:
    log = Log().write(*scored)
    name = log.blobs()[0]
    wanted = {record.run[0]: RecordedRun(record, name) for record in (scored[0], scored[7]) if record.run}
    sizes = [(run.size, len(wanted)) for run in collect(log.store, name, wanted)]
    assert sizes == [(6, 1), (1, 0)]
    with pytest.raises(CannotReplay, match="does not hold 0"):
        RecordedRun(scored[7], name).records()


def test_a_replay_is_json(models: Path, scored: list[Record]) -> None:
    log = Log().write(*scored[:7])
    told = json.loads(msgspec.json.encode(made(log.store, models)[0]))
    assert told["verdict"] == "equal"
    assert told["recorded"] == told["replayed"] == {"y": {"value": 20.0}, "outcome": "scored", "reasons": []}
    assert told["recorded_on"] == HERE
