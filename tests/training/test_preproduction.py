"""Test rows become the report that production will make: the same code, the same figures, the same page."""

from __future__ import annotations

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline

from audit.memory_store import MemoryStore
from evaluation.report_format import Figure, Report, decode_report, encode_report
from evaluation.report_store import write_report
from evaluation.schema import report_schema
from scoring.bundle import Bundle, Criteria, Requirements, load_bundle
from tests.training.problems import NOON, Problem, fitted_logistic, numbers, people
from training import ReportRefused, preproduction_report
from training.bundle_writer import write_bundle
from training.command import main
from training.demo import DEMOS
from training.instances import json_body, read_rows
from training.preproduction import PreproductionReport

EXACT = 1e-12
HOSTILE = "<script>alert('x')</script>\u202e\x1b[31m"


def altered(bundle: Bundle, out: Path, **changes: Any) -> Bundle:
    """The same bundle with other words in its manifest."""
    files = {name: (bundle.folder / name).read_bytes() for name in bundle.manifest.files}
    return write_bundle(out, msgspec.structs.replace(bundle.manifest, **changes), files)


def report_on(bundle: Bundle | Path, X: Any, y: Any, **options: Any) -> PreproductionReport:
    options.setdefault("clock", lambda: NOON)
    made = preproduction_report(bundle, X, y, **options)
    jsonschema.validate(msgspec.json.decode(encode_report(made.report)), report_schema())
    return made


def figures(report: Report) -> dict[str, Figure]:
    """Every figure of the champion, those by class too."""
    performance = report.performance
    by_class = [one for group in performance.classes for one in group.figures]
    return {one.name: one for one in [*performance.figures, *by_class]}


class Text(HTMLParser):
    """What a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = 0
        self.feed(page)
        self.text = " ".join("".join(self.pieces).split()).replace("\u00a0", " ")

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._hidden += tag in ("style", "title", "desc")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title", "desc")
        self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        self.pieces.append("" if self._hidden else data)


@pytest.fixture(scope="module")
def credit(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Problem]:
    """A classifier of people with gaps in one column, a whole number and a boolean."""
    problem = people(rows=300)
    pipeline = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=5000)).fit(problem.X_train, problem.y_train)
    bundle = problem.export(
        pipeline, tmp_path_factory.mktemp("models"), name="credit", positive="good", p99_ms=2000.0, cold_start_ms=1000.0
    )
    return bundle, problem


@pytest.mark.parametrize("name", DEMOS)
def test_every_figure_is_the_exports_when_nothing_abstains(name: str, demo_models: Path, tmp_path: Path) -> None:
    _, X, _, y = DEMOS[name]().split()
    original = load_bundle(demo_models / name / "1")
    features = [
        msgspec.structs.replace(feature, outside="flag", missing="impute") for feature in original.manifest.features
    ]
    bundle = altered(original, tmp_path, criteria=Criteria(), features=features)
    report = report_on(bundle, X, y).report
    assert report.coverage.counts.scored == report.coverage.counts.calls == len(X)
    found = figures(report)
    assert found.keys() == bundle.manifest.metrics.keys()
    for figure, before in bundle.manifest.metrics.items():
        assert found[figure].value == pytest.approx(before.value, rel=0, abs=EXACT), figure
        assert (found[figure].before, found[figure].n) == (before.value, before.n), figure
        assert found[figure].low == (None if before.low is None else pytest.approx(before.low, abs=1e-9)), figure
    assert not any("were scored" in note for note in report.performance.notes)


def test_figures_are_over_the_scored_rows_alone_when_some_abstain(
    credit: tuple[Bundle, Problem], tmp_path: Path
) -> None:
    bundle, problem = credit
    careful = altered(bundle, tmp_path, criteria=Criteria(minimum_probability=0.8))
    made = report_on(careful, problem.X_test, problem.y_test)
    kept = json.loads(encode_report(report_on(bundle, problem.X_test, problem.y_test).report))
    counts = made.report.coverage.counts
    assert 0 < counts.scored < counts.calls == len(problem.X_test)
    assert {reason.name for reason in made.report.coverage.reasons} == {"low_confidence"}
    accuracy = figures(made.report)["accuracy"]
    pipeline = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=5000)).fit(problem.X_train, problem.y_train)
    sure = pipeline.predict_proba(problem.X_test).max(axis=1) >= 0.8
    assert accuracy.n == counts.scored == sure.sum()
    by_hand = accuracy_score(problem.y_test[sure], pipeline.predict(problem.X_test)[sure])
    assert accuracy.value == pytest.approx(by_hand, abs=EXACT)
    assert accuracy.before == bundle.manifest.metrics["accuracy"].value != accuracy.value
    note = f"{counts.scored} of {counts.calls} rows were scored, and the figures are over these alone"
    assert note in made.report.performance.notes[0]
    assert note in Text(made.html).text
    assert kept["performance"]["figures"][0]["n"] == counts.calls, "the criterion alone makes the difference"


def test_the_page_says_at_its_top_what_it_was_made_of(credit: tuple[Bundle, Problem]) -> None:
    bundle, problem = credit
    made = report_on(bundle, problem.X_test, problem.y_test)
    text = Text(made.html).text
    top = text[: text.index("Coverage in detail")]
    assert "Preproduction report" in top
    assert "Made from 100 test rows, not from production traffic" in top
    assert "Drift means test rows against training rows" in top
    assert "Run times are those of the machine that made this report" in top
    for word in ("Production report", "before production", "Provisional", "Throughput", "Busiest hour", "Made from 1 "):
        assert word not in text, word
    assert (made.report.occasion, made.report.provisional) == ("preproduction", False)
    assert made.report.id == "preproduction-20261123T120001Z"


def test_run_times_are_measured_and_what_only_production_has_is_not_judged(credit: tuple[Bundle, Problem]) -> None:
    bundle, problem = credit
    profiling = report_on(bundle, problem.X_test, problem.y_test).report.profiling
    assert [stage.name for stage in profiling.stages] == ["total", "decode", "judge", "infer", "encode"]
    assert all(stage.max_ms and stage.max_ms > 0 for stage in profiling.stages if stage.name in ("total", "infer"))
    assert sum(sizes.requests for sizes in profiling.batch_sizes) == profiling.requests > 1
    assert (profiling.batch_max or 0) <= 100
    assert (profiling.cold_starts, profiling.instances_per_s, profiling.busiest_hour) == (0, None, None)
    checks = {check.name: check for check in profiling.requirements}
    assert checks["p99_ms"].level == "ok"
    assert checks["cold_start_ms"].level == "no data"
    assert "can be measured in production only" in checks["cold_start_ms"].sentence


def test_a_declared_run_time_that_is_missed_alerts(credit: tuple[Bundle, Problem], tmp_path: Path) -> None:
    bundle, problem = credit
    hurried = altered(bundle, tmp_path, requirements=Requirements(p99_ms=0.001))
    assert report_on(hurried, problem.X_test, problem.y_test).report.profiling.verdict.level == "alert"


def test_drift_compares_test_rows_with_training_rows(credit: tuple[Bundle, Problem]) -> None:
    bundle, problem = credit
    rows = pd.concat([problem.X_test] * 5, ignore_index=True)
    truth = np.tile(np.asarray(problem.y_test), 5)
    report = report_on(bundle, rows, truth).report
    assert (report.drift.n, report.drift.baseline_rows) == (500, 200)
    moved = report_on(bundle, rows.assign(income=rows["income"] + 15_000), truth).report
    assert moved.drift.verdict.level == "alert"
    assert moved.drift.features[0].name == "income"
    assert all(name.startswith("test-000") for name in moved.drift.features[0].examples)
    assert moved.drift.features[0].examples


def test_everything_but_the_run_times_is_the_same_each_time(credit: tuple[Bundle, Problem]) -> None:
    bundle, problem = credit
    first, second = (
        msgspec.json.decode(encode_report(report_on(bundle, problem.X_test, problem.y_test).report)) for _ in range(2)
    )
    for report in (first, second):
        del report["profiling"]
    assert first == second


@pytest.mark.parametrize("clock", [NOON, NOON + 3599.999_999, NOON - 0.5])
def test_the_hour_may_begin_or_end_at_any_moment(credit: tuple[Bundle, Problem], clock: float) -> None:
    bundle, problem = credit
    report = report_on(bundle, problem.X_test, problem.y_test, clock=lambda: clock).report
    assert report.coverage.counts.calls == report.performance.labels.labelled == len(problem.X_test)
    assert report.coverage.reconciliation.agrees
    assert not report.provisional


def test_rows_that_do_not_fit_are_judged_as_in_production(credit: tuple[Bundle, Problem]) -> None:
    bundle, problem = credit
    rows = problem.X_test.astype(object).reset_index(drop=True)
    rows.loc[0, "income"] = "a lot"
    rows.loc[1, "age in years"] = None
    rows.loc[2, "owner"] = 1
    rows.loc[3, "income"] = np.inf
    rows.loc[4, "income"] = HOSTILE
    made = report_on(bundle, rows, problem.y_test)
    assert {(one.name, one.count, one.of) for one in made.report.coverage.reasons} == {
        ("wrong_type", 3, "rejected"),
        ("not_finite", 1, "rejected"),
        ("missing_required", 1, "abstained"),
    }
    assert made.report.coverage.counts.scored == len(rows) - 5
    assert "<script>" not in made.html


def test_columns_that_are_no_features_are_named(credit: tuple[Bundle, Problem], tmp_path: Path) -> None:
    bundle, problem = credit
    rows = problem.X_test.drop(columns="owner").assign(**{HOSTILE: 1})
    made = report_on(bundle, rows, problem.y_test)
    assert made.report.coverage.counts.scored == 0
    assert made.report.coverage.verdict.level == "alert"
    assert any("does not know" in note and "It rejects" in note for note in made.report.notes)
    assert any("no column of: 'owner'" in note for note in made.report.notes)
    assert "no prediction to hold against the truth" in Text(made.html).text
    assert "<script>" not in made.html
    lenient = altered(bundle, tmp_path, criteria=Criteria(extra_features="ignore"))
    report = report_on(lenient, problem.X_test.assign(row=range(len(rows))), problem.y_test).report
    assert report.coverage.counts.scored == len(rows)
    assert any("It ignores" in note for note in report.notes)


def test_rows_without_a_truth_are_scored_and_have_no_part_in_performance(credit: tuple[Bundle, Problem]) -> None:
    bundle, problem = credit
    truth = problem.y_test.astype(object).reset_index(drop=True)
    truth[:30] = None
    truth[30:35] = "neither"
    arrival = report_on(bundle, problem.X_test, truth).report.performance.labels
    assert (arrival.scored, arrival.labelled, arrival.rejected) == (100, 65, 5)


def test_arrays_and_folders_will_do(toy: Bundle, tmp_path: Path) -> None:
    problem = numbers()
    made = report_on(altered(toy, tmp_path).folder, problem.X_test, problem.y_test)
    assert figures(made.report)["accuracy"].value == toy.manifest.metrics["accuracy"].value
    by_place = report_on(toy, problem.X_test.astype(np.float32), problem.y_test.reshape(-1, 1))
    assert by_place.report.coverage.counts.scored == len(problem.X_test)


def test_a_version_can_be_looked_at_beside_the_one_that_serves(toy: Bundle, tmp_path: Path) -> None:
    problem = numbers()
    for version in ("1", "2"):
        altered(toy, tmp_path, version=version)
    (tmp_path / "serving.toml").write_text('[models.model]\nchampion = "2"\n')
    report = report_on(tmp_path / "model" / "1", problem.X_test, problem.y_test).report
    assert (report.model.version, report.coverage.counts.scored) == ("1", len(problem.X_test))
    assert [version.version for version in report.coverage.versions] == ["1"]


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.empty((0, 4)), [], "there are no test rows"),
        (np.ones((3, 2)), [0, 1, 0], "rows × 4 features, in the order 'x0', 'x1', 'x2', 'x3'"),
        (np.ones(4), [0], "has shape"),
        (np.ones((3, 4)), [0, 1], "for 3 test rows"),
        (np.ones((3, 4)), [[0, 1]] * 3, "must hold one value a row"),
        (np.ones((3, 4)), [None] * 3, "missing in every row"),
        (np.ones((3, 4)), ["yes", "no", "no"], "which the model answers with; y_test holds 'yes', 'no'"),
        (pd.DataFrame(np.ones((3, 2)), columns=["a", "a"]), [0, 1, 0], "columns named twice: 'a'"),
    ],
)
def test_what_no_report_can_be_made_of_is_refused(X: Any, y: Any, message: str, toy: Bundle) -> None:
    with pytest.raises(ReportRefused, match=message.replace("(", r"\(").replace("?", r"\?")):
        preproduction_report(toy, X, y)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    problem = numbers()
    return problem.export(fitted_logistic(problem), tmp_path_factory.mktemp("models"))


def test_a_bundle_that_production_would_refuse_has_no_report(toy: Bundle, tmp_path: Path) -> None:
    broken = altered(toy, tmp_path, input="no such input")
    with pytest.raises(ReportRefused, match="cannot be served"):
        preproduction_report(broken, np.ones((3, 4)), [0, 1, 0])


def test_cells_become_what_a_client_would_send(toy: Bundle) -> None:
    table = pd.DataFrame(
        {
            "city": pd.Series(["Köln", None, HOSTILE], dtype="category"),
            "member": pd.Series([True, None, False], dtype="boolean"),
            "count": pd.Series([1, None, 3], dtype="Int64"),
            "ratio": [0.1 + 0.2, np.nan, -np.inf],
            "day": pd.to_datetime(pd.Series(["2026-11-24", None, "2026-11-25"])),
            7: [np.int64(1), np.float32(0.5), b"x"],
        }
    )
    assert json_body({"a": np.longdouble(1.5)}) == b'{"a": 1.5}'
    sent = [json.loads(json_body(instance)) for instance in read_rows(table, [0, 1, 0], toy.manifest).instances()]
    assert sent == [
        {"city": "Köln", "member": True, "count": 1, "ratio": 0.1 + 0.2, "day": "2026-11-24 00:00:00", "7": 1},
        {"city": None, "member": None, "count": None, "ratio": None, "day": None, "7": 0.5},
        {"city": HOSTILE, "member": False, "count": 3, "ratio": -np.inf, "day": "2026-11-25 00:00:00", "7": "b'x'"},
    ]


def test_a_report_from_before_production_is_never_stored_among_those_on_the_log(toy: Bundle) -> None:
    problem = numbers()
    made = report_on(toy, problem.X_test, problem.y_test)
    derived = MemoryStore()
    with pytest.raises(ValueError, match="before production"):
        write_report(derived, made.report, made.html)
    assert list(derived.list()) == []


def test_a_report_json_written_before_there_were_occasions_is_one_on_production(toy: Bundle) -> None:
    problem = numbers()
    document = msgspec.json.decode(encode_report(report_on(toy, problem.X_test, problem.y_test).report))
    del document["occasion"], document["model"]["not_converged"]
    old = decode_report(msgspec.json.encode(document))
    assert (old.occasion, old.model.not_converged) == ("production", "flag")


def written(folder: Path, problem: Problem) -> Path:
    path = folder / "test.csv"
    problem.X_test.assign(credit=problem.y_test).to_csv(path, index=False)
    return path


def test_the_command_writes_page_and_json_and_says_what_they_come_to(
    credit: tuple[Bundle, Problem], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, problem = credit
    page, document = tmp_path / "new" / "report.html", tmp_path / "report.json"
    code = main([
        "report", "credit/1", "--models", str(bundle.folder.parent.parent), "--test", str(written(tmp_path, problem)),
        "--target", "credit", "--out", str(page), "--json", str(document),
    ])  # fmt: skip
    told = capsys.readouterr()
    report = decode_report(document.read_bytes())
    assert code == (1 if report.verdict.level == "alert" else 0)
    assert "credit 1, before production: 100 test rows" in told.out
    assert "scoring test rows" not in told.err, "no bar without a terminal"
    assert "Preproduction report" in page.read_text(encoding="utf-8")
    in_memory = report_on(bundle, problem.X_test, problem.y_test).report
    assert figures(report).keys() == figures(in_memory).keys()
    assert all(figures(report)[name].value == one.value for name, one in figures(in_memory).items())
    assert report.coverage.counts == in_memory.coverage.counts


def test_cells_of_a_file_are_read_as_the_manifest_describes_their_column(
    credit: tuple[Bundle, Problem], tmp_path: Path
) -> None:
    from training.report_command import read_test_rows

    bundle, _ = credit
    text = msgspec.structs.replace(bundle.manifest.features[0], name="code", type="string", categories=["007"])
    manifest = msgspec.structs.replace(bundle.manifest, features=[*bundle.manifest.features, text])
    path = tmp_path / "rows.csv"
    path.write_text("income,age in years,owner,code,credit\n0.1,41,true,007,1\nN/A,,false,,\n1e3,NA,,NA,good\n")
    rows = read_rows(table := read_test_rows(path, "credit", manifest), table.pop("credit"), manifest)
    assert list(rows.instances()) == [
        {"income": 0.1, "age in years": 41.0, "owner": True, "code": "007"},
        {"income": "N/A", "age in years": None, "owner": False, "code": None},
        {"income": 1000.0, "age in years": "NA", "owner": None, "code": "NA"},
    ]
    assert rows.truth == ["1", None, "good"]


@pytest.mark.parametrize(
    ("model", "content", "message"),
    [
        ("debit", "a,credit\n1,good\n", "no bundle of a model 'debit' in {models}; there is: credit"),
        ("credit/9", "a,credit\n1,good\n", "model credit has no version '9' in {models}; it has 1"),
        ("credit", "a,b\n1,2\n", "has no column 'credit', which --target names; its columns are a, b"),
        ("credit", "a,credit\n", "has a header and no rows"),
        ("credit", "", "is not a CSV file with a header"),
        ("credit", None, "No such file"),
    ],
)
def test_the_command_says_what_is_wrong_and_what_there_is(
    model: str,
    content: str | None,
    message: str,
    credit: tuple[Bundle, Problem],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    models = credit[0].folder.parent.parent
    path = tmp_path / "test.csv"
    if content is not None:
        path.write_text(content)
    out = tmp_path / "report.html"
    options = ["--models", str(models), "--test", str(path), "--target", "credit", "--out", str(out)]
    assert main(["report", model, *options]) == 1
    assert message.format(models=models) in capsys.readouterr().err
    assert not out.exists()


def test_a_column_that_is_no_feature_can_be_dropped(
    credit: tuple[Bundle, Problem], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, problem = credit
    path, document = written(tmp_path, problem), tmp_path / "report.json"
    pd.read_csv(path).assign(row=range(100)).to_csv(path, index=False)
    options = ["--models", str(bundle.folder.parent.parent), "--test", str(path), "--target", "credit"]
    assert main(["report", "credit", *options, "--json", str(document)]) == 1
    assert "does not know: 'row'" in " ".join(capsys.readouterr().err.split())
    main(["report", "credit", *options, "--json", str(document), "--drop", "row"])
    assert decode_report(document.read_bytes()).coverage.counts.scored == 100


def test_the_help_of_the_command_answers_without_pandas() -> None:
    code = (
        "import sys\nfrom training.command import main\ntry:\n main(['report', '--help'])\nexcept SystemExit:\n pass\n"
    )
    code += "assert not {'sklearn', 'pandas', 'onnx', 'skl2onnx'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "python -m training report credit/3" in done.stdout


def test_many_rows_tell_their_progress(toy: Bundle) -> None:
    seen: list[tuple[int, int]] = []
    X = np.random.default_rng(5).normal(size=(3000, 4)) * [1.0, 10.0, 0.1, 3.0] + [0.0, 50.0, 1.0, -3.0]
    report = report_on(
        toy, X, (X[:, 0] > 0).astype(int), progress=lambda done, total, _: seen.append((done, total))
    ).report
    assert report.coverage.counts.calls == report.performance.labels.labels == 3000
    assert seen[0] == (0, 3000)
    assert seen == sorted(seen)
    assert len(seen) == report.profiling.requests > 50


def test_a_policy_on_missing_values_is_seen_before_production(credit: tuple[Bundle, Problem], tmp_path: Path) -> None:
    bundle, problem = credit
    features = [msgspec.structs.replace(feature, missing="reject") for feature in bundle.manifest.features]
    gaps = int(problem.X_test["income"].isna().sum())
    report = report_on(altered(bundle, tmp_path, features=features), problem.X_test, problem.y_test).report
    assert report.coverage.counts.rejected == gaps > 0
    assert [(one.name, one.count) for one in report.coverage.reasons] == [("missing_feature", gaps)]


def test_a_model_that_hashes_a_feature_is_reported_on_without_a_key_of_production(tmp_path: Path) -> None:
    problem = numbers()
    bundle = problem.export(fitted_logistic(problem), tmp_path, policies={"x0": {"redaction": "hash"}})
    report = report_on(bundle, problem.X_test, problem.y_test).report
    hidden = next(feature for feature in report.drift.features if feature.name == "x0")
    assert (hidden.level, hidden.redacted) == ("no data", report.coverage.counts.calls)
    assert report.coverage.counts.scored == len(problem.X_test)
