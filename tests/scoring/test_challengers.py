"""Challengers score what the champion scored, are recorded, never returned, and keep no answer from anybody."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import onnx
import pytest

from audit.errors import QueueFull, Unavailable
from audit.records import Record, decode_record
from scoring.backlog import Backlog
from scoring.catalog import Catalog
from scoring.challengers import Challengers, Rest
from scoring.content import Content
from scoring.errors import BadRequest, LogUnavailable
from scoring.inference import Run
from scoring.score import Arrival, Scored, score_body
from scoring.shadow import Shadow
from scoring.watchdog import WATCHDOG
from tests.scoring.bundles import (
    AGE,
    INCOME,
    MEMBER,
    breaking,
    looping,
    regression,
    regressor_manifest,
    write_bundle,
)
from tests.scoring.services import line
from tests.scoring.test_service import FailingStore
from tests.scoring.test_watchdog import until

ONE: dict[str, Any] = {"age": 61.0, "income": 2}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    return tmp_path


def challenge(models: Path, graph: onnx.ModelProto | None = None, more: str = "", **changes: Any) -> None:
    """Version 2 of the model becomes a challenger of version 1."""
    write_bundle(models, regressor_manifest(version="2", **changes), graph or regression(2, weight=10.0))
    named(models, '["2"]', more)


def named(models: Path, challengers: str, more: str = "") -> None:
    (models / "serving.toml").write_text(f'[models.amount]\nchampion = "1"\nchallengers = {challengers}\n{more}\n')


def facts(records: Sequence[Record]) -> list[tuple[Any, ...]]:
    return [(record.id, record.version, record.role, record.outcome, record.reasons) for record in records]


def test_a_challenger_scores_the_same_instances_under_the_same_ids_and_is_not_returned(models: Path) -> None:
    challenge(models)
    with line(models) as started:
        body = {"instances": [ONE, {**ONE, "age": "x"}], "ids": ["a", "b"], "request_id": "r"}
        answer = started.score(body, model="amount")
        assert (answer["version"], answer["results"][0]["value"], len(answer["results"])) == ("1", 63.0, 2)
    champion, challenger = started.records()[:2], started.records()[2:]
    assert facts(challenger) == [
        ("a", "2", "challenger", "scored", []), ("b", "2", "challenger", "rejected", ["wrong_type"]),
    ]  # fmt: skip
    assert [record.y for record in challenger] == [{"value": 630.0}, None]
    for one, other in zip(champion, challenger, strict=True):
        for field in ("id", "request", "ts", "row", "rows", "x", "writer"):
            assert getattr(one, field) == getattr(other, field)
        assert one.bundle != other.bundle
    assert champion[0].run is not None
    assert challenger[0].run is not None
    assert champion[0].run[0] != challenger[0].run[0]
    assert list(challenger[0].us) == ["judge", "infer"]
    assert [record.cold for record in challenger] == [False, False]


def test_only_calls_of_the_champion_are_shadowed(models: Path) -> None:
    challenge(models)
    with line(models) as started:
        started.score({"instances": [ONE], "ids": ["named"]}, model="amount", version="1")
        started.score({"instances": [ONE], "ids": ["other"]}, model="amount", version="2")
        with pytest.raises(BadRequest):
            started.score(b"{", model="amount")
    scores = [record for record in started.records() if record.kind == "score"]
    assert sorted((record.id, record.version) for record in scores) == [("named", "1"), ("named", "2"), ("other", "2")]


def test_a_challenger_redacts_what_the_champion_does(tmp_path: Path) -> None:
    secret = msgspec.structs.replace(INCOME, redaction="drop")
    write_bundle(tmp_path, regressor_manifest(features=[AGE, secret]), regression(2))
    challenge(tmp_path)
    with line(tmp_path) as started:
        started.score({"instances": [ONE, {**ONE, "income": "x"}]}, model="amount")
    assert [(record.role, record.x, record.redacted) for record in started.records()] == [
        (role, {"age": 61.0}, ["income"]) for role in ("champion", "champion", "challenger", "challenger")
    ]


def test_every_challenger_is_run_even_if_another_cannot_be(models: Path) -> None:
    for version in "234":
        write_bundle(models, regressor_manifest(version=version), regression(2, weight=float(version)))
    (models / "amount" / "3" / "model.onnx").write_bytes(b"changed")
    named(models, '["2", "3", "4"]')
    with line(models) as started:
        started.score({"instances": [ONE]}, model="amount")
        until(lambda: "amount/3" in started.service.ready().problems)
        ready = started.service.ready()
        assert ready.ready
        assert "is not the manifest's" in ready.problems["amount/3"]
        assert "no champion depends on it" in ready.problems["amount/3"]
    assert [record.version for record in started.records()] == ["1", "2", "4"]


def test_challengers_are_loaded_soon_even_if_nobody_asks(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoring.challengers._LOAD_AFTER_S", 0.01)
    challenge(models)
    with line(models) as started:
        until(lambda: started.service.catalog.is_loaded("amount", "2"))


@pytest.mark.parametrize(
    ("challengers", "key", "words", "left"),
    [
        ('["9"]', "amount/9", "names this version as a challenger, but there is no bundle", []),
        ('["1", "2"]', "amount", "names version 1 as champion and as challenger", ["2"]),
        ('["2", "2"]', "amount", "names challenger 2 twice", ["2"]),
    ],
)
def test_a_challenger_that_cannot_be_is_a_problem_and_the_champion_answers(
    models: Path, challengers: str, key: str, words: str, left: list[str]
) -> None:
    challenge(models)
    named(models, challengers)
    with line(models) as started:
        assert started.service.ready().ready
        assert words in started.service.ready().problems[key]
        assert started.service.catalog.challengers("amount") == left
        assert started.score({"instances": [ONE]}, model="amount")["results"][0]["value"] == 63.0
    assert [record.version for record in started.records()] == ["1", *left]


def test_metadata_names_champion_and_challengers(models: Path) -> None:
    challenge(models)
    with line(models) as started:
        parameters = started.run(lambda service: service.metadata("amount"))["parameters"]
        assert (parameters["champion"], parameters["challengers"]) == ("1", '["2"]')


def test_a_challenger_that_raises_is_recorded_as_failed(models: Path) -> None:
    challenge(models, breaking(2))
    with line(models) as started:
        assert started.score({"instances": [ONE], "ids": ["a"]}, model="amount")["results"][0]["value"] == 63.0
    assert facts(started.records())[1:] == [("a", "2", "challenger", "failed", ["model_error"])]


def test_a_challenger_whose_code_breaks_is_recorded_as_failed(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    challenge(models)
    with line(models) as started:
        judge = started.service.catalog.get("amount", "2").judge
        monkeypatch.setattr(judge, "judge", lambda *_: 1 / 0)
        for name in "ab":
            started.score({"instances": [ONE], "ids": [name]}, model="amount")
    shadows = [record for record in started.records() if record.version == "2"]
    assert facts(shadows) == [(name, "2", "challenger", "failed", ["model_error"]) for name in "ab"]
    assert [(record.x, record.run) for record in shadows] == [(None, None)] * 2


def test_a_challenger_without_a_finite_answer_is_recorded_as_failed(models: Path) -> None:
    challenge(models, regression(2, weight=float("nan")))
    with line(models) as started:
        started.score({"instances": [ONE], "ids": ["a"]}, model="amount")
    assert facts(started.records())[1:] == [("a", "2", "challenger", "failed", ["non_finite_output"])]


def test_a_challenger_that_needs_other_features_rejects_what_it_gets(models: Path) -> None:
    challenge(models, features=[AGE, MEMBER])
    with line(models) as started:
        started.score({"instances": [ONE], "ids": ["a"]}, model="amount")
    (shadow,) = started.records()[1:]
    assert (shadow.outcome, shadow.x) == ("rejected", ONE)
    assert "unknown_feature" in shadow.reasons


def test_a_challenger_that_hangs_is_ended_and_after_three_times_rests(models: Path) -> None:
    challenge(models, looping(), "challenger_timeout_s = 0.05")
    with line(models) as started:
        for row in range(5):
            answer = started.score({"instances": [ONE], "ids": [f"{row}"]}, model="amount")
            assert answer["results"][0]["value"] == 63.0
    shadows = [record for record in started.records() if record.version == "2"]
    assert facts(shadows) == [(f"{row}", "2", "challenger", "failed", ["timeout"]) for row in range(5)]
    assert [record.run is not None for record in shadows] == [True, True, True, False, False]
    assert [record.x for record in shadows] == [ONE, ONE, ONE, None, None]


def test_without_a_durable_record_of_the_champion_there_is_none_of_a_challenger(models: Path) -> None:
    challenge(models)
    store = FailingStore()
    with line(models, store) as started:
        started.score({"instances": [ONE], "ids": ["kept"]}, model="amount")
        store.problem = Unavailable("down")
        with pytest.raises(LogUnavailable):
            started.score({"instances": [ONE], "ids": ["lost"]}, model="amount")
        store.problem = None
        until(lambda: started.writer.healthy)
    assert {record.id for record in started.records()} == {"kept"}


class FakeWriter:
    """Keeps what it is given, or refuses it."""

    def __init__(self, problems: Sequence[Exception] = ()) -> None:
        self.problems = list(problems)
        self.lines: list[bytes] = []
        self.largest_bytes = 0

    def commit_later(self, lines: Sequence[bytes]) -> None:
        if self.problems:
            raise self.problems.pop(0)
        self.largest_bytes = max(self.largest_bytes, sum(map(len, lines)))
        self.lines.extend(lines)

    def facts(self) -> list[tuple[Any, ...]]:
        return facts([decode_record(written) for written in self.lines])


class Bench:
    """Challengers with a writer of our own, and what the champion made for them."""

    def __init__(self, models: Path, writer: FakeWriter, **more: Any) -> None:
        self.catalog = Catalog.load(models)
        self.writer = writer
        self.challengers = Challengers(self.catalog, writer, **more)

    def offer(self, *ids: str, instance: Any = ONE) -> None:
        self.challengers.offer(self.scored(ids, instance))

    def scored(self, ids: Sequence[str], instance: Any = ONE) -> Scored:
        body = json.dumps({"instances": [instance] * len(ids), "ids": ids}).encode()
        return score_body(self.catalog.get("amount"), Arrival(Content(body), 0.0, None, "w", 50_000, 2**30))

    def hold(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
        """Let the challenger's runs wait for the function returned; returns once the first one waits."""
        model, go_on, reached = self.catalog.get("amount", "2").model, threading.Event(), threading.Event()
        run = model.run

        def held(rows: Any, limit_s: float) -> Any:
            reached.set()
            assert go_on.wait(20)
            return run(rows, limit_s)

        monkeypatch.setattr(model, "run", held)
        self.offer("held")
        assert reached.wait(20)
        return go_on.set


@contextmanager
def bench(models: Path, *problems: Exception, **more: Any) -> Iterator[Bench]:
    made = Bench(models, FakeWriter(problems), **more)
    try:
        yield made
    finally:
        made.challengers.close()


def test_what_does_not_fit_the_backlog_is_recorded_without_a_run_and_then_counted(
    models: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    challenge(models)
    with bench(models, backlog=Backlog(most_requests=1, most_skipped=2)) as made:
        go_on = made.hold(monkeypatch)
        for ids in (["fits"], ["ids only", "these too"], ["counted"]):
            made.offer(*[name.replace(" ", "-") for name in ids])
        go_on()
    assert [(fact[0], fact[3], fact[4]) for fact in made.writer.facts()] == [
        ("held", "scored", []), ("fits", "scored", []),
        ("ids-only", "failed", ["timeout"]), ("these-too", "failed", ["timeout"]),
    ]  # fmt: skip
    assert "amount: instances not even recorded, too many wait (1 instances)" in caplog.text
    assert "amount/2: not run, it is too slow for what is asked (2 instances)" in caplog.text


@pytest.mark.parametrize("problem", [Unavailable("down"), QueueFull("full")])
def test_a_log_that_takes_no_lines_for_a_moment_is_asked_again(
    models: Path, problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.challengers._COMMIT_PAUSES_S", (0.001,) * 3)
    challenge(models)
    with bench(models, problem, problem, problem) as made:
        made.offer("a")
        until(lambda: len(made.writer.lines) == 1)


def test_records_that_the_log_does_not_take_are_counted_and_the_next_are_written(
    models: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("scoring.challengers._COMMIT_PAUSES_S", ())
    challenge(models)
    with bench(models, Unavailable("down"), ValueError("a defect")) as made:
        for name in "abc":
            made.offer(name)
        until(lambda: len(made.writer.lines) == 1)
    assert [fact[0] for fact in made.writer.facts()] == ["c"]
    assert "amount/2: not recorded, the log did not take them (1 instances)" in caplog.text
    assert "amount/2: not recorded, ValueError (1 instances)" in caplog.text


def test_the_records_of_a_large_request_are_handed_over_in_parts(models: Path) -> None:
    challenge(models)
    with bench(models) as made:
        ids = [f"{row}" for row in range(6_000)]
        made.offer(*ids)
        until(lambda: len(made.writer.lines) == len(ids))
    assert [fact[0] for fact in made.writer.facts()] == ids
    assert made.writer.largest_bytes < 1.1 * 2**20


def test_troubles_are_told_by_the_next_offer_and_once_a_minute(models: Path, caplog: pytest.LogCaptureFixture) -> None:
    now_s = [0.0]
    challenge(models, breaking(2))
    with bench(models, clock=lambda: now_s[0]) as made:
        for written in (1, 2, 3):
            made.offer(f"{written}")
            until(lambda written=written: len(made.writer.lines) == written)  # type: ignore[misc]
        told = [record for record in caplog.records if record.name == "scoring.challengers"]
        assert [record.threadName for record in told] == ["MainThread"]
        assert "amount/2: failed: the run failed: InvalidArgument (1 instances)" in told[0].getMessage()
        now_s[0] = 61.0
        made.offer("4")
        assert "(2 instances)" in caplog.records[-1].getMessage()
    assert "61" not in "".join(record.getMessage() for record in caplog.records)


def test_at_the_end_what_waits_is_worked_off_for_a_while_and_dropped_with_one_line(
    models: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    challenge(models)
    with bench(models) as made, caplog.at_level(logging.WARNING, "scoring.challengers"):
        go_on = made.hold(monkeypatch)
        made.offer("a", "b")
        made.offer("c")
        monkeypatch.setattr("scoring.challengers._LAST_PATIENCE_S", 0.01)
        made.challengers.close(patience_s=0.01)
        (told,) = [record for record in caplog.records if record.name == "scoring.challengers"]
        assert "instances dropped at the end of the process (3 instances)" in told.getMessage()
        made.challengers.close(patience_s=0.01)
        go_on()
        made.challengers._thread.join(20)
    assert [fact[0] for fact in made.writer.facts()] == ["held"]


def test_a_process_that_ends_in_the_middle_of_a_run_ends_the_run_first(models: Path) -> None:
    challenge(models, looping(), "challenger_timeout_s = 60")
    with bench(models) as made:
        served = made.catalog.get("amount", "2")
        made.offer("a")
        until(lambda: any(owner is served.model for _, owner, _ in WATCHDOG._runs.values()))
        made.challengers.close(patience_s=0.01)
        assert not made.challengers._thread.is_alive()
    assert made.writer.facts() == [("a", "2", "challenger", "failed", ["timeout"])]


def test_a_process_that_ends_while_a_challenger_hangs_in_its_first_run_ends_that_too(models: Path) -> None:
    challenge(models, looping(beyond=-1.0))
    write_bundle(models, regressor_manifest(version="3"), looping(beyond=-1.0))
    named(models, '["2", "3"]')
    with bench(models) as made:
        made.offer("a")
        until(lambda: made.challengers._thread.ident in [thread for _, _, thread in WATCHDOG._runs.values()])
        made.challengers.close(patience_s=0.01)
        assert not made.challengers._thread.is_alive()
    assert made.writer.facts() == []


def test_a_challenger_that_keeps_hanging_rests_longer_each_time_and_one_success_forgets_it() -> None:
    rest, hung, well = Rest(), Shadow([], [Run([0], "r", reason="timeout")]), Shadow([], [Run([0], "r")])
    now_s, rests = 0.0, []
    for made in [hung] * 10 + [well] + [hung] * 3:
        rest.after(made, now_s)
        resting_s = next(s for s in (0, 60, 120, 240, 480, 960, 1920, 3600) if not rest.lasts(now_s + s))
        rests.append(resting_s)
        now_s += 3600.0
    assert rests == [0, 0, 60, 120, 240, 480, 960, 1920, 3600, 3600, 0, 0, 0, 60]


def test_a_model_without_challengers_costs_no_thread(models: Path) -> None:
    before = threading.active_count()
    with bench(models) as made:
        made.offer("a")
        assert threading.active_count() == before
    assert made.writer.lines == []
