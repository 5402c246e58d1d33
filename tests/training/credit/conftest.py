"""The credit model, exported once, and one fortnight played with it in memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from audit.connect import Stores
from audit.memory_store import MemoryStore
from training.credit.check import DayResult, check_seed
from training.credit.model import export_credit

PER_DAY = 500  # at least: 425 scored, 340 labelled
SEED = 1


@dataclass(frozen=True)
class Fortnight:
    """What was written, and what the reports were worth."""

    stores: Stores
    results: list[DayResult]


@pytest.fixture(scope="session")
def credit_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the credit bundle."""
    folder = tmp_path_factory.mktemp("credit")
    export_credit(folder)
    return folder


@pytest.fixture(scope="session")
def fortnight(credit_models: Path) -> Fortnight:
    """Two weeks of `SEED`."""
    stores = Stores(MemoryStore(), MemoryStore())
    return Fortnight(stores, check_seed(credit_models, SEED, PER_DAY, stores))


@pytest.fixture(autouse=True)
def verdicts_are_announced_elsewhere() -> Iterator[None]:
    """A check silences the logger of verdicts in its process; other tests read it."""
    logger = logging.getLogger("hyperplane.evaluation")
    level = logger.level
    yield
    logger.setLevel(level)
