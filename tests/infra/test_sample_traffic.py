"""What `make run` sends besides good rows is wrong in the type of each feature, a text's too."""

from __future__ import annotations

import random
from typing import Any

from infra.local.sample_traffic import one_of_each, spoiled
from scoring.judge import Judge
from tests.scoring.bundles import job_manifest

ROW: dict[str, Any] = {"age": 50.0, "job": "cook"}


def test_a_wrong_type_is_wrong_for_numbers_and_for_texts() -> None:
    judge = Judge(job_manifest())
    for name in ROW:
        good, without, wrong = judge.judge(one_of_each(ROW, name)).verdicts
        assert (good.outcome, without.missing, wrong.reasons) == (None, [name], ["wrong_type"])


def test_rows_are_spoiled_in_every_way_and_every_feature() -> None:
    draw = random.Random(1)
    found = Judge(job_manifest()).judge([spoiled(ROW, draw) for _ in range(60)]).verdicts
    kinds = {(verdict.reasons[:1] == ["wrong_type"], *verdict.missing, *verdict.outside.items()) for verdict in found}
    assert kinds == {
        (True,), (False, "age"), (False, "job"), (False, ("age", "above")), (False, ("job", "unseen")),
    }  # fmt: skip
