"""The benchmark of a large log runs on a small one, and measures what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from audit.memory_store import MemoryStore
from audit.reader import records
from audit.verify import verify_blobs
from bench.generated_log import write_log
from bench.measured_process import run
from bench.ten_million import STEPS, _Figures, main


def test_it_prints_times_and_memory_and_the_log_is_used_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = [word for step in ("index", "find", "records") for word in ("--only", step)]
    main(["--records", "20000", "--keep", str(tmp_path), "--lookups", "4", *steps])
    printed = dict(re.split("  +", line, maxsplit=1) for line in capsys.readouterr().out.splitlines() if "  " in line)
    assert printed["records"] == "20,000"
    assert json.loads((tmp_path / "written.json").read_text())["records"] == 20_000
    for row in ("index, built", "every record read"):
        figures = re.fullmatch(r"([\d.]+) s, ([\d.]+) s of CPU, (\d+) MB", printed[row])
        assert figures
        seconds, cpu_s, megabytes = figures.groups()
        assert 0 < float(cpu_s) < 2 * float(seconds)
        assert 20 < int(megabytes) < 500
    for row in ("a client's id", "a UUID of ours", "an id that is not there"):
        assert 0 < int(printed[f"find {row}, median"].removesuffix(" ms")) <= 60_000
        assert f"find {row}, worst of 4" in printed


def test_every_step_is_one_that_can_be_taken() -> None:
    assert all(callable(getattr(_Figures, step)) for step in STEPS)


def test_the_log_that_it_writes_verifies_and_holds_what_it_says() -> None:
    store = MemoryStore()
    written = write_log(store, 3_001)
    found = [record for record, _ in records(store)]
    assert len(found) == written.records == 3_001
    assert verify_blobs(store) == []
    assert {record.kind for record in found} == {"score", "label"}
    assert {record.outcome for record in found} == {"scored", "abstained", "failed", "recorded"}
    assert {*written.client_ids, *written.uuids} <= {record.id for record in found}
    assert len({info.name[:20] for info in store.list()}) == 24


def test_a_process_is_measured_alone_whatever_the_one_holds_that_starts_it() -> None:
    held = bytearray(200_000_000)
    small = run("timeit", "-n1", "-r1", "pass", environ={})
    large = run("timeit", "-n1", "-r1", "bytearray(300_000_000).count(1)", environ={})
    assert len(held) == 200_000_000
    assert (small.code, large.code) == (0, 0)
    assert 5e6 < small.peak_bytes < 100e6
    assert 300e6 < large.peak_bytes < 400e6
    assert large.cpu_s > small.cpu_s > 0


def test_a_process_that_fails_is_told_with_its_code_and_its_output() -> None:
    failed = run("json.tool", "nowhere.json", environ={})
    assert failed.code != 0
    spoken = run("json.tool", environ={}, given='{"a":1}')
    assert (spoken.code, spoken.output.split()) == (0, ["{", '"a":', "1", "}"])


def test_too_few_records_are_refused_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--records", "10"])
    assert "at least 10000" in capsys.readouterr().err
