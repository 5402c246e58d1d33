"""Settings are parsed once, and a malformed one names itself."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.settings import SettingsError
from scoring.settings import SETTINGS, ScoringSettings, from_environ

KEY = bytes(range(220, 256))  # both characters in which the alphabets differ


def test_the_defaults_are_the_documented_ones() -> None:
    assert from_environ({}) == ScoringSettings()


def test_each_setting_is_read() -> None:
    environ = {
        "HYPERPLANE_MODELS": "bundles", "HYPERPLANE_MAX_BODY_BYTES": "1 MiB", "HYPERPLANE_MAX_INSTANCES": "7",
        "HYPERPLANE_RUN_TIMEOUT_SECONDS": "2.5", "HYPERPLANE_REDACTION_KEY": base64.b64encode(KEY).decode(),
    }  # fmt: skip
    assert set(environ) == {setting.name for setting in SETTINGS}
    assert from_environ(environ) == ScoringSettings(Path("bundles"), 2**20, 7, 2.5, KEY)


@pytest.mark.parametrize("encode", [base64.standard_b64encode, base64.urlsafe_b64encode])
def test_a_key_may_be_in_either_alphabet_and_is_not_shown(encode: Callable[[bytes], bytes]) -> None:
    settings = from_environ({"HYPERPLANE_REDACTION_KEY": encode(KEY).decode()})
    assert settings.redaction_key == KEY
    assert "redaction_key" not in repr(settings)


@pytest.mark.parametrize("value", ["secret", "A" * 42, base64.b64encode(b"x" * 31).decode(), "é" * 44, "!" * 44])
def test_a_key_that_is_none_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(SettingsError, match="HYPERPLANE_REDACTION_KEY: expected at least 32 random bytes") as caught:
        from_environ({"HYPERPLANE_REDACTION_KEY": value})
    assert value not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("value", ["0", "-1", "1e5", "many", "1.5"])
def test_a_malformed_count_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="HYPERPLANE_MAX_INSTANCES: expected a whole number above 0"):
        from_environ({"HYPERPLANE_MAX_INSTANCES": value})
