"""`python -m training export` on mixed types: codes that look like numbers, Parquet, the report page, what it says."""

from __future__ import annotations

import re
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from scoring.bundle import load_bundle
from training.command import main
from training.features import FeaturePolicy
from training.table_file import read_table


def table(rows: int = 300) -> pd.DataFrame:
    """Post codes with leading zeros, an age with gaps, a note of commas and quotes, a weight."""
    random = np.random.default_rng(0)
    post = random.choice(["00110", "01067", "10115"], rows)
    age = np.where(random.random(rows) < 0.1, np.nan, random.integers(18, 80, rows).astype(float))
    note = random.choice(['a, "b"', "NA", "ä\nö"], rows)
    good = np.where((np.nan_to_num(age, nan=40) > 45) ^ (post == "01067"), "yes", "no")
    return pd.DataFrame({"post": post, "age": age, "note": note, "weight": 1.0 + random.random(rows), "good": good})


def written(folder: Path, kind: str) -> list[str]:
    """Files of a fitted pipeline and its data, as the command's options."""
    data = table()
    X = data.drop(columns=["good", "weight"])
    one_hot = ("texts", OneHotEncoder(handle_unknown="ignore"), ["post", "note"])
    prepare = ColumnTransformer([one_hot, ("age", SimpleImputer(), ["age"])])
    pipeline = make_pipeline(prepare, RandomForestClassifier(20, random_state=0))
    pipeline.fit(X[:200], data["good"][:200], randomforestclassifier__sample_weight=data["weight"][:200])
    joblib.dump(pipeline, folder / "credit.joblib")
    for name, part in {"train": data[:200], "test": data[200:]}.items():
        if kind == "csv":
            part.to_csv(folder / f"{name}.csv", index=False)
        else:
            part.to_parquet(folder / f"{name}.parquet")
    given = ["export", "--pipeline", str(folder / "credit.joblib"), "--target", "good", "--name", "credit"]
    return [*given, "--version", "1", "--train", str(folder / f"train.{kind}"), "--test", str(folder / f"test.{kind}")]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_codes_stay_text_and_every_stage_is_told(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [*written(tmp_path, kind), "--out", str(tmp_path / "models"), "--weights", "weight"]
    page = tmp_path / "report.html"
    assert main([*options, *(["--text", "post"] if kind == "csv" else []), "--report", str(page)]) == 0
    said = capsys.readouterr().out
    stages = ("reading the data …", "converting to ONNX …", "proving that the graph", "scoring the test rows")
    for stage in stages:
        assert stage in said
    manifest = load_bundle(tmp_path / "models" / "credit" / "1").manifest
    post, age, note = manifest.features
    assert (post.type, age.type, note.type) == ("string", "float", "string")
    assert post.categories == ["00110", "01067", "10115"]
    assert note.categories == ["NA", 'a, "b"', "ä\nö"]
    assert manifest.data["weighted"] is True
    html = page.read_text(encoding="utf-8")
    assert "preproduction" in html.lower()
    assert "<script" not in html


def test_policies_are_read_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [*written(tmp_path, "parquet"), "--out", str(tmp_path / "models"), "--weights", "weight"]
    policies = tmp_path / "policies.json"
    options += ["--policies", str(policies)]
    policies.write_text('["age"]')
    assert main(options) == 1
    assert f"--policies: {tmp_path}/policies.json is no JSON object" in capsys.readouterr().err
    policies.write_text('{"age": {"mising": "abstain"}}')
    assert main(options) == 1
    assert "policy of feature 'age': Object contains unknown field `mising`" in capsys.readouterr().err
    policies.write_text('{"age": {"defaults": [0, 99], "missing": "reject"}, "note": {"redaction": "hash"}}')
    assert main(options) == 0
    _, age, note = load_bundle(tmp_path / "models" / "credit" / "1").manifest.features
    assert (age.defaults, age.missing, note.redaction) == ([0, 99], "reject", "hash")


def test_the_help_teaches_every_policy(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    said = capsys.readouterr().out
    for name in FeaturePolicy.__struct_fields__:
        assert re.search(rf"^  {name} +\w", said, re.MULTILINE), name


def test_codes_that_csv_turns_into_numbers_are_refused_and_not_taken_for_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*written(tmp_path, "csv"), "--out", str(tmp_path / "models"), "--weights", "weight"]
    assert main(options) == 1
    error = capsys.readouterr().err
    assert "the pipeline raises for rows of X_train in which nothing is missing: TypeError" in error
    assert "--text COLUMN for codes that look like numbers" in error
    assert not (tmp_path / "models").exists()


def test_weights_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [*written(tmp_path, "csv"), "--out", str(tmp_path / "models"), "--weights", "wait"]
    assert main(options) == 1
    assert "has no column 'wait', which --weights names" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--text", "pots"], "--text: {folder}/train.csv has no column 'pots'"),
        (["--text", "post", "--drop", "nte"], "--drop: {folder}/train.csv has no column 'nte'"),
        (["--text", "post", "--positive", "ja"], "--positive ja: the target has no such label, but 'no', 'yes'"),
        (["--text", "post", "--drop", "note"], "it lacks 'note'"),
    ],
)
def test_options_that_do_not_fit_the_files(
    more: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*written(tmp_path, "csv"), "--out", str(tmp_path / "models"), "--weights", "weight"]
    assert main([*options, *more]) == 1
    assert said.format(folder=tmp_path) in capsys.readouterr().err


def test_columns_that_the_pipeline_does_not_know_are_named_and_can_be_dropped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*written(tmp_path, "csv"), "--out", str(tmp_path / "models"), "--text", "post"]
    assert main(options) == 1
    assert "it was not fitted with 'weight'" in capsys.readouterr().err
    page = tmp_path / "a folder" / "that is new" / "report.html"
    assert main([*options, "--drop", "weight", "--report", str(page)]) == 0
    assert page.exists()


def test_the_same_table_is_read_from_both_kinds_of_file(tmp_path: Path) -> None:
    written(tmp_path, "csv")
    written(tmp_path, "parquet")
    csv, parquet = read_table(tmp_path / "train.csv", ["post"]), read_table(tmp_path / "train.parquet")
    pd.testing.assert_frame_equal(csv, parquet)
