"""Two versions of a demo model behind the real host: one answers, the other is in the log, and readiness says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.reader import records
from audit.verify import verify
from bench.troubled_models import NEVER_ENDING, troubling_instance, turning, write_version
from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from scoring.bundle import Bundle, load_bundle
from tests.platform import Platform


@pytest.fixture(scope="module")
def models(demo_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Champion 1, an equal version 2, a version 3 that never ends, and a version 4 that was changed after export."""
    folder = tmp_path_factory.mktemp("challenged")
    bundle = load_bundle(demo_models / "wine" / "1")
    for version in "124":
        write_version(bundle, folder, "wine", version)
    write_version(bundle, folder, "wine", "3", turning(NEVER_ENDING))
    (folder / "wine" / "4" / "model.onnx").write_bytes(b"changed")
    (folder / "serving.toml").write_text(
        '[models.wine]\nchampion = "1"\nchallengers = ["2", "3", "4"]\nchallenger_timeout_s = 0.2\n'
    )
    return folder


@pytest.fixture(scope="module")
def challenged(azurite: Azurite, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHost]:
    environment = storage_of(azurite) | {"HYPERPLANE_MODELS": str(models)}
    with LocalHost(env=environment, data=tmp_path_factory.mktemp("host")) as host:
        yield host


def test_challengers_are_recorded_and_the_champion_answers_whatever_they_do(
    challenged: LocalHost, azurite: Azurite, models: Path
) -> None:
    platform = Platform(challenged.url, challenged.key, storage_of(azurite))
    bundle = load_bundle(models / "wine" / "1")
    ids = [f"i-{number}" for number in range(6)]
    for name in ids:
        body = {"instances": [troubling_instance(bundle)], "ids": [name]}
        answer = platform.client.post("/models/wine/score", json=body)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["version"], len(answer.json()["results"])) == ("1", 1)
        assert answer.json()["results"][0]["outcome"] == "scored"
    metadata = platform.client.get("/v2/models/wine").json()["parameters"]
    assert (metadata["champion"], metadata["challengers"]) == ("1", '["2","3","4"]')
    ready = platform.client.get("/v2/health/ready")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert "no champion depends on it" in ready.json()["problems"]["wine/4"]
    platform.close()
    challenged.stop()
    check_log(platform, bundle, ids)


def check_log(platform: Platform, bundle: Bundle, ids: list[str]) -> None:
    """After the end of the process: the challengers' records are in, beside the champion's, and the chain holds."""
    found = [record for record, _ in records(platform.stores.log)]
    by_version = {version: [record for record in found if record.version == version] for version in "1234"}
    assert [record.id for record in by_version["1"]] == ids
    assert {record.role for record in by_version["1"]} == {"champion"}
    assert [record.id for record in by_version["2"]] == ids
    assert [record.y for record in by_version["2"]] == [record.y for record in by_version["1"]]
    assert [(record.outcome, record.reasons) for record in by_version["3"]] == [("failed", ["timeout"])] * len(ids)
    assert by_version["4"] == []
    assert not verify(platform.stores.log)


def storage_of(azurite: Azurite) -> dict[str, str]:
    return {
        "HYPERPLANE_STORAGE": azurite.connection_string,
        "HYPERPLANE_AUDIT_CONTAINER": "challenged-audit",
        "HYPERPLANE_DERIVED_CONTAINER": "challenged-derived",
    }
