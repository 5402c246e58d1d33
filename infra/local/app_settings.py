"""App settings: environment variables, and the `Values` of `local.settings.json` below them.

In Azure every app setting is an environment variable; on a laptop `local.settings.json` (kept out of git) may hold
some. A variable that is set already wins.
"""

import json
import os
import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from infra.local.process import LocalError

_REFERENCE = re.compile(r"%([^%]+)%")
_ON = {"on", "true", "1", "yes"}
_OFF = {"off", "false", "0", "no"}


def load_local_settings(folder: Path, environment: MutableMapping[str, str] = os.environ) -> None:
    """Add what `local.settings.json` in `folder` sets and `environment` does not. Raises LocalError when malformed."""
    path = folder / "local.settings.json"
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise LocalError(f"{path} is not JSON: {error}.") from error
    for name, value in _values(path, content).items():
        environment.setdefault(name, value)


def resolve(text: str, environment: Mapping[str, str], where: str) -> str:
    """Replace each `%NAME%` in a binding by the app setting. Raises LocalError naming a setting that is missing.

    >>> resolve("%SCHEDULE%", {"SCHEDULE": "0 5 * * * *"}, "the schedule of tidy")
    '0 5 * * * *'
    """

    def setting(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise LocalError(f"Setting {match[1]} is missing, which {where} refers to: set that environment variable.")
        return environment[match[1]]

    return _REFERENCE.sub(setting, text)


def read_switch(name: str, environment: Mapping[str, str], default: bool) -> bool:
    """A setting that is on or off. Raises LocalError for anything else."""
    text = environment.get(name, "").strip().lower()
    if text and text not in _ON | _OFF:
        raise LocalError(f"Setting {name} is {text!r}: write on or off.")
    return text in _ON if text else default


def read_size(name: str, environment: Mapping[str, str], default_bytes: int) -> int:
    """A setting that is a number of bytes. Raises LocalError when it is no positive whole number."""
    text = environment.get(name, "").strip()
    if not text:
        return default_bytes
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise LocalError(f"Setting {name} is {text!r}: write a number of bytes above 0.")
    return int(text)


def _values(path: Path, content: object) -> dict[str, str]:
    if not isinstance(content, dict):
        raise LocalError(f"{path} must be an object with Values.")
    if content.get("IsEncrypted"):
        raise LocalError(f"{path} is encrypted: run `func settings decrypt`, or write it anew.")
    values = content.get("Values", {})
    if not isinstance(values, dict):
        raise LocalError(f"{path}: Values must be an object.")
    for name, value in values.items():
        if not isinstance(value, str):
            raise LocalError(f"{path}: Values.{name} must be text, in quotes.")
    return values
