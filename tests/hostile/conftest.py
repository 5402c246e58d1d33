"""A platform of the folder's own, and one ledger: tens of thousands of records that would slow down others' tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.azurite import Azurite
from tests.hostile.ledger import Ledger
from tests.platform import Platform, running_platform


@pytest.fixture(scope="session")
def platform(azurite: Azurite, demo_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Another than `tests.conftest.platform`, with containers of its own."""
    with running_platform(azurite, demo_models, tmp_path_factory.mktemp("hostile"), "hostile") as running:
        yield running


@pytest.fixture(scope="session")
def ledger(platform: Platform) -> Iterator[Ledger]:
    noted = Ledger(platform)
    yield noted
    assert platform.client.get("/health").json() == {"status": "ok"}
