"""App settings: the environment wins over local.settings.json, and malformed ones are refused by name."""

import json
from pathlib import Path

import pytest

from infra.local.app_settings import load_local_settings, read_size, read_switch, resolve
from infra.local.process import LocalError


def test_local_settings_add_what_the_environment_lacks(tmp_path: Path) -> None:
    values = {"IsEncrypted": False, "Values": {"A": "file", "B": "file"}, "Host": {"LocalHttpPort": 7071}}
    (tmp_path / "local.settings.json").write_text(json.dumps(values), encoding="utf-8")
    environment = {"A": "environment"}
    load_local_settings(tmp_path, environment)
    assert environment == {"A": "environment", "B": "file"}


def test_there_may_be_no_local_settings(tmp_path: Path) -> None:
    environment: dict[str, str] = {}
    load_local_settings(tmp_path, environment)
    assert environment == {}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "not JSON"),
        ("[]", "must be an object"),
        ('{"IsEncrypted": true, "Values": {}}', "encrypted"),
        ('{"Values": []}', "Values must be an object"),
        ('{"Values": {"A": 1}}', "Values.A must be text"),
    ],
)
def test_malformed_local_settings_are_refused_by_name(tmp_path: Path, content: str, named: str) -> None:
    (tmp_path / "local.settings.json").write_text(content, encoding="utf-8")
    with pytest.raises(LocalError, match=r"local\.settings\.json") as error:
        load_local_settings(tmp_path, {})
    assert named in str(error.value)


def test_references_are_resolved_and_a_missing_one_is_named() -> None:
    assert resolve("a %X% b %Y%", {"X": "1", "Y": "%X%"}, "it") == "a 1 b %X%"
    assert resolve("100%", {}, "it") == "100%"
    with pytest.raises(LocalError, match="Setting SCHEDULE is missing, which the schedule of tidy refers to"):
        resolve("%SCHEDULE%", {}, "the schedule of tidy")


def test_switches_and_sizes_take_their_default_and_refuse_the_rest() -> None:
    assert [read_switch("AUTH", {"AUTH": text}, default=True) for text in ["", "on", "OFF", "0", " true "]] == [
        True,
        True,
        False,
        False,
        True,
    ]
    with pytest.raises(LocalError, match="AUTH is 'maybe'"):
        read_switch("AUTH", {"AUTH": "maybe"}, default=True)
    assert read_size("LIMIT", {}, 7) == 7
    assert read_size("LIMIT", {"LIMIT": "12"}, 7) == 12
    for text in ["0", "-1", "1k", "²"]:
        with pytest.raises(LocalError, match="LIMIT"):
            read_size("LIMIT", {"LIMIT": text}, 7)
