"""Drawing records to replay: evenly, in one pass, and the same with the same seed."""

from __future__ import annotations

from collections import Counter

import msgspec

from audit.memory_store import MemoryStore
from audit.records import unix_s
from scoring.replay_sample import sample
from tests.audit.examples import NOON_S, appender, score


def log_of_runs(count: int, model: str = "wine") -> MemoryStore:
    """`count` records that were run, one second apart, and as many that were not."""
    store, made = MemoryStore(), list[bytes]()
    for i in range(count):
        ran = score(f"r{i}", model, NOON_S + i, run=(f"run{i}", 0, 1))
        made += [msgspec.json.encode(one) for one in (ran, score(f"n{i}", model, NOON_S + i))]
    writer = appender(store)
    for start in range(0, len(made), 100):
        writer.append(made[start : start + 100])
    return store


def test_each_record_that_was_run_is_as_likely_as_any_other() -> None:
    store = log_of_runs(20)
    drawn = Counter(record.id for seed in range(400) for record, _ in sample(store, 5, seed).found)
    assert set(drawn) == {f"r{i}" for i in range(20)}
    assert all(60 < count < 140 for count in drawn.values()), drawn  # 100 expected, standard deviation 8.7


def test_a_sample_holds_what_was_asked_for_and_says_from_how_many() -> None:
    store = log_of_runs(30)
    for count, expected in ((1, 1), (30, 30), (1000, 30)):
        drawn = sample(store, count, seed=1)
        assert (len(drawn.found), drawn.of) == (expected, 30)
        assert len({record.id for record, _ in drawn.found}) == expected
        assert [position for _, position in drawn.found] == sorted(position for _, position in drawn.found)
    assert sample(store, 7, seed=2) == sample(store, 7, seed=2)
    assert sample(store, 7, seed=2) != sample(store, 7, seed=3)


def test_a_sample_holds_no_instances() -> None:
    assert all(record.x is None for record, _ in sample(log_of_runs(3), 3, seed=1).found)


def test_time_and_model_limit_a_sample() -> None:
    store = log_of_runs(30)
    found = sample(store, 100, seed=1, since_s=NOON_S + 10, until_s=NOON_S + 20)
    assert {unix_s(record.ts) for record, _ in found.found} == {NOON_S + i for i in range(10, 20)}
    assert sample(store, 100, seed=1, model="credit").found == []
    assert sample(MemoryStore(), 100, seed=1).of == 0


def test_lines_that_are_no_records_are_not_drawn() -> None:
    store = MemoryStore()
    writer = appender(store)
    writer.append([b"{}", b"[", b"\xff", b'{"kind":"score","ts":"","model":"m","run":["r",0,1]}', b'{"run":7}'])
    assert sample(store, 10, seed=1).found == []


def test_progress_counts_blobs() -> None:
    told: list[tuple[int, int]] = []
    sample(log_of_runs(3), 1, seed=1, progress=lambda done, total, name: told.append((done, total)))
    assert told == [(0, 1)]
