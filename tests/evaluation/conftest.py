from __future__ import annotations

from pathlib import Path

import pytest

from audit.memory_store import MemoryStore
from tests.evaluation.workshop import Log


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def derived() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"
