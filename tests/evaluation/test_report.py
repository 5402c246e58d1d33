"""From records to report: every figure against scikit-learn and a count by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from audit.memory_store import MemoryStore
from audit.notes import Note, note_record
from audit.reader import records
from audit.records import Record, timestamp, unix_s
from evaluation.hourly import backfill, make_report, store_report
from evaluation.references import References
from evaluation.report_format import Figure, Report, decode_report, encode_report
from evaluation.report_store import read_report_json
from evaluation.schema import report_schema
from evaluation.thresholds import Thresholds
from evaluation.verdicts import judged
from evaluation.windows import custom_window, day_window, hour_window
from scoring.bundle import Metric, Requirements, Task, class_key
from tests.evaluation.workshop import CLASSES, HOUR, NOON, Log, answer, label, make_bundle, request_error, score

EXACT = 1e-12
DAY = day_window(NOON)


def report_of(log: Log, models: Path, derived: MemoryStore | None = None, as_of: float = NOON + 11 * HOUR) -> Report:
    report = make_report(log.store, derived or MemoryStore(), References(models), "toy", DAY, timestamp(as_of))
    jsonschema.validate(msgspec.json.decode(encode_report(report)), report_schema())
    return report


def busy_day(log: Log, task: Task, bundle: str, n: int = 400, seed: int = 1) -> list[Record]:
    """Instances of all outcomes over four hours, ids used twice, most labelled, some labels corrected or rejected."""
    draw = np.random.default_rng(seed)
    made: list[Record] = []
    for number in range(n):
        at_s = NOON + number * 4 * HOUR / n
        outcome = str(draw.choice(["scored", "abstained", "rejected", "failed"], p=[0.8, 0.1, 0.07, 0.03]))
        flags: dict[str, Any] = {"distance": float(draw.rayleigh()), "cluster": int(draw.integers(2))}
        x: dict[str, Any] = {"a": float(draw.normal()), "b": float(draw.normal())}
        reasons = {"abstained": ["missing_required"], "rejected": ["wrong_type"], "failed": ["model_error"]}
        if outcome == "abstained":
            x, flags = {"a": x["a"]}, flags | {"missing": ["b"]}
        if outcome == "rejected":
            x, flags = {"a": "<script>", "b": [1]}, {}
        made.append(
            score(
                f"i{number % (n - 20)}",
                at_s,
                bundle=bundle,
                outcome=outcome,
                reasons=reasons.get(outcome, []),
                flags=flags,
                x=x,
                y=answer(task, draw) if outcome == "scored" else None,
            )
        )
    for record in made:
        log.append(unix_s(record.ts), [record], append_us=int(draw.integers(500, 5000)))
    for number in range(0, n, 3):
        wrong, right = _truth(task, draw), _truth(task, draw)
        log.append(NOON + 5 * HOUR, [label(f"i{number}", wrong, NOON + 5 * HOUR)])
        if number % 2:
            log.append(NOON + 5.1 * HOUR, [label(f"i{number}", right, NOON + 5.1 * HOUR, outcome="unmatched")])
        log.append(NOON + 5.2 * HOUR, [label(f"i{number}", _truth(task, draw), NOON + 5.2 * HOUR, outcome="rejected")])
    log.append(NOON, [request_error("e1"), request_error("e2")])
    return made


def _truth(task: Task, draw: np.random.Generator) -> Any:
    return float(draw.normal(150, 50)) if task == "regression" else draw.choice(np.array(CLASSES[task], object))


def pairs_by_hand(log: Log) -> list[tuple[dict[str, Any], Any]]:
    """The newest record of each id beside its newest label that counts, read naively."""
    newest: dict[str, Record] = {}
    truth: dict[str, tuple[tuple[str, Any], Any]] = {}
    for record, position in records(log.store):
        if record.kind == "score" and (record.id not in newest or record.ts >= newest[record.id].ts):
            newest[record.id] = record
        if record.kind == "label" and record.outcome != "rejected":
            assert record.y is not None
            when = (record.ts, position)
            if record.id not in truth or when > truth[record.id][0]:
                truth[record.id] = (when, record.y.get("label", record.y.get("value")))
    return [(r.y, truth[r.id][1]) for r in newest.values() if r.outcome == "scored" and r.id in truth and r.y]


@pytest.mark.parametrize("indexed", [False, True], ids=["from the log", "from profiles and Parquet"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_figure_equals_scikit_learns_on_the_same_pairs(
    log: Log, models: Path, derived: MemoryStore, task: Task, indexed: bool
) -> None:
    bundle = make_bundle(models, task)
    busy_day(log, task, bundle.sha256)
    if indexed:
        assert not backfill(log.store, derived, models, NOON + 8 * HOUR, reports=False).problems
    report = report_of(log, models, derived)
    found = {figure.name: figure.value for figure in report.performance.figures}
    pairs = pairs_by_hand(log)
    assert len(pairs) > 80
    estimate = report.performance.estimate  # of every scored instance, labelled or not
    assert estimate is None if task == "regression" else estimate is not None
    assert estimate is None or (estimate.n, estimate.left_out) == (report.coverage.versions[0].counts.scored, 0)
    for name, value in expected(task, pairs).items():
        assert found[name] == pytest.approx(value, abs=EXACT, rel=EXACT), name


def expected(task: Task, pairs: list[tuple[dict[str, Any], Any]]) -> dict[str, float]:
    truth = [true for _, true in pairs]
    if task == "regression":
        said = [y["value"] for y, _ in pairs]
        return {
            "rmse": sk.root_mean_squared_error(truth, said),
            "mae": sk.mean_absolute_error(truth, said),
            "mape": sk.mean_absolute_percentage_error(truth, said),
            "r2": sk.r2_score(truth, said),
        }
    classes = CLASSES[task]
    shares = np.array([[y["probabilities"][class_key(c)] for c in classes] for y, _ in pairs])
    said = [y["label"] for y, _ in pairs]
    common = {
        "accuracy": sk.accuracy_score(truth, said),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, said),
        "mcc": sk.matthews_corrcoef(truth, said),
        "log_loss": sk.log_loss(truth, shares, labels=classes),
    }
    if task == "multiclass":
        return common | {
            "f1_macro": sk.f1_score(truth, said, average="macro"),
            "roc_auc_macro": sk.roc_auc_score(truth, shares, multi_class="ovr", labels=classes),
        }
    yes = [true == "yes" for true in truth]
    return common | {
        "precision": sk.precision_score(truth, said, pos_label="yes"),
        "recall": sk.recall_score(truth, said, pos_label="yes"),
        "f1": sk.f1_score(truth, said, pos_label="yes"),
        "roc_auc": sk.roc_auc_score(yes, shares[:, 1]),
        "pr_auc": sk.average_precision_score(yes, shares[:, 1]),
        "brier": sk.brier_score_loss(yes, shares[:, 1]),
    }


def test_coverage_equals_a_count_by_hand(log: Log, models: Path) -> None:
    bundle = make_bundle(models)
    made = busy_day(log, "binary", bundle.sha256)
    coverage = report_of(log, models).coverage
    outcomes = [record.outcome for record in made]
    assert coverage.counts.calls == len(made) + 2
    assert coverage.counts.coverage == outcomes.count("scored") / (len(made) + 2)
    assert coverage.counts.abstained == outcomes.count("abstained")
    assert coverage.counts.rejected == outcomes.count("rejected")
    assert coverage.counts.request_errors == 2
    assert {(c.of, c.name): c.count for c in coverage.reasons} == {
        ("abstained", "missing_required"): outcomes.count("abstained"),
        ("rejected", "wrong_type"): outcomes.count("rejected"),
        ("failed", "model_error"): outcomes.count("failed"),
    }
    assert sum(hour.counts.calls for hour in coverage.hours) == coverage.counts.calls
    assert [hour.start for hour in coverage.hours] == [f"2026-11-23T{hour}:00:00Z" for hour in (12, 13, 14, 15)]
    judged = len(made) - outcomes.count("rejected")
    assert coverage.features[1].missing_rate == outcomes.count("abstained") / judged
    assert coverage.reconciliation.agrees
    assert coverage.reconciliation.repeated_ids == 20
    assert coverage.reconciliation.requests == 382  # 380 ids, each with a request id of its own, and two errors
    assert coverage.reconciliation.conflicting_ids > 0


def test_stored_profiles_and_the_log_itself_give_the_same_report(log: Log, models: Path, derived: MemoryStore) -> None:
    bundle = make_bundle(models)
    busy_day(log, "binary", bundle.sha256)
    for blob in [info.name for info in log.store.list()]:
        log.close(blob)
    raw = report_of(log, models)
    backfill(log.store, derived, models, NOON + 8 * HOUR, reports=False)
    assert encode_report(report_of(log, models, derived)) == encode_report(raw)


def test_the_same_moment_gives_the_same_bytes_though_the_log_has_grown(log: Log, models: Path) -> None:
    bundle = make_bundle(models)
    busy_day(log, "binary", bundle.sha256)
    first = encode_report(report_of(log, models, as_of=NOON + 6 * HOUR))
    assert encode_report(report_of(log, models, as_of=NOON + 6 * HOUR)) == first
    log.append(NOON + 7 * HOUR, [score("later", NOON + 7 * HOUR), label("i0", "yes", NOON + 7 * HOUR)])
    assert encode_report(report_of(log, models, as_of=NOON + 6 * HOUR)) == first
    assert encode_report(report_of(log, models, as_of=NOON + 8 * HOUR)) != first


def test_an_empty_log_gives_a_report_of_no_data(log: Log, models: Path) -> None:
    make_bundle(models)
    report = report_of(log, models)
    for section in (report.coverage, report.performance, report.profiling, report.drift, report):
        assert section.verdict.level == "no data"
        assert section.verdict.sentence
    assert report.coverage.counts.coverage is None
    assert report.model.version == "1"


def test_one_record_is_a_report(log: Log, models: Path) -> None:
    bundle = make_bundle(models)
    log.append(
        NOON, [score("only", bundle=bundle.sha256, y={"label": "yes", "probabilities": {"no": 0.1, "yes": 0.9}})]
    )
    report = report_of(log, models)
    assert report.coverage.verdict.sentence == "100 % of the only call got a sensible output."
    assert report.drift.verdict.level == "no data"
    assert report.performance.verdict.sentence == "No label has come for the only scored instance."
    assert report.profiling.stages[0].max_ms == 74 / 1000


def test_a_report_without_a_bundle_still_counts(log: Log, models: Path) -> None:
    models.mkdir()
    log.append(NOON, [score("a"), score("b", outcome="rejected", reasons=["wrong_type"])])
    report = report_of(log, models)
    assert report.coverage.counts.coverage == 0.5
    assert report.model.problem
    assert report.performance.verdict.level == report.drift.verdict.level == "no data"


def test_a_line_that_is_no_record_is_counted_and_named(log: Log, models: Path) -> None:
    make_bundle(models)
    log.append(NOON, [score("a"), b'{"v":1,"kind":"novel"}', b"\xff"])
    reconciliation = report_of(log, models).coverage.reconciliation
    assert not reconciliation.agrees
    assert reconciliation.unreadable_lines == 2
    assert reconciliation.findings == ["2 lines of the log are no records"]


def test_bytes_that_do_not_verify_stand_in_the_report(log: Log, models: Path) -> None:
    make_bundle(models)
    blob = log.append(NOON, [score("a")])
    log.store.append(blob, b"rubbish\n", at=log.store.size(blob))
    report = report_of(log, models)
    assert report.coverage.counts.calls == 1
    assert [finding.blob for finding in report.sources.findings] == [blob]


class TestLabels:
    """Late, early, corrected, rejected, unmatched: the newest that counts, counts."""

    @pytest.fixture
    def bundle(self, models: Path) -> str:
        return make_bundle(models).sha256

    def scored(
        self, log: Log, bundle: str, name: str = "a", at_s: float = NOON, said: str = "yes", **more: Any
    ) -> None:
        share = 0.9 if said == "yes" else 0.1
        y = {"label": said, "probabilities": {"no": 1 - share, "yes": share}}
        log.append(at_s, [score(name, at_s, bundle=bundle, y=y, **more)])

    def accuracy(self, log: Log, models: Path) -> float | None:
        figures = report_of(log, models).performance.figures
        return next((figure.value for figure in figures if figure.name == "accuracy"), None)

    def test_a_corrected_label_replaces_the_earlier_one(self, log: Log, models: Path, bundle: str) -> None:
        self.scored(log, bundle)
        log.append(NOON, [label("a", "no", NOON + 10)])
        assert self.accuracy(log, models) == 0.0
        log.append(NOON, [label("a", "yes", NOON + 20)])
        assert self.accuracy(log, models) == 1.0
        assert report_of(log, models).performance.labels.corrected == 1

    def test_ties_in_time_go_to_the_later_blob_and_then_to_the_later_line(
        self, log: Log, models: Path, bundle: str
    ) -> None:
        self.scored(log, bundle)
        log.append(NOON, [label("a", "yes", NOON + 10)], writer="x")
        log.append(NOON, [label("a", "yes", NOON + 10), label("a", "no", NOON + 10)], writer="m")
        assert self.accuracy(log, models) == 1.0
        log.append(NOON, [label("a", "yes", NOON + 10), label("a", "no", NOON + 10)], writer="y")
        assert self.accuracy(log, models) == 0.0

    def test_a_rejected_label_never_counts(self, log: Log, models: Path, bundle: str) -> None:
        self.scored(log, bundle)
        log.append(NOON, [label("a", "no", NOON + 10, outcome="rejected")])
        assert self.accuracy(log, models) is None
        labels = report_of(log, models).performance.labels
        assert (labels.labels, labels.rejected, labels.labelled) == (0, 1, 0)

    def test_a_label_that_came_first_matches_later(self, log: Log, models: Path, bundle: str) -> None:
        log.append(NOON - HOUR, [label("a", "no", NOON - HOUR, outcome="unmatched")])
        assert report_of(log, models).performance.labels.unmatched == 1
        self.scored(log, bundle)
        assert self.accuracy(log, models) == 0.0
        labels = report_of(log, models).performance.labels
        assert (labels.unmatched, labels.labelled, labels.delay_p50_s) == (0, 1, 0.0)

    def test_labels_that_came_before_the_window_count_only_for_its_instances(
        self, log: Log, models: Path, bundle: str
    ) -> None:
        before = NOON - 13 * HOUR
        log.append(before, [label(name, "no", before) for name in ("a", "yesterday", "yesterday")])
        log.append(before, [label("yesterday", "yes", before + 1), label("old", "no", before, outcome="rejected")])
        self.scored(log, bundle)
        labels = report_of(log, models).performance.labels
        assert (labels.labels, labels.matched, labels.unmatched) == (1, 1, 0)
        assert (labels.corrected, labels.rejected) == (0, 0)

    def test_a_label_after_as_of_is_not_known_yet(self, log: Log, models: Path, bundle: str) -> None:
        self.scored(log, bundle)
        log.append(NOON + 12 * HOUR, [label("a", "yes", NOON + 12 * HOUR)])
        assert self.accuracy(log, models) is None

    def test_a_later_days_labels_count_for_the_day_they_speak_of(self, log: Log, models: Path, bundle: str) -> None:
        self.scored(log, bundle)
        log.append(NOON + 30 * HOUR, [label("a", "yes", NOON + 30 * HOUR)])
        labels = report_of(log, models, as_of=NOON + 40 * HOUR).performance.labels
        assert (labels.labelled, labels.delay_max_s) == (1, 30 * HOUR)

    def test_the_newest_record_of_an_id_is_what_is_judged(self, log: Log, models: Path, bundle: str) -> None:
        self.scored(log, bundle, said="no")
        self.scored(log, bundle, said="yes", at_s=NOON + 5)
        log.append(NOON, [label("a", "yes")])
        assert self.accuracy(log, models) == 1.0
        assert report_of(log, models).coverage.counts.calls == 2

    def test_an_id_without_a_score_never_enters_performance(self, log: Log, models: Path, bundle: str) -> None:
        log.append(NOON, [score("a", outcome="abstained", bundle=bundle, y={"label": "yes"}), label("a", "yes")])
        report = report_of(log, models)
        assert report.performance.figures == []
        assert [(c.name, c.count) for c in report.performance.labels.without_score] == [("abstained", 1)]

    def test_a_repeat_within_one_request_does_not_hide_the_score(self, log: Log, models: Path, bundle: str) -> None:
        self.scored(log, bundle)
        log.append(NOON, [score("a", outcome="rejected", reasons=["duplicate_id"], row=1, rows=2), label("a", "yes")])
        assert self.accuracy(log, models) == 1.0

    def test_another_model_s_labels_are_not_ours(self, log: Log, models: Path, bundle: str) -> None:
        self.scored(log, bundle)
        log.append(NOON, [label("a", "no", model="other")])
        assert report_of(log, models).performance.labels.labels == 0

    def test_a_label_that_is_no_class_is_left_out_and_counted(self, log: Log, models: Path, bundle: str) -> None:
        self.scored(log, bundle)
        self.scored(log, bundle, name="b")
        log.append(NOON, [label("a", "maybe"), label("b", "yes")])
        performance = report_of(log, models).performance
        assert performance.labels.unusable == 1
        assert self.accuracy(log, models) == 1.0


def test_a_challenger_has_figures_of_its_own_and_no_part_in_coverage(log: Log, models: Path) -> None:
    first, second = make_bundle(models), make_bundle(models, version="2")
    right, wrong = ({"label": said, "probabilities": {"no": 0.5, "yes": 0.5}} for said in ("yes", "no"))
    log.append(NOON, [score("a", bundle=first.sha256, y=right)])
    log.append(NOON, [score("a", bundle=second.sha256, version="2", role="challenger", y=wrong), label("a", "yes")])
    report = report_of(log, models)
    assert report.coverage.counts.calls == 1
    assert report.model.version == "1"
    (other,) = report.performance.others
    assert (other.version, other.role, other.n) == ("2", "challenger", 1)
    assert {figure.name: figure.value for figure in other.figures}["accuracy"] == 0.0
    assert [(v.version, v.role, v.counts.calls) for v in report.coverage.versions] == [
        ("1", "champion", 1),
        ("2", "challenger", 1),
    ]


@pytest.mark.parametrize("indexed", [False, True], ids=["from the log", "from profiles and Parquet"])
def test_challengers_records_change_no_figure_of_the_champion(models: Path, tmp_path: Path, indexed: bool) -> None:
    first, second = make_bundle(models), make_bundle(models, version="2")
    alone, beside = Log(), Log()
    made = busy_day(alone, "binary", first.sha256)
    busy_day(beside, "binary", first.sha256)
    shadows = [shadow_of(record, second.sha256, run=number % 5 > 0) for number, record in enumerate(made)]
    for record in shadows:
        beside.append(unix_s(record.ts), [record])
    reports = []
    for log in (alone, beside):
        derived = MemoryStore()
        if indexed:
            assert not backfill(log.store, derived, models, NOON + 8 * HOUR, reports=False).problems
        reports.append(report_of(log, models, derived))
    without, with_them = reports
    assert champions_figures(without) == champions_figures(with_them)
    before, after = without.coverage.reconciliation, with_them.coverage.reconciliation
    assert (after.champion_instances, after.challenger_instances) == (before.champion_instances, len(shadows))
    assert (after.requests, after.agrees, after.repeated_ids) == (before.requests, True, before.repeated_ids)
    (version,) = [each for each in with_them.coverage.versions if each.role == "challenger"]
    assert version.counts.calls == len(shadows)
    (figures,) = with_them.performance.others
    assert (figures.version, figures.role) == ("2", "challenger")
    assert 0 < figures.n < with_them.performance.labels.labelled


@pytest.mark.parametrize("indexed", [False, True], ids=["from the log", "from profiles and Parquet"])
def test_auditors_notes_change_no_figure_and_are_counted_as_records(models: Path, indexed: bool) -> None:
    bundle = make_bundle(models)
    without, noted = Log(), Log()
    for log in (without, noted):
        made = busy_day(log, "binary", bundle.sha256, n=120)
    for number, record in enumerate(made[::7]):
        found = Note("R. Okafor", ["confirmed", "disputed", "unclear"][number % 3], "label: yes\n" * 3)
        at_s = unix_s(record.ts) + 60
        note = note_record(found, record.id, model="toy", ts=timestamp(at_s), writer="w")
        noted.append(at_s, [note], writer="w" if number % 2 else "of-a-command")
    reports = []
    for log in (without, noted):
        derived = MemoryStore()
        if indexed:
            for blob in [info.name for info in log.store.list()]:
                log.close(blob)
            assert not backfill(log.store, derived, models, NOON + 8 * HOUR, reports=False).problems
        reports.append(report_of(log, models, derived))
    before, after = (champions_figures(report) for report in reports)
    assert before == after
    assert all(report.coverage.reconciliation.agrees for report in reports)


def champions_figures(report: Report) -> dict[str, Any]:
    """All sections without what speaks of challengers too: other versions, counts of records, times of appends."""
    sections = ("coverage", "performance", "profiling", "drift")
    found: dict[str, Any] = {name: msgspec.to_builtins(getattr(report, name)) for name in sections}
    del found["coverage"]["versions"], found["coverage"]["reconciliation"], found["performance"]["others"]
    del found["performance"]["comparisons"]
    found["profiling"]["stages"] = [stage for stage in found["profiling"]["stages"] if stage["name"] != "append"]
    return found


def shadow_of(record: Record, bundle: str, *, run: bool) -> Record:
    """A challenger's record beside the champion's: the same answer, or none because it was not run for lack of time."""
    own = msgspec.structs.replace(record, version="2", role="challenger", bundle=bundle, us={"judge": 40, "infer": 25})
    if run:
        return own
    return msgspec.structs.replace(own, outcome="failed", reasons=["timeout"], flags={}, x=None, y=None, us={})


def test_an_instance_with_two_kinds_of_artifact_is_one_instance(log: Log, models: Path) -> None:
    make_bundle(models)
    log.append(NOON, [score(f"i{n}", flags={"artifacts": {"a": ["one", "two"]}}) for n in range(3)] + [score("clean")])
    rates = report_of(log, models).coverage.features[0]
    assert (rates.instances, rates.artifacts, rates.artifact_rate) == (4, 3, 0.75)
    assert {kind.name: kind.count for kind in rates.kinds} == {"one": 3, "two": 3}


def test_a_verdict_by_the_distance_to_the_clusters_has_its_number(log: Log, models: Path) -> None:
    sha256 = make_bundle(models).sha256
    draw = np.random.default_rng(3)
    values = draw.normal(size=(400, 2)).tolist()
    log.append(
        NOON,
        [
            score(f"i{n}", bundle=sha256, x={"a": a, "b": b}, flags={"cluster": n % 2, "distance": 9.0})
            for n, (a, b) in enumerate(values)
        ],
    )
    drift = report_of(log, models).drift
    assert (drift.verdict.level, drift.verdict.figure) == ("alert", "clusters")
    assert drift.verdict.value is not None
    assert drift.verdict.threshold is not None
    assert "Distances to the nearest training cluster have moved: Jensen–Shannon distance" in drift.verdict.sentence
    assert "400 of 400 instances are near no training cluster" in drift.verdict.sentence


class TestVerdicts:
    """What is worse beyond chance warns, what is worse beyond its margin alerts, and the rest is quiet."""

    def report(self, log: Log, models: Path, right: int, wrong: int, before: float) -> Report:
        interval = Metric(value=before, n=2000, low=before - 0.01, high=before + 0.01)
        bundle = make_bundle(models, metrics={"accuracy": interval})
        y = {"label": "yes", "probabilities": {"no": 0.4, "yes": 0.6}}
        for number in range(right + wrong):
            log.append(NOON, [score(f"i{number}", bundle=bundle.sha256, y=y)])
            log.append(NOON, [label(f"i{number}", "yes" if number < right else "no")])
        return report_of(log, models)

    @pytest.mark.parametrize(
        ("right", "wrong", "before", "level"),
        [(95, 5, 0.95, "ok"), (60, 40, 0.95, "alert"), (930, 70, 0.96, "warn"), (10, 10, 0.95, "no data")],
    )
    def test_accuracy(self, log: Log, models: Path, right: int, wrong: int, before: float, level: str) -> None:
        report = self.report(log, models, right, wrong, before)
        assert report.performance.verdict.level == level
        accuracy = next(figure for figure in report.performance.figures if figure.name == "accuracy")
        assert (accuracy.before, accuracy.level) == (before, level)
        assert "single class" in report.performance.notes[0]

    def test_an_error_beyond_all_bounds_is_never_ok_however_wide_its_interval(self) -> None:
        before = Metric(value=58.0, n=100, low=50.0, high=66.0)
        figure = Figure(name="rmse", title="RMSE", better="lower", value=1e12, low=-1e12, high=3e12, n=200)
        found = judged(figure, before, Thresholds(), tested=5)
        assert found.level == "warn"
        assert "look at the largest errors" in found.sentence
        near = judged(msgspec.structs.replace(figure, value=70.0, low=20.0, high=120.0), before, Thresholds(), tested=5)
        assert near.level == "ok"

    def test_a_setting_overrides_the_bundle(self, log: Log, models: Path) -> None:
        bundle = make_bundle(models, thresholds={"coverage_warn": 0.4, "coverage_alert": 0.2, "nonsense": 1.0})
        log.append(NOON, [score("a", bundle=bundle.sha256), score("b", outcome="failed", reasons=["timeout"])])
        quiet = report_of(log, models)
        assert quiet.coverage.verdict.level == "ok"
        assert "There is no threshold 'nonsense'; it has no effect." in quiet.notes
        strict = make_report(
            log.store, MemoryStore(), References(models), "toy", DAY, timestamp(NOON + HOUR), {"coverage_warn": 0.6}
        )
        assert strict.coverage.verdict.level == "warn"
        assert {t.name: t.source for t in strict.thresholds}["coverage_warn"] == "setting"

    def test_requirements_pass_or_fail(self, log: Log, models: Path) -> None:
        bundle = make_bundle(models, requirements=Requirements(p99_ms=1.0, cold_start_ms=500))
        log.append(
            NOON, [score("a", bundle=bundle.sha256, cold=True, us={"decode": 10, "infer": 20, "start": 700_000})]
        )
        log.append(NOON, [score("b", bundle=bundle.sha256)], append_us=1234)
        log.append(NOON, [score("c", bundle=bundle.sha256)], append_us=8000)
        profiling = report_of(log, models).profiling
        assert {check.name: check.level for check in profiling.requirements} == {
            "p99_ms": "ok",
            "cold_start_ms": "alert",
        }
        assert profiling.verdict.level == "alert"
        assert (profiling.cold_starts, profiling.cold_share) == (1, 1 / 3)
        append = next(stage for stage in profiling.stages if stage.name == "append")
        assert (append.n, append.max_ms) == (2, 8.0)
        total = profiling.stages[0]
        assert (total.name, total.n, total.max_ms) == ("total", 3, 0.074)

    @pytest.mark.parametrize(("shift", "level"), [(0.0, "ok"), (1.5, "alert")])
    def test_drift(self, log: Log, models: Path, shift: float, level: str) -> None:
        bundle = make_bundle(models)
        draw = np.random.default_rng(3)
        made = [
            score(
                f"i{number}",
                bundle=bundle.sha256,
                x={"a": float(draw.normal()), "b": float(draw.normal() + shift)},
                y=answer("binary", draw),
                flags={"distance": float(draw.rayleigh()), "cluster": int(draw.integers(2))},
            )
            for number in range(1000)
        ]
        log.append(NOON, made)
        drift = report_of(log, models).drift
        assert drift.verdict.value is not None
        assert drift.verdict.threshold is not None
        assert (drift.verdict.value > drift.verdict.threshold) is (level == "alert")
        assert drift.verdict.level == level
        assert drift.n == 1000
        assert [f.name for f in drift.features] == (["a", "b"] if level == "ok" else ["b", "a"])
        assert drift.features[-1].level == "ok"
        if level == "alert":
            assert drift.verdict.figure == "b"
            assert "b has drifted" in drift.verdict.sentence

    def test_a_feature_that_goes_missing_has_drifted(self, log: Log, models: Path) -> None:
        bundle = make_bundle(models)
        draw = np.random.default_rng(4)
        for number in range(400):
            x: dict[str, Any] = {"a": float(draw.normal()), "b": float(draw.normal())}
            flags: dict[str, Any] = {}
            if number % 2:
                x, flags = {"a": x["a"], "b": None}, {"missing": ["b"]}
            log.append(NOON, [score(f"i{number}", bundle=bundle.sha256, x=x, flags=flags)])
        report = report_of(log, models)
        assert report.drift.features[0].name == "b"
        assert "missing: 0 % before, 50.0 % now" in report.drift.features[0].sentence
        assert len(report.drift.features[0].examples) == 5
        assert all(int(name[1:]) % 2 for name in report.drift.features[0].examples), "instances without b"
        assert report.coverage.verdict.figure == "b"
        assert report.coverage.features[1].level == "alert"

    def test_rejected_values_are_in_no_histogram(self, log: Log, models: Path) -> None:
        bundle = make_bundle(models)
        hostile: list[Any] = [{"a": 1e300}, "text", None, [], {"a": {"b": 1}}]
        rejected = [
            score(f"r{n}", bundle=bundle.sha256, outcome="rejected", reasons=["wrong_type"], x=x)
            for n, x in enumerate(hostile)
        ]
        log.append(NOON, [*rejected, score("ok", bundle=bundle.sha256, x={"a": 0.0, "b": 0.0})])
        drift = report_of(log, models).drift
        assert drift.n == 1
        histogram = drift.features[0].histogram
        assert histogram is not None
        assert sum(histogram.now) + histogram.now_missing + histogram.now_unseen == 1


def test_records_of_another_bundle_of_the_version_have_no_part_in_drift(log: Log, models: Path) -> None:
    bundle = make_bundle(models)
    log.append(NOON, [score("a", bundle=bundle.sha256), score("b", bundle="0" * 64)])
    report = report_of(log, models)
    assert report.drift.n == 1
    assert any("another bundle" in note for note in report.notes)


def test_convergence_warnings_of_the_fit_are_shown(log: Log, models: Path) -> None:
    make_bundle(models, convergence=["lbfgs failed to converge"])
    assert report_of(log, models).model.convergence == ["lbfgs failed to converge"]


_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(), st.just([]),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["scored", "abstained", "rejected", "failed"]),
            st.one_of(_VALUES, st.fixed_dictionaries({}, optional={"a": _VALUES, "b": _VALUES})),
            st.one_of(
                st.none(), st.dictionaries(st.sampled_from(["label", "value", "probabilities", "score"]), _VALUES)
            ),
            st.dictionaries(st.sampled_from(["missing", "artifacts", "outside", "distance", "cluster"]), _VALUES),
            st.sampled_from("abcd"),
        ),
        max_size=12,
    ),
    labels=st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["yes", "no", "", 1, True])), max_size=6),
)
def test_whatever_the_records_hold_there_is_a_report(tmp_path_factory: Any, rows: Any, labels: Any) -> None:
    log, models = Log(), tmp_path_factory.mktemp("hostile")
    bundle = make_bundle(models)
    log.append(NOON, [
        score(name, bundle=bundle.sha256, outcome=outcome, x=x, y=y, flags=flags) for outcome, x, y, flags, name in rows
    ])  # fmt: skip
    log.append(NOON, [label(name, truth) for name, truth in labels])
    report = report_of(log, models)
    assert report.coverage.counts.calls == len(rows)
    assert decode_report(encode_report(report)) == report


def test_an_hour_and_a_stretch_are_windows_too(log: Log, models: Path, derived: MemoryStore) -> None:
    make_bundle(models)
    log.append(NOON, [score("a", NOON)])
    log.append(NOON + HOUR, [score("b", NOON + HOUR)])
    for window, calls in ((hour_window(NOON), 1), (custom_window(NOON - 5, NOON + HOUR + 5), 2)):
        report = make_report(log.store, derived, References(models), "toy", window, timestamp(NOON + 3 * HOUR))
        assert report.coverage.counts.calls == calls
        entry = store_report(derived, report)
        stored = read_report_json(derived, "toy", entry.id)
        assert stored == encode_report(report)
