"""Settings are parsed once, and a malformed one names itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.settings import SettingsError
from scoring.settings import SETTINGS, ScoringSettings, from_environ


def test_the_defaults_are_the_documented_ones() -> None:
    assert from_environ({}) == ScoringSettings()


def test_each_setting_is_read() -> None:
    environ = {
        "HYPERPLANE_MODELS": "bundles", "HYPERPLANE_MAX_BODY_BYTES": "1 MiB", "HYPERPLANE_MAX_INSTANCES": "7",
        "HYPERPLANE_RUN_TIMEOUT_S": "2.5",
    }  # fmt: skip
    assert set(environ) == {setting.name for setting in SETTINGS}
    assert from_environ(environ) == ScoringSettings(Path("bundles"), 2**20, 7, 2.5)


@pytest.mark.parametrize("value", ["0", "-1", "1e5", "many", "1.5"])
def test_a_malformed_count_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="HYPERPLANE_MAX_INSTANCES: expected a whole number above 0"):
        from_environ({"HYPERPLANE_MAX_INSTANCES": value})
