"""A model with redacted fields behind the real host: what it logs, stores and answers holds none of their values."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from audit.connect import open_stores
from audit.reader import records
from audit.settings import from_environ
from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from scoring.redaction import digest
from scoring.settings import secret_key
from tests.scoring.bundles import AGE, JOB, manifest, write_bundle

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
SECRET = "Grace-Hopper-1906"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Age in clear, a job hashed by its bundle; serving.toml abstains from unknown jobs."""
    models = tmp_path / "models"
    write_bundle(models, manifest(features=[AGE, JOB], calibration=None))
    (models / "serving.toml").write_text(
        '[models.credit.policies.features.job]\nredaction = "hash"\noutside = "abstain"\n', encoding="utf-8"
    )
    return models


def test_no_redacted_value_in_log_output_or_answers(azurite: Azurite, models: Path, tmp_path: Path) -> None:
    environment = {
        "HYPERPLANE_STORAGE": azurite.connection_string,
        "HYPERPLANE_AUDIT_CONTAINER": "redaction-audit",
        "HYPERPLANE_DERIVED_CONTAINER": "redaction-derived",
        "HYPERPLANE_MODELS": str(models),
        "HYPERPLANE_REDACTION_KEY": KEY,
    }
    with LocalHost(env=environment, data=tmp_path / "host") as host:
        client = httpx.Client(base_url=host.url, headers={"x-functions-key": host.key}, timeout=60)
        with client:
            sent = [{"age": 50.0, "job": SECRET}, {"age": SECRET}, {"age": 50.0, SECRET: 1}, SECRET]
            answer = client.post("/models/credit/score", json={"instances": sent, "ids": ["a", "b", "c", "d"]})
            answers = [answer.text]
            for body in (SECRET, f'{{"instances": [{{"job": "{SECRET}"', f'{{"{SECRET}": 1}}'):
                refused = client.post("/models/credit/score", content=body.encode())
                assert refused.status_code == 400
                answers.append(refused.text)
            pages = [
                client.get(f"/models/credit/instances/{name}", headers={"accept": "text/html"}).text for name in "abcd"
            ]
        said = host.log
    found = [record for record, _ in records(open_stores(from_environ(environment)).log)]
    lines = json.dumps([[record.x, record.flags, record.reasons, record.redacted] for record in found])
    for text in (lines, said, *answers, *pages):
        assert SECRET not in text
    assert [result["outcome"] for result in answer.json()["results"]] == ["abstained", *["rejected"] * 3]
    assert [record.kind for record in found] == ["score"] * 4 + ["request_error"] * 3
    assert found[0].x == {"age": 50.0, "job": digest(secret_key(KEY), "job", SECRET)}
    assert found[0].policies is not None
    assert "redacted, keyed hash" in pages[0]
