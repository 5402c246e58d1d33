"""The benchmark of mixed sizes runs, and measures what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.mixed_sizes import main


def test_it_prints_single_rows_alone_and_beside_large_requests(
    demo_models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(demo_models / "wine" / "1")
    main(["--model", model, "--rows", "300", "--seconds", "0.3", "--rounds", "2", "--connections", "2"])
    printed = capsys.readouterr().out
    rows = [re.split("  +", line) for line in printed.splitlines()]
    figures = {name: float(figure.removesuffix(" ms").replace(",", "")) for name, figure in rows}
    assert list(figures) == [
        "single rows alone, p50",
        "single rows alone, p99",
        "beside 300-row requests, p50",
        "beside 300-row requests, p99",
        "beside 300-row requests, longest",
        "p99 beside / p99 alone (limit 10)",
        "rows a second of the large requests",
    ]
    assert all(value > 0 for value in figures.values())
    assert figures["single rows alone, p50"] <= figures["single rows alone, p99"]


def test_a_folder_that_is_no_bundle_is_refused_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--model", "nowhere"])
    assert "make models" in capsys.readouterr().err
