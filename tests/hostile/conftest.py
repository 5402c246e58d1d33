"""One ledger for the whole folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hostile.ledger import Ledger
from tests.platform import Platform


@pytest.fixture(scope="session")
def ledger(platform: Platform) -> Iterator[Ledger]:
    noted = Ledger(platform)
    yield noted
    assert platform.client.get("/health").json() == {"status": "ok"}
