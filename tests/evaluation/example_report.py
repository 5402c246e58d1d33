"""A realistic report for tests of everything that reads one; no numbers of it are measured.

Three tasks, and each awkward thing that a page must survive: hostile names, an empty section, a figure without a
value, no labels, an open blob, a finding.
"""

from __future__ import annotations

import math

import msgspec

from evaluation import report_format as f
from scoring.bundle import Task
from tests.evaluation.example_audit import empty_audit, example_audit, troubled_audit

HOSTILE = "<script>alert('x')</script>&\"\u202e\U0001f40d"


def example_report(task: Task = "binary", *, labels: bool = True, hostile: bool = False) -> f.Report:
    """A day's report for `task`; `hostile` puts markup and control characters wherever the outside can."""
    name = HOSTILE if hostile else "mean radius"
    coverage = _coverage(name, hostile)
    performance = _performance(task, hostile) if labels else _unlabelled(task)
    drift = _drift(task, name)
    profiling = msgspec.structs.replace(
        _profiling(), courses=[_course("p99_ms", "Run time of 99 % of requests", "ms", 3.0)]
    )
    drift = msgspec.structs.replace(drift, courses=[_course(f"drift:{name}", name, None, 0.1)])
    if performance.figures:
        headline = performance.figures[0]
        performance = msgspec.structs.replace(
            performance, courses=[_course(headline.name, headline.title, headline.unit, headline.before or 1.0)]
        )
    return f.Report(
        schema=f.SCHEMA,
        id="day-2026-11-23-20261124T000700Z",
        model=_model(task, hostile),
        window=f.Window(kind="day", since="2026-11-23T00:00:00Z", until="2026-11-24T00:00:00Z", hours=24),
        as_of="2026-11-24T00:07:00.000000Z",
        provisional=True,
        verdict=f.Verdict(
            level="alert", sentence=drift.verdict.sentence, figure="drift", value=0.31, before=None, threshold=0.1
        ),
        coverage=coverage,
        performance=performance,
        profiling=profiling,
        drift=drift,
        audit=troubled_audit(HOSTILE) if hostile else example_audit(),
        sources=f.Sources(
            blobs_closed=23,
            blobs_open=1,
            frames=912,
            records=4210,
            labels_until="2026-11-24T00:06:12.000000Z",
            findings=[
                f.Finding(blob="log/v1/2026/11/23/14/20261123T140506-3f9c2a71-0.jsonl", what="bytes after close")
            ],
            findings_total=1,
        ),
        thresholds=[
            f.Threshold(name="coverage_warn", value=0.95, source="default"),
            f.Threshold(name="roc_auc_margin", value=0.03, source="bundle"),
            f.Threshold(name="jensen_shannon", value=0.1, source="setting"),
        ],
        notes=["1 blob is still open: its figures may grow."],
    )


def _course(name: str, title: str, unit: str | None, threshold: float) -> f.Course:
    """Within its threshold until eight in the evening, beyond it from then on; one hour cannot be judged."""
    worse = 0.8 if name in ("accuracy", "roc_auc") else 1.4
    levels: list[f.Level] = ["ok" if hour < 20 else "alert" for hour in range(24)]
    levels[5] = "no data"
    values = [threshold * (2 - worse if level == "ok" else worse) for level in levels]
    moments = [
        f.Moment(
            start=f"2026-11-23T{hour:02}:00:00Z",
            value=min(value, 0.99) if worse < 1 else value,
            n=9 if level == "no data" else 180,
            low=value * 0.93,
            high=min(value * 1.04, 0.995) if worse < 1 else value * 1.05,
            level=level,
        )
        for hour, (value, level) in enumerate(zip(values, levels, strict=True))
    ]
    return f.Course(
        name=name,
        title=title,
        unit=unit,
        before=threshold * (1.05 if worse < 1 else 0.7) if name != "p99_ms" else None,
        threshold=threshold,
        moments=moments,
        since="2026-11-23T20:00:00Z",
        sentence="Worse since 23 Nov 2026, 20:00 UTC, in each of the 4 hours with a verdict.",
    )


def empty_report() -> f.Report:
    """A report on a window without a single call: every section says `no data`."""
    nothing = f.Verdict(level="no data", sentence="There were no calls in this window.")
    counts = f.CoverageCounts(calls=0, scored=0, abstained=0, rejected=0, failed=0, request_errors=0, coverage=None)
    return f.Report(
        schema=f.SCHEMA,
        id="hour-2026-11-23T14-20261123T150700Z",
        model=f.ModelFacts(name="wine", version="1", bundle=None, task=None, problem="no bundle wine/1 here"),
        window=f.Window(kind="hour", since="2026-11-23T14:00:00Z", until="2026-11-23T15:00:00Z", hours=1),
        as_of="2026-11-23T15:07:00.000000Z",
        provisional=False,
        verdict=nothing,
        coverage=f.Coverage(
            verdict=nothing,
            figure=figure("coverage", None, None, n=0, status="There were no calls in this window."),
            counts=counts,
            reconciliation=f.Reconciliation(
                frame_records=0,
                read_records=0,
                score_records=0,
                champion_instances=0,
                challenger_instances=0,
                outcomes=0,
                requests=0,
                repeated_ids=0,
                conflicting_ids=0,
                unreadable_lines=0,
                agrees=True,
            ),
        ),
        performance=f.Performance(
            verdict=nothing,
            labels=f.LabelArrival(labels=0, matched=0, scored=0, labelled=0, join_rate=None),
        ),
        profiling=f.Profiling(verdict=nothing, requests=0, instances=0),
        drift=f.Drift(verdict=nothing, n=0, baseline_rows=0),
        audit=empty_audit(),
        sources=f.Sources(),
    )


def figure(
    name: str,
    value: float | None,
    before: float | None,
    *,
    n: int = 188,
    level: f.Level = "no data",
    status: str | None = None,
) -> f.Figure:
    """A figure with an interval around it."""
    return f.Figure(
        name=name,
        title=name.replace("_", " ").capitalize(),
        better="zero" if name == "bias" else "lower" if name in {"rmse", "mae", "log_loss", "fpr"} else "higher",
        value=value,
        n=n,
        low=None if value is None else value - 0.02,
        high=None if value is None else value + 0.02,
        interval=None if value is None else "bootstrap, 1,000 resamples",
        status=status,
        before=before,
        before_n=None if before is None else 143,
        before_low=None if before is None else before - 0.015,
        before_high=None if before is None else before + 0.015,
        level=level,
        threshold=None if before is None else 0.03,
        sentence=f"{name} is {value}, before production it was {before}.",
    )


def _model(task: Task, hostile: bool) -> f.ModelFacts:
    classes = {"binary": ["malignant", "benign"], "multiclass": ["class_0", "class_1", "class_2"], "regression": []}
    return f.ModelFacts(
        name={"binary": "breast-cancer", "multiclass": "wine", "regression": "diabetes"}[task],
        version="1",
        bundle="9f2c" * 16,
        task=task,
        created="2026-11-20T09:00:00.000000Z",
        description=HOSTILE if hostile else "Is the mass malignant? Logistic regression on 30 measurements.",
        target="diagnosis" if task != "regression" else "progression",
        target_unit="points" if task == "regression" else None,
        classes=classes[task],
        positive="malignant" if task == "binary" else None,
        features=30,
        convergence=["lbfgs failed to converge (status=1): STOP: TOTAL NO. OF ITERATIONS REACHED LIMIT."],
        criteria=["Abstains when the winning class has a probability under 0.6."],
        data=["569 rows, 31 columns, scikit-learn's breast cancer data."],
    )


def _coverage(name: str, hostile: bool) -> f.Coverage:
    counts = _counts(4000, 120, 60, 0, 20)
    hours = [
        f.CoverageHour(start=f"2026-11-23T{hour:02d}:00:00Z", counts=_counts(150 + 10 * (hour % 5), hour, 2, 0, 1))
        for hour in range(24)
    ]
    features = [
        f.FeatureRates(
            name=name if index == 0 else f"feature {index}",
            instances=4180,
            missing=90 if index == 0 else index,
            artifacts=3 if index == 0 else 0,
            outside=12,
            missing_rate=0.0215,
            missing_before=0.0,
            artifact_rate=0.0007,
            outside_rate=0.0029,
            kinds=[f.Count(name="control_characters", count=3, share=1.0)] if index == 0 else [],
            level="warn" if index == 0 else "ok",
            threshold=0.05,
            sentence="Missing in 2.2 % of the instances; in training never.",
        )
        for index in range(6)
    ]
    return f.Coverage(
        verdict=f.Verdict(
            level="warn",
            sentence="95.2 % of 4,200 calls got a sensible output; that is under 97 %.",
            figure="coverage",
            value=counts.coverage,
            threshold=0.97,
        ),
        figure=figure("coverage", counts.coverage, None, n=4200, level="warn"),
        counts=counts,
        reasons=[
            f.Count(name="missing_required", count=90, share=90 / 4200, of="abstained"),
            f.Count(name="wrong_type", count=60, share=60 / 4200, of="rejected"),
            f.Count(name="low_confidence", count=30, share=30 / 4200, of="abstained"),
        ],
        errors=[f.Count(name=HOSTILE if hostile else "malformed_json", count=20, share=1.0, of="request_error")],
        hours=hours,
        versions=[
            f.CoverageVersion(version="1", role="champion", counts=_counts(4000, 120, 60, 0, 0)),
            f.CoverageVersion(version="2", role="challenger", counts=_counts(4010, 110, 60, 0, 0)),
        ],
        features=features,
        outside_joint=41,
        outside_joint_rate=41 / 4180,
        reconciliation=f.Reconciliation(
            frame_records=4210,
            read_records=4210,
            score_records=4180,
            champion_instances=4180,
            challenger_instances=4180,
            outcomes=4180,
            requests=612,
            repeated_ids=3,
            conflicting_ids=1,
            unreadable_lines=0,
            agrees=True,
        ),
    )


def _counts(scored: int, abstained: int, rejected: int, failed: int, errors: int) -> f.CoverageCounts:
    calls = scored + abstained + rejected + failed + errors
    return f.CoverageCounts(
        calls=calls,
        scored=scored,
        abstained=abstained,
        rejected=rejected,
        failed=failed,
        request_errors=errors,
        coverage=scored / calls if calls else None,
    )


def _performance(task: Task, hostile: bool) -> f.Performance:
    names = {
        "binary": ["roc_auc", "accuracy", "precision", "recall", "fpr", "f1", "log_loss"],
        "multiclass": ["accuracy", "balanced_accuracy", "f1_macro", "roc_auc_macro", "log_loss"],
        "regression": ["rmse", "mae", "mape", "r2", "bias"],
    }[task]
    figures = [figure(name, 0.93 - 0.01 * i, 0.95 - 0.005 * i, level="ok") for i, name in enumerate(names)]
    figures[1] = figure(names[1], 0.81, 0.95, level="alert")
    figures[-1] = figure(names[-1], None, 0.2, level="no data", status="undefined: the truth has one class only")
    labels = _model(task, hostile).classes
    return f.Performance(
        verdict=f.Verdict(
            level="alert",
            sentence=f"{names[1]} fell from 0.950 to 0.810, beyond the margin of 0.03.",
            figure=names[1],
            value=0.81,
            before=0.95,
            threshold=0.03,
        ),
        labels=_arrival(188),
        figures=figures,
        classes=[
            f.ClassFigures(
                label=label,
                n=94,
                predicted=90,
                prevalence=0.5,
                figures=[figure("precision", 0.9, 0.92, level="ok"), figure("recall", 0.88, 0.92, level="warn")],
            )
            for label in labels
        ],
        confusion=_confusion(labels) if labels else None,
        curves=_curves(labels[0]) if labels else [],
        residuals=_residuals() if task == "regression" else None,
        majority_class=labels[0] if labels else None,
        majority_baseline=0.63 if labels else None,
        notes=["Accuracy misleads here: 81.0 % is no better than always saying the commonest class, 81.0 %."],
        others=[f.VersionFigures(version="2", role="challenger", n=188, figures=figures[:2])],
        estimate=None if task == "regression" else _estimate(held=True),
        subset=_subset(hostile),
        comparisons=[_comparison(HOSTILE if hostile else "2")],
    )


def _unlabelled(task: Task) -> f.Performance:
    return f.Performance(
        verdict=f.Verdict(level="no data", sentence="No label has come for any of the 4,000 scored instances."),
        labels=_arrival(0),
        estimate=None if task == "regression" else _estimate(held=False),
    )


def _estimate(*, held: bool) -> f.Estimate:
    titles = {"roc_auc": "ROC AUC", "accuracy": "Accuracy", "f1": "F1"}
    figures = [
        f.EstimatedFigure(
            name=name,
            title=title,
            value=0.92 - 0.02 * place,
            low=0.90 - 0.02 * place,
            high=0.94 - 0.02 * place,
            before=0.95,
            labelled=0.93 - 0.02 * place if held else None,
            labelled_low=0.88 - 0.02 * place if held else None,
            labelled_high=0.96 - 0.02 * place if held else None,
            realised=(0.94, 0.81, 0.89)[place] if held else None,
            disagrees=held and name == "accuracy",
        )
        for place, (name, title) in enumerate(titles.items())
    ]
    return f.Estimate(
        level="warn" if held else "no data",
        sentence="Labels disagree with the estimate: concept drift is likely. Accuracy was expected to be 0.910 "
        "on the labelled instances and is 0.810."
        if held
        else "ROC AUC is expected to be 0.920 over all scored instances.",
        n=3990,
        left_out=10,
        labelled=188 if held else 0,
        assumption="The estimate takes the model’s probabilities at their word; only labels show concept drift.",
        calibration="Calibrated by what came true of 143 test rows: 0.1 is worth 0.12, 0.9 is worth 0.86.",
        binning=0.004,
        figures=figures,
    )


def _subset(hostile: bool) -> f.LabelledSubset:
    title = f"Probability of {HOSTILE if hostile else 'malignant'}"
    sentence = f"{title}: 61 % of labelled, 38 % of unlabelled are below 0.250."
    answers = f.SubsetCheck(name="answers", title=title, effect=0.23, p=1.2e-9, level="warn", sentence=sentence)
    hours = f.SubsetCheck(
        name="hours",
        title="When they were scored",
        effect=0.04,
        p=0.31,
        level="ok",
        sentence="When they were scored: 52 % of labelled and 48 % of unlabelled instances before 2026-11-23 11:59.",
    )
    return f.LabelledSubset(
        level="warn",
        sentence=f"The figures speak of labelled instances, which are not like the others. {sentence}",
        labelled=188,
        unlabelled=3812,
        threshold=0.1,
        checks=[answers, hours],
    )


def _comparison(version: str) -> f.PairedComparison:
    tests = [
        f.PairedTest(name="accuracy", title="Accuracy", better="higher", one=0.81, other=0.88, difference=0.07,
                     low=0.02, high=0.12, p=0.004, p_corrected=0.012, method="McNemar’s test, exact", winner="other"),
        f.PairedTest(name="log_loss", title="Log loss", better="lower", one=0.41, other=0.40, difference=-0.01,
                     low=-0.06, high=0.04, p=0.6, p_corrected=1.0, method="t test on the differences"),
        f.PairedTest(name="roc_auc", title="ROC AUC", better="higher", one=None, other=None,
                     status="it needs probabilities or scores, and 10 instances of each class"),
    ]  # fmt: skip
    return f.PairedComparison(
        one_version="1",
        one_role="champion",
        other_version=version,
        other_role="challenger",
        n=188,
        tested=2,
        only_one_right=7,
        only_other_right=20,
        tests=tests,
        sentence=f"Challenger {version} is better than champion 1 in accuracy (0.880 against 0.810), on the same 188 "
        "labelled instances.",
    )


def _arrival(labelled: int) -> f.LabelArrival:
    return f.LabelArrival(
        labels=labelled + labelled // 10,
        matched=labelled,
        scored=4000,
        labelled=labelled,
        join_rate=labelled / 4000,
        without_score=[f.Count(name="abstained", count=4, of="matched")] if labelled else [],
        corrected=labelled // 20,
        unmatched=2,
        rejected=1,
        delay_p50_s=7200.0 if labelled else None,
        delay_p90_s=86400.0 if labelled else None,
        delay_max_s=90000.5 if labelled else None,
        sentence=f"{labelled} of 4,000 scored instances have a label.",
    )


def _confusion(labels: list[str]) -> f.Confusion:
    size = len(labels)
    return f.Confusion(labels=labels, counts=[[80 if i == j else 7 for j in range(size)] for i in range(size)])


def _curves(label: str) -> list[f.Curve]:
    steps = [i / 50 for i in range(51)]
    bins = [i / 10 + 0.05 for i in range(10)]
    return [
        f.Curve(
            name="roc",
            label=label,
            x_title="False positive rate",
            y_title="True positive rate",
            points=[(x, x**0.25) for x in steps],
        ),
        f.Curve(
            name="pr", label=label, x_title="Recall", y_title="Precision", points=[(x, 1 - 0.4 * x**4) for x in steps]
        ),
        f.Curve(
            name="calibration",
            label=label,
            x_title="Mean predicted probability",
            y_title="Share of positives",
            points=[(x, min(1.0, x**1.2)) for x in bins],
            weights=[40, 20, 10, 8, 5, 5, 9, 11, 30, 50],
        ),
    ]


def _residuals() -> f.Residuals:
    return f.Residuals(
        edges=[-150.0 + 15 * i for i in range(21)],
        counts=[int(60 * math.exp(-(((i - 9.5) / 4) ** 2))) for i in range(20)],
        points=[(60 + i * 0.5, 70 * math.sin(i * 12.9898)) for i in range(400)],
        unit="points",
    )


def _profiling() -> f.Profiling:
    stages = [
        stage_times("total", 0.09), stage_times("decode", 0.006), stage_times("judge", 0.04),
        stage_times("infer", 0.026), stage_times("encode", 0.005), stage_times("append", 8.0),
    ]  # fmt: skip
    return f.Profiling(
        verdict=f.Verdict(
            level="ok",
            sentence="99 % of 612 requests took at most 0.4 ms; 5 ms are allowed.",
            figure="p99_ms",
            value=0.41,
            threshold=5.0,
        ),
        requests=612,
        instances=4180,
        stages=stages,
        batch_sizes=[f.SizeBin(low=1, high=1, requests=500), f.SizeBin(low=2, high=3, requests=112)],
        batch_max=3,
        batch_mean=6.83,
        cold_starts=2,
        cold_share=2 / 612,
        cold_ms=stage_times("start", 700.0, n=2),
        instances_per_s=0.048,
        busiest_hour="2026-11-23T14:00:00Z",
        busiest_instances_per_s=0.4,
        requirements=[
            f.RequirementCheck(
                name="p99_ms",
                title="99 % of requests",
                limit_ms=5.0,
                measured_ms=0.41,
                n=612,
                level="ok",
                sentence="pass: 0.41 ms of 5 ms",
            ),
            f.RequirementCheck(
                name="cold_start_ms",
                title="Slowest cold start",
                limit_ms=1000.0,
                measured_ms=None,
                n=0,
                level="no data",
                sentence="no cold start in this window",
            ),
        ],
    )


def stage_times(name: str, middle_ms: float, n: int = 612) -> f.StageTimes:
    """Times spread around `middle_ms`."""
    return f.StageTimes(
        name=name,
        title=name.capitalize(),
        n=n,
        p50_ms=middle_ms,
        p90_ms=middle_ms * 2,
        p99_ms=middle_ms * 4.5,
        max_ms=middle_ms * 30,
        mean_ms=middle_ms * 1.3,
        error=0.05,
        edges_ms=[middle_ms * 1.5**i for i in range(-4, 9)],
        counts=[1, 4, 40, 180, 200, 90, 50, 20, 12, 8, 5, 2],
    )


def _drift(task: Task, name: str) -> f.Drift:
    features = [
        _distribution(name, "alert", 1, shift=3),
        _distribution("worst area", "ok", 2, shift=0),
        _category("job", "warn", 3),
        _distribution("sparse", "no data", 4, shift=0, n=12),
    ]
    outputs = [_distribution("value", "ok", None, shift=0)]
    if task != "regression":
        outputs = [_category("label", "ok", None), _distribution("probability:malignant", "ok", None, shift=1)]
    return f.Drift(
        verdict=f.Verdict(
            level="alert",
            sentence=f"1 of 4 features drifted: {name} (importance rank 1).",
            figure=name,
            value=0.31,
            threshold=0.1,
        ),
        n=4120,
        baseline_rows=426,
        features=features,
        outputs=outputs,
        clusters=f.ClusterDrift(
            level="ok",
            sentence="Instances lie in the training clusters as before.",
            occupancy_before=[60, 40, 80, 46, 50, 50, 60, 40],
            occupancy_now=[600, 390, 800, 470, 500, 500, 590, 270],
            statistics=[_statistic("jensen_shannon", 0.03, "ok")],
            distance=_pair(0),
            threshold=5.2,
            beyond_before=0.001,
            beyond_now=0.01,
            map=_map(name),
        ),
        tested=6,
        method="KL and PSI add 0.5 to each bin; nothing else is smoothed.",
        pairplot=_pairplot(name),
    )


def _map(name: str) -> f.ClusterMap:
    """Eight centres, training rows around them, instances a little beside, three of them near none."""
    centres = [(float(i % 4), float(i // 4)) for i in range(8)]
    turns = [(math.cos(i * 2.4) * (i % 7) / 12, math.sin(i * 2.4) * (i % 5) / 9) for i in range(160)]
    rows = [
        f.MapPoint(x=centres[i % 8][0] + a, y=centres[i % 8][1] + b, cluster=i % 8) for i, (a, b) in enumerate(turns)
    ]
    now = [f.MapPoint(x=row.x + 0.1, y=row.y, cluster=row.cluster, id=f"a-{i}") for i, row in enumerate(rows)]
    far = [f.MapPoint(x=5.0 + i, y=-1.0, cluster=7, beyond=True, id=f"{name}{i}") for i in range(3)]
    return f.ClusterMap(
        x=f"{name} and worst area",
        y="job",
        kept=0.83,
        centres=[f.MapPoint(x=x, y=y, cluster=i) for i, (x, y) in enumerate(centres)],
        before=rows,
        now=now + far,
    )


def _pairplot(name: str) -> f.Pairplot:
    rows: list[list[float | None]] = [
        [i % 17 + 6.0, (i * 7) % 23 + i % 17, None if i % 9 == 0 else i / 3] for i in range(90)
    ]
    return f.Pairplot(
        features=[
            f.PairedFeature(name=name, unit="mm", level="alert"),
            f.PairedFeature(name="worst area", unit="mm²", level="ok"),
            f.PairedFeature(name="sparse", level="no data"),
        ],
        before=rows,
        now=[[None if value is None else value * 1.2 for value in row] for row in rows],
    )


def _distribution(name: str, level: f.Level, rank: int | None, *, shift: int, n: int = 4120) -> f.DistributionDrift:
    return f.DistributionDrift(
        name=name,
        kind="number",
        unit="mm",
        importance=None if rank is None else 0.2 / rank,
        rank=rank,
        level=level,
        sentence=f"{name}: Jensen–Shannon distance {0.1 * shift + 0.01:.2f}.",
        n_before=426,
        n_now=n,
        missing_before=0.0,
        missing_now=0.02,
        statistics=[
            _statistic("jensen_shannon", 0.1 * shift + 0.01, level),
            _statistic("psi", 0.3 * shift + 0.01, level),
            _statistic("kolmogorov_smirnov", 0.08 * shift + 0.02, level),
            _statistic("kl_production_to_baseline", 0.2 * shift + 0.02, level),
            _statistic("kl_baseline_to_production", 0.25 * shift + 0.02, level),
        ],
        histogram=_pair(shift),
        examples=["a-17", "0192f0c1-7b5a-7cc3-8d4e-2f1a3b4c5d6e"] if level == "alert" else [],
        grown=_grown(name) if level == "alert" else [],
    )


def _grown(name: str) -> list[f.GrownBin]:
    return [
        f.GrownBin(name="14.8 to 15.9", before=0.05, now=0.17, ids=["a-17", "0192f0c1-7b5a-7cc3-8d4e-2f1a3b4c5d6e"]),
        f.GrownBin(name=f"“{name}”", before=0.0, now=0.02, ids=[name]),
    ]


def _category(name: str, level: f.Level, rank: int | None) -> f.DistributionDrift:
    return f.DistributionDrift(
        name=name,
        kind="category",
        importance=None if rank is None else 0.01,
        rank=rank,
        level=level,
        sentence=f"{name}: 4 % unseen categories.",
        n_before=426,
        n_now=4120,
        missing_before=0.0,
        missing_now=0.0,
        statistics=[_statistic("jensen_shannon", 0.12, level), _statistic("psi", 0.11, "ok")],
        histogram=f.HistogramPair(
            categories=["clerk", "<b>chef</b>", "none"],
            before=[200, 180, 46],
            now=[2000, 1300, 655],
            now_unseen=165,
        ),
    )


def _statistic(name: str, value: float, level: f.Level) -> f.Statistic:
    return f.Statistic(
        name=name,
        title=name.replace("_", " ").capitalize(),
        value=None if level == "no data" else value,
        threshold=None if name.startswith("kl") else 0.1,
        no_drift=0.07,
        level=level,
        status="12 instances, at least 200 are needed" if level == "no data" else None,
    )


def _pair(shift: int) -> f.HistogramPair:
    before = [0] + [int(70 * math.exp(-(((i - 8) / 3.0) ** 2))) for i in range(20)] + [0]
    now = [2] + [int(690 * math.exp(-(((i - 8 - shift) / 3.0) ** 2))) for i in range(20)] + [3 + 20 * shift]
    return f.HistogramPair(
        edges=[6.0 + 1.1 * i for i in range(21)], before=before, now=now, before_missing=0, now_missing=90
    )
