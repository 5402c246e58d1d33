"""String features before production: baseline, sample, card and envelope, given the positions that the graph gets."""

from __future__ import annotations

import io
import re
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from scoring.bundle import Baseline, Criteria, Feature, Histogram, Label, Manifest, Metric
from scoring.encoding import Encoding
from tests.scoring.bundles import AGE, JOB, MEMBER, job_manifest
from training import envelope
from training.answer import Answer
from training.baseline import build_baseline
from training.card import model_card
from training.data import Data, Doubles
from training.envelope import calibrate
from training.model_kind import ModelKind
from training.sample import sample_parquet

KIND = ModelKind("regression", (), "value")
ROWS = np.array([[30.0, 0.0], [40.0, 1.0], [50.0, np.nan], [60.0, 1.0], [np.nan, 1.0]])
HOSTILE = ["<script>alert(1)</script>", "a|b", "`code`", "two\nlines", "\u202eexe", "", "  ", "x" * 100_000]


def baseline(values: Doubles, features: list[Feature]) -> Baseline:
    answer = Answer(None, np.array([[1.0], [2.0]]))
    return build_baseline(features, calibrate(values, features), values, KIND, answer, None)


def test_a_baseline_counts_texts_by_category() -> None:
    found = baseline(ROWS, [AGE, JOB])
    assert found.features["job"] == Histogram(categories=["clerk", "cook"], counts=[1, 3], missing=1)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Baseline) == found


def test_known_and_unknown_texts_are_unseen() -> None:
    values = np.array([[30.0, 2.0], [40.0, -1.0], [50.0, 0.0]])
    assert baseline(values, [AGE, JOB]).features["job"] == Histogram(
        categories=["clerk", "cook"], counts=[1, 0], unseen=2
    )


def test_booleans_are_counted_as_before() -> None:
    values = np.array([[1.0], [0.0], [np.nan], [1.0]])
    found = baseline(values, [MEMBER]).features["member"]
    assert found == Histogram(categories=[False, True], counts=[1, 2], missing=1)


def test_a_sample_holds_the_texts_themselves() -> None:
    job = msgspec.structs.replace(JOB, categories=["a\x00b", "😀"])
    data = sample_parquet(Data(ROWS, np.arange(5.0)), np.arange(5.0), [AGE, job], "y")
    table = pq.read_table(io.BytesIO(data))
    assert str(table.schema.field("job").type) == "string"
    assert table["job"].to_pylist() == ["a\x00b", "😀", None, "😀", "😀"]
    assert table["age"].to_pylist() == [30.0, 40.0, 50.0, 60.0, None]


def test_a_position_without_a_text_is_no_text() -> None:
    with pytest.raises(KeyError):
        sample_parquet(Data(np.array([[-1.0]]), np.arange(1.0)), np.arange(1.0), [JOB], "y")


def test_clusters_of_strings_are_in_encoded_space() -> None:
    texts: list[Label] = ["a", "b", "c"]
    letter = Feature(name="letter", type="string", categories=texts)
    values = np.array([[0.0]] * 5 + [[1.0]] * 5 + [[np.nan]] * 5)
    found = calibrate(values, [letter])
    one = float(Encoding([letter]).encode(values[:1])[0, 0])
    np.testing.assert_allclose(sorted(found.centres), [[0.0, 0.0, 0.0], [0.0, one, 0.0], [one, 0.0, 0.0]], atol=1e-12)
    assert found.threshold == pytest.approx(0.0, abs=1e-12)


def test_an_encoding_too_large_for_the_memory_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    texts: list[Label] = [f"{i:03}" for i in range(100)]
    features = [AGE, Feature(name="place", type="string", categories=texts)]
    values = np.column_stack([draw.normal(50, 10, 4_000), draw.integers(0, 100, 4_000)]).astype(np.float64)
    sizes: list[tuple[int, ...]] = []
    encode = Encoding.encode

    def counted(encoding: Encoding, rows: Doubles) -> Doubles:
        sizes.append(rows.shape)
        return encode(encoding, rows)

    monkeypatch.setattr(envelope, "CELLS_AT_MOST", 101 * 500)
    monkeypatch.setattr(Encoding, "encode", counted)
    first, again = calibrate(values, features), calibrate(values, features)
    assert sizes == [(500, 2)] * 2
    assert first == again
    assert len(first.centres) == 8


def card(job: Feature, **changes: Any) -> str:
    described: Manifest = job_manifest(
        job, data={"rows": 5, "sha256": "0" * 64}, metrics={"rmse": Metric(value=1.0, n=2)}, **changes
    )
    return model_card(described, KIND, "steps", 2)


def row_of(text: str) -> str:
    (row,) = [line for line in text.splitlines() if line.startswith("| job |")]
    return row


def test_a_card_lists_few_categories_and_counts_the_rest() -> None:
    assert "| “clerk”, “cook” |" in row_of(card(JOB))
    many = msgspec.structs.replace(JOB, categories=[f"c{i:03}" for i in range(250)])
    assert re.search(r"“c000”, .*“c009”, … 240 more \|", row_of(card(many)))
    assert "c010" not in card(many)


def test_a_card_is_not_broken_by_its_categories() -> None:
    text = card(msgspec.structs.replace(JOB, categories=HOSTILE))
    row = row_of(text)
    assert len(re.findall(r"(?<!\\)\|", row)) == 7, "as many cells as columns"
    assert "<script" not in text
    assert "\u202e" not in text
    assert "“”, “ ”" in row
    assert "(100,000 characters)" in row
    assert len(text) < 4_000


def test_a_card_says_which_features_cannot_have_been_learnt_from() -> None:
    one = msgspec.structs.replace(JOB, categories=["clerk"])
    assert "cannot have learnt from: job" in card(one)
    assert "cannot have learnt from" not in card(JOB)


def test_a_card_says_where_it_abstains() -> None:
    strict = msgspec.structs.replace(JOB, outside="abstain")
    assert "It abstains when any string is a category that training did not have." in card(strict)
    both = [msgspec.structs.replace(AGE, outside="abstain"), strict]
    text = card(strict, features=both, criteria=Criteria())
    assert "It abstains when any number is outside its training range." in text
    assert "a category that training did not have" not in card(JOB)
