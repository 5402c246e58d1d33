"""From a table to a bundle: checked first, exported exactly or the next best, and nothing half done."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scoring.bundle import Bundle, load_bundle
from tests.training.candidates.tables import HOSTILE, points, quantities
from training import BundleExists, ExportRefused, FitRefused, fit
from training.candidates import fitting
from training.candidates.comparison import Silent
from training.candidates.fitting import NothingExported
from training.command import main


class Remembered(Silent):
    """What was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


class Exporter:
    """Refuses the first candidates, then gives a bundle that is never looked into; remembers what it was given."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals, self.calls = refusals, list[tuple[tuple[Any, ...], dict[str, Any]]]()

    def __call__(self, *arguments: Any, **options: Any) -> Bundle:
        self.calls.append((arguments, options))
        if len(self.calls) <= self.refusals:
            raise ExportRefused("this step has no exact conversion.\nworst rows: …")
        return Bundle(folder=Path("models/m/1"), manifest=None, sha256="0" * 64)  # type: ignore[arg-type]


def small(table: pd.DataFrame, **options: Any) -> fitting.Result:
    return fit(table, "y", **{"name": "m", "folds": 3, "candidates": ["logistic", "logistic-polynomial"], **options})


def test_the_pick_is_exported_with_its_figures_and_reasons(tmp_path: Path) -> None:
    table = points().assign(flag=pd.array([True, False, None] * 40, dtype="boolean"))
    result = small(table, out=tmp_path, description="", units={"a": "m"})
    bundle = load_bundle(tmp_path / "m" / "1")
    assert result.bundle is not None
    manifest = bundle.manifest
    assert result.bundle.manifest == manifest
    assert [(one.name, one.type, one.unit) for one in manifest.features] == [
        ("a", "float", "m"), ("b", "float", None), ("flag", "boolean", None),
    ]  # fmt: skip
    assert manifest.features[2].missing_in_training > 0
    assert (manifest.target, manifest.positive, manifest.classes) == ("y", "yes", ["no", "yes"])
    assert result.comparison.selection.sentence in manifest.description
    accuracy = result.pick.figures["accuracy"]
    assert (manifest.metrics["accuracy"].value, manifest.metrics["accuracy"].n) == (accuracy.value, 30)


def test_a_boolean_without_gaps_hinders_no_candidate(tmp_path: Path) -> None:
    table = points().assign(flag=[True, False, False] * 40)
    result = small(table, out=tmp_path, candidates=["logistic"])
    assert result.pick.before == ()
    assert [one.type for one in load_bundle(tmp_path / "m" / "1").manifest.features] == ["float", "float", "boolean"]


def test_a_quantity_is_exported_too(tmp_path: Path) -> None:
    result = fit(quantities(), "y", name="q", out=tmp_path, folds=3, candidates=["ridge", "ridge-polynomial"])
    assert result.pick.judged.candidate.name == "ridge-polynomial"
    assert load_bundle(tmp_path / "q" / "1").manifest.task == "regression"


def test_a_version_that_is_taken_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "m" / "1").mkdir(parents=True)
    watch = Remembered()
    with pytest.raises(BundleExists, match="versions are never overwritten"):
        small(points(), out=tmp_path, watch=watch)
    assert watch.said == []
    with pytest.raises(ExportRefused, match="1 to 64 letters"):
        small(points(), name="../m", out=tmp_path)


def test_what_cannot_be_exported_is_said_and_the_next_best_taken(tmp_path: Path) -> None:
    watch, exporter = Remembered(), Exporter(refusals=1)
    result = small(points(), out=tmp_path, watch=watch, exporter=exporter)
    first, second = result.comparison.selection.ranked
    assert result.pick.judged is second
    refused = f"{first.candidate.title} cannot be exported: this step has no exact conversion."
    assert result.pick.before == (refused,)
    assert any(words.startswith(refused) and words.endswith("Next best:") for words in watch.said)
    assert "The best of those that can be exported" in exporter.calls[1][1]["description"]


def test_a_candidate_that_raises_on_a_test_row_gives_way_to_the_next(tmp_path: Path) -> None:
    test = points(seed=1)
    test.loc[0, "a"] = 1e200  # its square is infinite
    table = points(400).assign(y=lambda table: np.where(table["a"] * table["b"] > 0, "yes", "no"))
    result = small(table, test=test, export=False)
    assert result.comparison.selection.ranked[0].candidate.name == "logistic-polynomial"
    assert result.pick.judged.candidate.name == "logistic"
    assert "does not answer every test row" in result.pick.before[0]


def test_when_nothing_can_be_exported_the_comparison_is_not_lost(tmp_path: Path) -> None:
    with pytest.raises(NothingExported, match="no candidate can be exported: ") as caught:
        small(points(), out=tmp_path, exporter=Exporter(refusals=9))
    assert len(caught.value.result.comparison.found) == 3
    assert caught.value.result.bundle is None


def test_what_was_sampled_or_weighted_is_exported_with_the_rows_as_they_came(tmp_path: Path) -> None:
    exporter = Exporter()
    table = points(rare=0.08)
    result = small(table, out=tmp_path, candidates=["logistic-upsampling"], exporter=exporter)
    (pipeline, X_train, y_train, *_), options = exporter.calls[0]
    assert len(X_train) == len(y_train) == len(result.comparison.problem.train) == 90
    assert options["sample_weight"] is None
    plain = small(table, export=False, candidates=["logistic"]).pipeline
    assert pipeline[-1].intercept_[0] > plain[-1].intercept_[0] + 1, "it was fitted as if both were equally common"
    small(table, out=tmp_path, candidates=["logistic-importance"], exporter=exporter)
    weights = exporter.calls[1][1]["sample_weight"]
    assert weights.shape == (90,)
    assert len(np.unique(weights)) == 2


def test_what_did_not_converge_is_exported_with_that_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.candidates.models.ITERATIONS", 1)
    exporter = Exporter()
    result = small(points(), out=tmp_path, candidates=["logistic"], exporter=exporter)
    told = exporter.calls[0][1]["convergence"]
    assert any("failed to converge" in note for note in told)
    assert any(note.endswith("(in 3 of 3 folds)") for note in told)
    assert result.pick.convergence


class TestTheCommand:
    def run(self, folder: Path, *options: str, table: pd.DataFrame | None = None) -> int:
        data = folder / "data.csv"
        (points() if table is None else table).to_csv(data, index=False)
        common = ["--target", "y", "--name", "m", "--out", str(folder / "models"), "--folds", "3"]
        page = ["--comparison", str(folder / "page.html")]
        return main(["fit", str(data), *common, *page, "--candidates", "logistic,logistic-polynomial", *options])

    def test_writes_a_bundle_and_a_page_and_prints_plain_lines(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run(tmp_path, "--metric", "f1", "--version", "2", "--private") == 0
        manifest = json.loads((tmp_path / "models" / "m" / "2" / "manifest.json").read_bytes())
        assert manifest["data"]["source"] == "data.csv"
        assert not (tmp_path / "models" / "m" / "2" / "sample.parquet").exists()
        page = (tmp_path / "page.html").read_text(encoding="utf-8")
        assert "Logistic regression, polynomial" in page
        printed = capsys.readouterr().out
        assert "9 fits to compare candidates" in printed
        assert "'y' has 2 classes: no 50.0 %, yes 50.0 %" in printed
        assert "has the highest f1" in printed
        assert "\x1b" not in printed, "no colours where there is no terminal"

    def test_compares_only_when_told_so_and_reads_a_test_file(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        points(seed=1).to_csv(tmp_path / "test.csv", index=False)
        assert self.run(tmp_path, "--no-export", "--test", str(tmp_path / "test.csv")) == 0
        assert not (tmp_path / "models").exists()
        assert "120 test rows" in (tmp_path / "page.html").read_text(encoding="utf-8")

    def test_reads_codes_as_text_when_told_so(self, tmp_path: Path) -> None:
        table = points().assign(code=[f"0{i % 5}" for i in range(120)])
        points(seed=1).assign(code="09").to_csv(tmp_path / "test.csv", index=False)
        assert self.run(tmp_path, "--text", "code", "--test", str(tmp_path / "test.csv"), table=table) == 0
        code = load_bundle(tmp_path / "models" / "m" / "1").manifest.features[2]
        assert (code.type, code.categories) == ("string", ["00", "01", "02", "03", "04"])

    def test_shows_hostile_names_as_text(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        table = (
            points().rename(columns={"a": HOSTILE, "b": "[bold]\u202eb"}).replace({"y": {"yes": "\x1b[31m[red]yes"}})
        )
        assert self.run(tmp_path, "--no-export", table=table) == 0
        printed = capsys.readouterr().out
        assert "\x1b" not in printed
        assert "[red]yes" in printed

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--target", "z"], "error: the table has no column 'z'"),
            (["--name", "no spaces"], "error: name 'no spaces'"),
            (["--test", "nowhere.csv"], "nowhere.csv"),
            (["--candidates", "oracle"], "there is no 'oracle' here"),
            (["--comparison", "."], "is a folder; name a file"),
            (["--text", "zip"], "has no column 'zip'"),
        ],
        ids=["target", "name", "file", "candidate", "page", "text"],
    )
    def test_refuses_in_one_line_with_exit_code_1(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
    ) -> None:
        assert self.run(tmp_path, *options) == 1
        complaint = capsys.readouterr().err
        assert words in complaint
        assert complaint.count("\n") == 1
        assert not (tmp_path / "page.html").exists()

    def test_teaches_with_an_example(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="0"):
            main(["fit", "--help"])
        assert "python -m training fit credit.csv --target good --name credit" in capsys.readouterr().out

    def test_ends_on_ctrl_c_with_one_line_and_nothing_half_written(self, tmp_path: Path) -> None:
        points(4000).to_csv(tmp_path / "data.csv", index=False)
        command = [sys.executable, "-m", "training", "fit", str(tmp_path / "data.csv"), "--target", "y", "--name", "m"]
        places = ["--out", str(tmp_path / "models"), "--comparison", str(tmp_path / "page.html")]
        root = Path(__file__).parents[3]
        with subprocess.Popen(
            [*command, *places], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if "fits to compare" in line:
                    break
            process.send_signal(signal.SIGINT)
            _, complaint = process.communicate(timeout=60)
        assert process.returncode == 130
        assert complaint == "stopped by Ctrl-C; no unfinished bundle is left\n"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv"]


def test_fit_is_offered_by_the_package() -> None:
    assert fit is fitting.fit
    assert issubclass(NothingExported, FitRefused)


@pytest.mark.parametrize(("options", "told"), [([], True), (["--text", "post"], False), (["--drop", "post"], False)])
def test_codes_that_are_read_as_numbers_are_told(
    options: list[str], told: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = points().assign(post=["01067", "10115", "80331"] * 40, share=["0", "0.5", "1"] * 40)
    table.to_csv(tmp_path / "t.csv", index=False)
    page = str(tmp_path / "page.html")
    given = ["fit", str(tmp_path / "t.csv"), "--target", "y", "--name", "m", "--no-export", "--comparison", page]
    assert main([*given, "--candidates", "logistic", "--folds", "2", *options]) == 0
    said = capsys.readouterr().out
    assert ("'post' has leading zeros and is read as a number; --text keeps them" in said) is told
    assert "'share'" not in said
