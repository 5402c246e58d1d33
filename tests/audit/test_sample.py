"""A sample is uniform, the same for one seed however the log is written, and says of how many it was drawn."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.browse import Filter
from audit.memory_store import MemoryStore
from audit.records import Record, encode_record
from audit.sample import Sampled, lot, sample
from audit.store import Store
from tests.audit.examples import HOUR, NOON_S, Clock, appender, copy_with, log_of, only_name, score

EVERYTHING = Filter()


def ids(drawn: Sampled) -> list[str]:
    return [record.id for record, _ in drawn.records]


def hours_log(*hours: list[Record], close: bool = True) -> MemoryStore:
    """A log with a blob for each hour, from noon on."""
    store = MemoryStore()
    for number, found in enumerate(hours):
        writer = appender(store, writer=f"w{number}", clock=Clock(NOON_S + 3600 * number))
        writer.append([encode_record(record) for record in found])
        if close:
            writer.leave()
    return store


@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.integers(0, 20), st.integers(-(2**70), 2**70))
def test_it_draws_n_different_records_or_all_if_there_are_fewer(counts: list[int], n: int, seed: int) -> None:
    names = [[f"{hour}-{number}" for number in range(count)] for hour, count in enumerate(counts)]
    store = hours_log(*[[score(name, at_s=NOON_S + 3600 * hour) for name in of] for hour, of in enumerate(names) if of])
    drawn = sample(store, EVERYTHING, n, seed)
    assert len(set(ids(drawn))) == len(ids(drawn)) == min(n, sum(counts))
    assert set(ids(drawn)) <= {name for of in names for name in of}
    assert drawn.matched == drawn.survey.looked_at == sum(counts)
    assert [record.ts for record, _ in drawn.records] == sorted((r.ts for r, _ in drawn.records), reverse=True)


@given(st.integers(0, 2**40), st.integers(0, 8), st.integers(0, 8))
def test_of_two_sizes_with_one_seed_the_smaller_sample_is_in_the_larger(seed: int, one: int, other: int) -> None:
    store = log_of([str(number) for number in range(9)])
    small, large = (set(ids(sample(store, EVERYTHING, n, seed))) for n in sorted((one, other)))
    assert small <= large


def test_over_many_seeds_every_record_and_every_pair_is_drawn_as_often_as_any_other() -> None:
    count, n, seeds = 12, 3, 2_000
    store = log_of([str(number) for number in range(count)])
    singles: Counter[str] = Counter()
    pairs: Counter[tuple[str, ...]] = Counter()
    for seed in range(seeds):
        found = sorted(ids(sample(store, EVERYTHING, n, seed)))
        singles.update(found)
        pairs.update((a, b) for place, a in enumerate(found) for b in found[place + 1 :])
    for counter, share in ((singles, n / count), (pairs, n * (n - 1) / (count * (count - 1)))):
        expected, deviation = seeds * share, math.sqrt(seeds * share * (1 - share))
        assert len(counter) == math.comb(count, 1 if counter is singles else 2)
        assert all(abs(seen - expected) < 5 * deviation for seen in counter.values()), counter


def test_records_that_come_later_push_others_out_and_change_nothing_else() -> None:
    early = [score(f"early-{number}") for number in range(40)]
    late = [score(f"late-{number}", at_s=NOON_S + 3600) for number in range(40)]
    before, after = (
        set(ids(sample(hours_log(early), EVERYTHING, 20, 7))),
        set(ids(sample(hours_log(early, late), EVERYTHING, 20, 7))),
    )
    assert {name for name in after if name.startswith("early")} <= before
    assert any(name.startswith("late") for name in after)


def test_another_seed_draws_others() -> None:
    store = log_of([str(number) for number in range(100)])
    assert len({tuple(ids(sample(store, EVERYTHING, 5, seed))) for seed in range(50)}) == 50


def test_only_what_matches_is_drawn_and_counted() -> None:
    mixed = [score(f"s{number}") for number in range(10)]
    mixed += [score(f"a{number}", outcome="abstained", reasons=["low_confidence"]) for number in range(4)]
    drawn = sample(hours_log(mixed), Filter(outcome="abstained", reason="low_confidence"), 3, 1)
    assert all(name.startswith("a") for name in ids(drawn))
    assert (len(drawn.records), drawn.matched, drawn.survey.looked_at) == (3, 4, 14)


def test_anybody_can_draw_it_again_from_seed_and_places_alone() -> None:
    store = log_of([str(number) for number in range(30)], [str(number) for number in range(30, 50)])
    everything = sample(store, EVERYTHING, 50, 3).records
    by_hand = sorted(everything, key=lambda pair: lot(3, pair[1]))[:10]
    assert {position for _, position in sample(store, EVERYTHING, 10, 3).records} == {place for _, place in by_hand}


def test_it_says_whether_more_may_come_and_what_does_not_verify() -> None:
    whole = log_of(["a", "b"], ["c"])
    assert not sample(whole, EVERYTHING, 5, 1).survey.provisional
    assert sample(log_of(["a"], close=False), EVERYTHING, 5, 1).survey.provisional
    name = only_name(whole)
    broken = copy_with(whole, {name: whole.read(name).replace(b'"id":"c"', b'"id":"d"')})
    drawn = sample(broken, EVERYTHING, 5, 1)
    assert sorted(ids(drawn)) == ["a", "b"]
    (finding,) = drawn.survey.findings
    assert finding.startswith(f"{name}: at offset")


def test_when_time_is_up_it_is_a_sample_of_the_whole_hours_before() -> None:
    store = hours_log([score("old")], [score("new", at_s=NOON_S + 3600)])
    frames = iter([False, False, False, True, True, True])  # the newest hour's three frames, then no more
    drawn = sample(store, EVERYTHING, 5, 1, time_is_up=lambda: next(frames))
    assert ids(drawn) == ["new"]
    assert (drawn.survey.hours, drawn.survey.hours_left, drawn.matched) == (["2026/11/23/13"], 1, 1)


def test_a_blob_that_is_gone_since_it_was_listed_is_told_of() -> None:
    class Gone(MemoryStore):
        def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
            self.delete(name)
            return super().read(name, start, length)

    store = Gone()
    store.create(f"log/v1/{HOUR}/w-0.jsonl")
    (finding,) = sample(store, EVERYTHING, 1, 1).survey.findings
    assert "not there any more" in finding


@pytest.mark.parametrize("n", [0, 3])
def test_an_empty_log_gives_an_empty_sample(n: int) -> None:
    store: Store = MemoryStore()
    drawn = sample(store, EVERYTHING, n, 1)
    assert (drawn.records, drawn.matched, drawn.survey.provisional) == ([], 0, False)


def test_what_is_kept_of_a_record_may_be_less() -> None:
    drawn = sample(log_of(["a"]), EVERYTHING, 1, 1, kept=lambda record: score(record.id, x=None))
    assert [record.x for record, _ in drawn.records] == [None]
