"""A fit that had not converged, from the warning to every place where a person looks, and to the policy about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from sklearn.linear_model import LogisticRegression

from audit.memory_store import MemoryStore
from audit.records import timestamp, unix_s
from evaluation.hourly import make_report
from evaluation.pages.home import HomeModel, home_page
from evaluation.pages.report import report_page
from evaluation.references import References
from evaluation.report_format import Report, encode_report
from evaluation.terminal import print_report
from evaluation.windows import hour_window
from scoring.bundle import Bundle, Criteria
from tests.scoring.services import line
from tests.training.problems import numbers
from training import preproduction_report
from training.convergence import fit_recorded

ROOT = Path(__file__).parent.parent.parent
SAID = "lbfgs failed to converge after 1 iteration(s)"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    """The same unfinished model twice: one that only says so, and one that abstains."""
    problem, pipeline = numbers(), LogisticRegression(max_iter=1)
    warned = fit_recorded(pipeline, problem.X_train, problem.y_train)
    assert len(warned) == 1
    models = tmp_path_factory.mktemp("models")
    return {
        policy: problem.export(
            pipeline, models, name=policy, convergence=warned, criteria=Criteria(not_converged=policy)
        )
        for policy in ("flag", "abstain")
    }


def production_report(bundle: Bundle) -> Report:
    """What production reports after a request with the test rows."""
    instances = [dict(zip(["x0", "x1", "x2", "x3"], row, strict=True)) for row in numbers().X_test.tolist()]
    models, name = bundle.folder.parent.parent, bundle.manifest.name
    with line(models) as running:
        running.score({"instances": instances}, model=name)
        newest = max(record.ts for record in running.records())
        window, as_of = hour_window(unix_s(newest)), timestamp(unix_s(newest) + 1)
        return make_report(running.store, MemoryStore(), References(models), name, window, as_of)


def reports(bundle: Bundle) -> list[Report]:
    problem = numbers()
    return [production_report(bundle), preproduction_report(bundle, problem.X_test, problem.y_test).report]


def test_the_bundle_keeps_the_warning_and_the_note(bundles: dict[str, Bundle]) -> None:
    warning, note = bundles["flag"].manifest.convergence
    assert warning.startswith(SAID)
    assert note.startswith("logisticregression: LogisticRegression stopped after max_iter=1 iterations")


@pytest.mark.parametrize("policy", ["flag", "abstain"])
def test_json_page_and_terminal_of_every_report_show_it(
    policy: str, bundles: dict[str, Bundle], capsys: pytest.CaptureFixture[str]
) -> None:
    for report in reports(bundles[policy]):
        document = json.loads(encode_report(report))
        assert document["model"]["convergence"] == bundles[policy].manifest.convergence
        assert document["model"]["not_converged"] == policy
        page = report_page(report)
        top = page[: page.index('<ul class="answer"')]
        assert '<div class="note warn">' in top
        assert "<details" not in top
        assert SAID in top
        assert "The fit of this model may not have converged." in top
        assert ("It abstains from every instance." in top) is (policy == "abstain")
        print_report(report)
        assert f"not converged: {SAID}" in capsys.readouterr().out


def test_a_model_that_may_only_flag_scores_all_the_same(bundles: dict[str, Bundle]) -> None:
    for report in reports(bundles["flag"]):
        assert report.coverage.counts.scored == report.coverage.counts.calls == len(numbers().X_test)


def test_a_model_that_must_abstain_does_so_from_every_instance_and_coverage_says_why(
    bundles: dict[str, Bundle],
) -> None:
    n = len(numbers().X_test)
    for report in reports(bundles["abstain"]):
        assert (report.coverage.counts.abstained, report.coverage.counts.coverage) == (n, 0.0)
        assert [(one.name, one.count, one.of) for one in report.coverage.reasons] == [("not_converged", n, "abstained")]
        assert report.coverage.verdict.level == "alert"
        assert report.performance.figures == []


def test_a_converged_fit_is_not_mentioned(bundles: dict[str, Bundle], capsys: pytest.CaptureFixture[str]) -> None:
    report = production_report(bundles["flag"])
    calm = msgspec.structs.replace(report, model=msgspec.structs.replace(report.model, convergence=[]))
    assert "converged" not in report_page(calm)
    print_report(calm)
    assert "converged" not in capsys.readouterr().out


def test_the_rest_of_many_warnings_is_counted(bundles: dict[str, Bundle], capsys: pytest.CaptureFixture[str]) -> None:
    report = production_report(bundles["flag"])
    many = [f"<b>warning {n}</b>\x1b[31m" for n in range(9)]
    long = msgspec.structs.replace(report, model=msgspec.structs.replace(report.model, convergence=many))
    page = report_page(long)
    assert "&lt;b&gt;warning 2" in page
    assert "warning 3" not in page
    assert "6 more warnings in report.json" in page
    print_report(long)
    told = capsys.readouterr().out
    assert "not converged: 6 more" in told
    assert "\x1b[31m" not in told


def test_the_card_on_the_home_page_shows_it_to_callers_with_a_key() -> None:
    model = HomeModel("wine", "1", convergence=("lbfgs failed <b>", "another"))
    page = home_page([model], with_key=True)
    assert "Not converged" in page
    assert "lbfgs failed &lt;b&gt;" in page
    assert "1 more warning in its report" in page
    assert "converged" not in home_page([model], with_key=False)


def test_the_app_tells_the_home_page(bundles: dict[str, Bundle]) -> None:
    code = (
        "import asyncio, function_app\n"
        "print([len(model.convergence) for model in asyncio.run(function_app.overview_of(None))])"
    )
    models = bundles["flag"].folder.parent.parent
    environment = os.environ | {"HYPERPLANE_STORAGE": "memory://", "HYPERPLANE_MODELS": str(models)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[2, 2]"
