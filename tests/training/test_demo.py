"""The demo models and the command line, as a newcomer meets them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from scoring.bundle import load_bundle
from scoring.model import Model
from tests.training.problems import numbers, people
from training.command import main
from training.convergence import fit_recorded
from training.demo import DEMOS
from training.importance import permutation_importance
from training.model_kind import model_kind


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models")
    assert main(["demo", "--out", str(out)]) == 0
    return out


def test_three_models_one_for_each_task(models: Path) -> None:
    manifests = {name: load_bundle(models / name / "1").manifest for name in DEMOS}
    assert {name: manifest.task for name, manifest in manifests.items()} == {
        "breast-cancer": "binary",
        "wine": "multiclass",
        "diabetes": "regression",
    }
    cancer = manifests["breast-cancer"]
    assert (cancer.classes, cancer.positive) == (["benign", "malignant"], "malignant")
    assert cancer.features[0].name == "mean radius"
    assert cancer.metrics["roc_auc"].value > 0.98
    assert manifests["wine"].classes == ["class_0", "class_1", "class_2"]
    assert manifests["wine"].metrics["accuracy"].value > 0.9
    assert manifests["diabetes"].metrics["r2"].value > 0.35
    assert all(manifest.convergence == [] for manifest in manifests.values())
    assert all(manifest.parity.takes_missing for manifest in manifests.values())


def test_values_were_missing_in_wine_only(models: Path) -> None:
    missing = {
        name: sum(f.missing_in_training for f in load_bundle(models / name / "1").manifest.features) for name in DEMOS
    }
    assert missing["breast-cancer"] == missing["diabetes"] == 0
    assert missing["wine"] > 10


def test_scoring_answers_the_demo_models_as_scikit_learn_does(models: Path) -> None:
    for name, make in DEMOS.items():
        demo = make()
        X_train, X_test, y_train, _ = demo.split()
        demo.pipeline.fit(X_train, y_train)
        answers = Model(load_bundle(models / name / "1")).run(X_test.to_numpy(dtype=np.float64))
        found = answers.value if answers.value is not None else answers.probabilities
        expected = demo.pipeline.predict_proba(X_test) if answers.value is None else demo.pipeline.predict(X_test)
        assert found == pytest.approx(expected, abs=1e-10), name


def test_a_second_run_leaves_valid_bundles_alone_and_names_a_damaged_one(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: load_bundle(models / name / "1").sha256 for name in DEMOS}
    assert main(["demo", "--out", str(models)]) == 0
    assert capsys.readouterr().out.count("is there already") == 3
    assert {name: load_bundle(models / name / "1").sha256 for name in DEMOS} == before
    card = models / "wine" / "1" / "card.md"
    text = card.read_bytes()
    card.write_bytes(text + b"changed")
    try:
        assert main(["demo", "--out", str(models)]) == 1
        message = capsys.readouterr().err
        assert "card.md: its SHA-256 is not the manifest's" in message
        assert "Move" in message
    finally:
        card.write_bytes(text)


def files(folder: Path) -> list[str]:
    """The options that name a pipeline and its data, stored in `folder`."""
    problem = people()
    train = problem.X_train.drop(columns="income").assign(
        good=(problem.y_train == "good").map({True: "yes", False: "no"})
    )
    test = problem.X_test.drop(columns="income").assign(good=(problem.y_test == "good").map({True: "yes", False: "no"}))
    joblib.dump(LogisticRegression(max_iter=9_000).fit(train.drop(columns="good"), train["good"]), folder / "p.joblib")
    train.to_csv(folder / "train.csv", index=False)
    test.to_csv(folder / "test.csv", index=False)
    options = {"pipeline": "p.joblib", "train": "train.csv", "test": "test.csv"}
    return [part for option, name in options.items() for part in (f"--{option}", str(folder / name))]


def test_a_pipeline_in_a_file_is_exported_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["export", *files(tmp_path), "--target", "good", "--name", "credit", "--version", "1"]
    arguments += ["--out", str(tmp_path / "models")]
    assert main([*arguments, "--positive", "yes", "--unit", "age in years=years", "--p99-ms", "20"]) == 0
    assert "equal to scikit-learn on" in capsys.readouterr().out
    manifest = load_bundle(tmp_path / "models" / "credit" / "1").manifest
    assert [(f.name, f.type, f.unit) for f in manifest.features] == [
        ("age in years", "integer", "years"),
        ("owner", "boolean", None),
    ]
    assert (manifest.positive, manifest.requirements.p99_ms, manifest.target) == ("yes", 20.0, "good")
    assert main(arguments) == 1
    assert "versions are never overwritten" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--target", "nothing"], "has no column 'nothing'; its columns are"),
        (["--positive", "maybe"], "--positive maybe: the target has no such label"),
        (["--unit", "age"], "write it as FEATURE=UNIT"),
        (["--train", "none.csv"], "none.csv"),
        (["--pipeline", "train.csv"], "cannot be loaded as a pipeline"),
        (["--train", "empty.csv"], "is not a CSV file with a header"),
        (["--name", "../up"], "1 to 64 letters"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_clear_line(
    changed: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["export", *files(tmp_path), "--target", "good", "--name", "credit", "--version", "1"]
    (tmp_path / "empty.csv").write_text("")
    if changed[1].endswith(".csv"):
        changed = [changed[0], str(tmp_path / changed[1])]
    assert main([*given, "--out", str(tmp_path / "models"), *changed]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert not (tmp_path / "models").exists()


def test_help_teaches_and_answers_without_scikit_learn() -> None:
    code = (
        "import sys\nfrom training.command import main\ntry:\n main(['export', '--help'])\nexcept SystemExit:\n pass\n"
    )
    code += "assert not {'sklearn', 'pandas', 'onnx', 'skl2onnx'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "export only files that you trust" in done.stdout
    assert "python -m training export --pipeline credit.joblib" in done.stdout


def test_warnings_of_a_fit_are_recorded_once_each_and_others_are_shown() -> None:
    problem = numbers()
    notes = fit_recorded(MLPClassifier((3,), max_iter=2, random_state=0), problem.X_train, problem.y_train)
    assert len(notes) == 1
    assert "hasn't converged yet" in notes[0]
    named = LogisticRegression().fit(pd.DataFrame(problem.X_train, columns=list("abcd")), problem.y_train)
    assert fit_recorded(named, problem.X_train, problem.y_train) == []


def test_a_feature_that_decides_is_important_and_noise_is_not() -> None:
    from training.conversion import convert
    from training.session import GraphSession

    random = np.random.default_rng(0)
    X = random.normal(size=(400, 3))
    y = (X[:, 1] > 0).astype(int)
    pipeline = LogisticRegression().fit(X, y)
    kind = model_kind(pipeline)
    session = GraphSession(convert(pipeline, kind, [None] * 3).SerializeToString(), kind)
    found = permutation_importance(session.predict, X, y, kind)
    assert found[1] > 0.4
    assert abs(found[0]) < 0.02
    assert found == permutation_importance(session.predict, X, y, kind), "seeded"
