"""Everything at once: two writers, commits of all sizes, hours that pass or are sealed too early, a hostile line."""

from __future__ import annotations

import os
import time

from audit.reader import hours
from audit.verify import verify
from infra.local.azurite import Azurite
from tests.audit import second_verifier
from tests.siege.comparison import compare
from tests.siege.host_siege import Plan
from tests.siege.tables import tables
from tests.siege.writers_siege import besiege_writers

SECONDS = float(os.environ.get("SIEGE_SECONDS", "6"))
SEED = int(os.environ.get("SIEGE_SEED", "1"))


def test_two_writers_lose_nothing_double_nothing_and_their_logs_verify(azurite: Azurite) -> None:
    siege, log = besiege_writers(azurite, Plan(seconds=SECONDS, seed=SEED))
    comparison = compare(log, siege.sent)
    print(tables(siege, comparison))
    assert siege.unexpected == []
    assert comparison.violations == []
    handed_over = comparison.logged["handed over"]
    assert handed_over[1] > handed_over.total() / 2
    assert verify(log) == []
    assert second_verifier.check({info.name: log.read(info.name) for info in log.list()}, time.time()) == set()
    assert comparison.logged["acknowledged"].total() > 20 * SECONDS
    assert len(hours(log)) > SECONDS, "the hours did not pass"
