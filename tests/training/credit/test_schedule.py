"""Which fault on which day."""

from __future__ import annotations

from training.credit.faults import FAULTS
from training.credit.schedule import DAYS, days


def test_each_fault_is_planted_once_and_the_first_day_is_clean() -> None:
    for seed in range(50):
        fortnight = days(seed)
        planted = [day.fault for day in fortnight if day.fault]
        assert [day.number for day in fortnight] == list(range(DAYS))
        assert fortnight[0].fault is None
        assert sorted(fault.name for fault in planted) == sorted(fault.name for fault in FAULTS)


def test_a_seed_has_one_order_and_seeds_differ() -> None:
    assert days(4) == days(4)
    assert len({tuple(day.fault for day in days(seed)) for seed in range(20)}) == 20
