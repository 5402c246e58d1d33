"""The benchmark of a large log runs on a small one, and measures what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from audit.memory_store import MemoryStore
from audit.reader import records
from audit.verify import verify
from bench.generated_log import write_log
from bench.measured_process import run
from bench.ten_million import main


def test_it_prints_times_and_memory_and_the_log_is_used_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--records", "20000", "--keep", str(tmp_path)])
    printed = dict(re.split("  +", line, maxsplit=1) for line in capsys.readouterr().out.splitlines() if "  " in line)
    assert printed["records"] == "20,000"
    assert json.loads((tmp_path / "written.json").read_text())["records"] == 20_000
    for row in ("index, built", "every record read", "labels' ids known, without"):
        seconds, megabytes = re.fullmatch(r"([\d.]+) s, (\d+) MB", printed[row]).groups()  # type: ignore[union-attr]
        assert float(seconds) > 0
        assert 20 < int(megabytes) < 500
    for row in ("a client's id", "a UUID of ours", "an id that is not there"):
        assert int(printed[f"find {row}, median"].removesuffix(" ms")) > 0


def test_the_log_that_it_writes_verifies_and_holds_what_it_says() -> None:
    store = MemoryStore()
    written = write_log(store, 3_001)
    found = [record for record, _ in records(store)]
    assert len(found) == written.records == 3_001
    assert verify(store) == []
    assert {record.kind for record in found} == {"score", "label"}
    assert {record.outcome for record in found} == {"scored", "abstained", "recorded"}
    assert {*written.client_ids, *written.uuids} <= {record.id for record in found}
    assert len({info.name[:20] for info in store.list()}) == 24


def test_a_process_is_measured_alone() -> None:
    small = run("bench.log_readings", environ={}, given="")
    assert small.code != 0
    large = run("timeit", "-n1", "-r1", "bytes(300_000_000).count(1)", environ={})
    assert large.code == 0
    assert 250e6 < large.peak_bytes < 600e6
    assert small.peak_bytes < 200e6


def test_too_few_records_are_refused_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--records", "10"])
    assert "at least 10000" in capsys.readouterr().err
