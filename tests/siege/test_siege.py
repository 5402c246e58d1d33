"""Storage behind a line that loses, cuts, delays, repeats and refuses, and a host that is killed with -9 meanwhile:
what clients were told is what the log holds. `make siege` does it for as long as you like."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from audit.connect import open_stores
from audit.settings import from_environ
from audit.verify import verify
from infra.local.azurite import Azurite
from tests.siege.__main__ import main
from tests.siege.comparison import compare
from tests.siege.host_siege import Plan, besiege_host
from tests.siege.misfortunes import KINDS
from tests.siege.tables import tables

PLAN = Plan(seconds=7, seed=int(os.environ.get("SIEGE_SEED", "1")), trouble=0.2)


def test_a_host_under_siege_and_killed_keeps_every_promise(
    azurite_of_its_own: Azurite, demo_models: Path, tmp_path: Path
) -> None:
    siege = besiege_host(azurite_of_its_own, demo_models, tmp_path / "host", PLAN)
    log = open_stores(from_environ({"HYPERPLANE_STORAGE": azurite_of_its_own.connection_string})).log
    comparison = compare(log, siege.sent)
    print(tables(siege, comparison), f"\nseed {PLAN.seed}")
    assert siege.unexpected == []
    assert comparison.violations == []
    assert verify(log, now_s=time.time() + 1e6) == []
    assert comparison.logged["acknowledged"].total() > 2 * PLAN.clients
    assert comparison.logged.keys() - {"acknowledged"}, "the clients met no trouble"
    assert set(KINDS) <= siege.met.keys()
    assert siege.met.keys() - {*KINDS, "pass"}, "the line was too good"


@pytest.mark.parametrize(
    "given", [["--minutes", "0"], ["--minutes", "nan"], ["--clients", "0"], ["--trouble", "1"], ["--seed", "x"]]
)
def test_what_cannot_be_besieged_is_a_usage_error(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(given)
    assert ended.value.code == 2
    assert given[0] in capsys.readouterr().err


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "make siege MINUTES=3" in capsys.readouterr().out
