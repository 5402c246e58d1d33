"""Fixtures for every package: real storage, started once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.azurite import Azurite


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Azurite for the whole session: use container names of your own, and leave it running."""
    with Azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.fixture
def azurite_of_its_own(tmp_path: Path) -> Iterator[Azurite]:
    """Azurite for one test that stops and starts it."""
    with Azurite(tmp_path / "azurite") as running:
        yield running
