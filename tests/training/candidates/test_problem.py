"""What is read from a table, what is decided about it, and what is refused with a way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.training.candidates.tables import people, points, problem, quantities
from training.candidates.table import kind_of, typed
from training.candidates.target import in_words
from training.errors import TableRefused, TrainingError
from training.table_file import read_table


def csv(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def kinds(table: pd.DataFrame) -> dict[str, str]:
    return {str(name): kind_of(column) for name, column in typed(table).items()}


def refusal(table: pd.DataFrame, target: str = "y", **options: Any) -> str:
    with pytest.raises(TrainingError) as caught:
        problem(table, target, **options)
    return str(caught.value)


class TestAFile:
    def test_has_columns_of_five_kinds_each_with_gaps(self, tmp_path: Path) -> None:
        path = csv(tmp_path, "i,f,b,s,e,y\n1,1.0,True,NA,,a\n,,,,,b\n3,2.5,False,x,,a\n")
        table = typed(read_table(path, nullable=True))
        found = ["integer", "float", "boolean", "string", "empty", "string"]
        assert kinds(table) == dict(zip("ifbsey", found, strict=True))
        assert table["s"].tolist()[0] == "NA", "only an empty cell is missing"
        assert table.isna().sum().to_dict() == {"i": 1, "f": 1, "b": 1, "s": 1, "e": 3, "y": 0}

    def test_as_parquet_is_the_same_table(self, tmp_path: Path) -> None:
        people().to_parquet(tmp_path / "people.parquet")
        people().to_csv(tmp_path / "people.csv", index=False)
        parquet, text = (typed(read_table(tmp_path / f"people.{kind}", nullable=True)) for kind in ("parquet", "csv"))
        pd.testing.assert_frame_equal(parquet, text)

    def test_with_two_columns_of_one_name_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(TableRefused, match="columns of the same name: 'a'; rename one"):
            read_table(csv(tmp_path, "a,b,a\n1,2,3\n"))

    @pytest.mark.parametrize("text", ["", "a,b\n1,2,3\n4,5,6\n", 'a,b\n"1,2\n'])
    def test_that_is_no_table_is_refused(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(TableRefused, match="is not a CSV file with a header"):
            read_table(csv(tmp_path, text))

    def test_that_is_not_parquet_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "table.parquet"
        path.write_bytes(b"PAR1 but not")
        with pytest.raises(TableRefused, match="cannot be read as Parquet"):
            read_table(path)


class TestColumns:
    def test_that_cannot_help_are_left_out_and_named(self) -> None:
        table = points().assign(
            constant=1, gone=np.nan, customer=[f"c{i}" for i in range(120)], row=range(1, 121), half=[np.nan, 1] * 60
        )
        found = problem(table)
        assert found.columns.names == ["a", "b", "half"]
        notes = " | ".join(found.notes)
        assert "'constant' is left out: it is '1' in every training row" in notes
        assert "'gone' is left out: it is missing in every training row" in notes
        assert "'customer' is left out: it holds a different text in every row" in notes
        assert "'row' is left out: it counts the rows" in notes

    def test_that_look_like_identifiers_can_be_kept_and_others_dropped(self) -> None:
        table = points().assign(customer=[f"c{i}" for i in range(120)], row=range(120))
        assert problem(table, keep=["customer", "row"], drop=["a"]).columns.names == ["b", "customer", "row"]

    @pytest.mark.parametrize(
        ("column", "words"),
        [
            (pd.to_datetime(["2026-11-24"] * 120), "column 'x' holds dates or times; turn it into a number"),
            ([1, "one"] * 60, "column 'x' holds mixed-integer values; make it all numbers or all text"),
            ([1.0, np.inf] * 60, "column 'x' has 60 infinite values; make them missing"),
            ([[1]] * 120, "column 'x' holds mixed values"),
        ],
        ids=["dates", "mixed", "infinite", "lists"],
    )
    def test_of_other_kinds_are_refused_by_name(self, column: Any, words: str) -> None:
        assert words in refusal(points().assign(x=column))

    def test_of_the_same_name_are_refused(self) -> None:
        table = points()
        table.columns = pd.Index(["a", "a", "y"])
        assert "columns of the same name: 'a'" in refusal(table)

    def test_may_not_all_be_left_out(self) -> None:
        assert "no column is left to predict from: 'a' is '1'" in refusal(points().assign(a=1).drop(columns="b"))

    def test_are_logarithmic_only_where_no_row_is_negative(self) -> None:
        table = points().assign(a=np.exp(points()["a"]))
        assert [column.logarithmic for column in problem(table).columns.every] == [True, False]
        negative = table.head(20).assign(a=-1.0)
        assert not problem(table, test=negative).columns.every[0].logarithmic


class TestTheTarget:
    def test_must_be_there(self) -> None:
        assert refusal(points(), "z") == "the table has no column 'z'; its columns are a, b, y"

    def test_is_a_class_when_text_or_few_whole_numbers_and_a_quantity_otherwise(self) -> None:
        tasks = {
            "binary": points(),
            "multiclass": points().assign(y=[0, 1, 2] * 40),
            "regression": quantities(),
        }
        assert {task: problem(table).target.task for task, table in tasks.items()} == {task: task for task in tasks}
        assert problem(points().assign(y=[0.0, 1.0] * 60)).target.classes == (0, 1)
        assert problem(points().assign(y=[True, False] * 60)).target.classes == (False, True)
        assert problem(points().assign(y=range(120)), task="regression").target.task == "regression"

    def test_that_is_missing_leaves_the_row_out(self) -> None:
        table = points()
        table.loc[[3, 4], "y"] = None
        found = problem(table)
        assert len(found.train) + len(found.test) == 118
        assert "2 rows of the table without a value of 'y' left out" in found.notes

    def test_of_one_class_or_one_value_is_refused(self) -> None:
        assert "is 'yes' in every row; rows of two classes are needed" in refusal(points().assign(y="yes"))
        assert "there is nothing to predict" in refusal(quantities().assign(y=1.5), task="regression")

    def test_with_a_class_of_two_rows_is_refused_with_a_way_out(self) -> None:
        table = points().assign(y=["rare"] * 2 + ["no"] * 118)
        assert "class 'rare' of target 'y' has 2 rows; each class needs 4" in refusal(table)

    def test_with_fewer_rows_of_a_class_than_folds_gets_fewer_folds(self) -> None:
        found = problem(points().assign(y=["rare"] * 4 + ["no"] * 116), folds=5)
        assert found.folds == 3
        assert "3 folds instead of 5: class 'rare' has 3 training rows" in found.notes

    def test_that_is_text_cannot_be_a_regression_nor_fractions_classes(self) -> None:
        assert "a regression needs numbers" in refusal(points(), task="regression")
        assert "holds fractions, which cannot be class labels" in refusal(quantities(), task="classification")

    def test_has_the_rare_class_as_the_positive_one_unless_it_is_named(self) -> None:
        table = points(rare=0.08).replace({"y": {"yes": "a fraud"}})
        assert problem(table).target.positive == "a fraud"
        assert problem(table, positive="no").target.positive == "no"
        assert problem(points().assign(y=[1, 0] * 60), positive="0").target.positive == 0
        assert "target 'y' has no such label, but 'no', 'yes'" in refusal(points(), positive="maybe")
        assert "positive is a fraud" in in_words(problem(table).target)


class TestTestRows:
    def test_are_a_stratified_share_or_a_table_of_their_own(self) -> None:
        split = problem(points(rare=0.1), test_share=0.25)
        assert (len(split.test), (split.test.y == "yes").sum()) == (30, 3)
        own = problem(points(), test=points(seed=1).head(50))
        assert (len(own.train), len(own.test)) == (120, 50)

    @pytest.mark.parametrize(
        ("test", "words"),
        [
            (points().drop(columns="a"), "the test table lacks 'a'"),
            (points().assign(a="x"), "column 'a' is float in the training table and string in the test table"),
            (
                points().replace({"y": {"yes": "new"}}),
                "the test table has labels of 'y' that no training row",
            ),
        ],
        ids=["missing column", "other kind", "unknown label"],
    )
    def test_must_be_like_the_training_rows(self, test: pd.DataFrame, words: str) -> None:
        assert words in refusal(points(), test=test)

    def test_need_neither_the_weights_nor_what_is_dropped(self) -> None:
        table = points().assign(w=1.0, other="x")
        found = problem(table, test=points(seed=1), weights="w", drop=["other"])
        assert found.columns.names == ["a", "b"]


def test_weights_must_be_numbers_of_at_least_zero() -> None:
    assert "weights: column 'w' is string" in refusal(points().assign(w="x"), weights="w")
    assert "must have a number of at least 0 in every row" in refusal(points().assign(w=-1.0), weights="w")
    assert "is the target" in refusal(points(), weights="y")
    found = problem(points().assign(w=range(120)), weights="w")
    assert found.train.weights is not None
    assert found.columns.names == ["a", "b"]


def test_too_few_rows_and_impossible_shares_are_refused() -> None:
    assert "19 rows with a target are too few" in refusal(points(19))
    assert "test_share 1: a share between 0 and 1" in refusal(points(), test_share=1)
    assert "folds 1: two at least" in refusal(points(), folds=1)
    assert "choose another" in refusal(points(), test_share=0.001)
