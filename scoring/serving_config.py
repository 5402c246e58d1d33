"""`models/serving.toml`: which version of each model answers, which ones are tried beside it, and the default model.

    default = "credit"            # optional: the model of routes that name none
    [models.credit]
    champion = "3"                # optional: without it the newest version
    max_instances = 10000         # optional: fewer than HYPERPLANE_MAX_INSTANCES for this model
    run_timeout_s = 10            # optional: in place of HYPERPLANE_RUN_TIMEOUT_SECONDS for this model
    challengers = ["4", "5"]      # optional: score what the champion scored, and are recorded, never returned
    challenger_timeout_s = 5      # optional: how long each of them may work on one request
    [models.credit.policies]      # optional: how it is judged, where that differs from the bundle; see scoring.policies

A challenger that there is no bundle of, that is the champion, or that is named twice, is the catalog's problem: the
champion answers all the same. What is no version's name at all makes the file unusable, like any other slip in it.

The newest version is the last in the order of people: numbers as numbers (9 < 10, 1.9 < 1.10), a suffix before the
version itself (2-rc < 2). Names whose numbers are equal (01 and 1) are compared as text, so the order is total.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from scoring.bundle import NAME
from scoring.policies import Policies

NAME_RULE = "1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit"
CHALLENGER_TIMEOUT_S = 5.0
_LONGEST_S = 3600.0


class ServingError(Exception):
    """serving.toml cannot be used; the message says where and why."""


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model's table."""

    champion: str | None = None
    max_instances: int | None = None
    run_timeout_s: float | None = None
    challengers: list[str] = []
    challenger_timeout_s: float = CHALLENGER_TIMEOUT_S
    policies: Policies = Policies()


class ServingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    default: str | None = None
    models: dict[str, ModelConfig] = {}


def read_serving(path: Path) -> ServingConfig:
    """The configuration in a file, an empty one if there is no file; raises `ServingError`."""
    try:
        config = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), ServingConfig)
    except FileNotFoundError:
        return ServingConfig()
    except (OSError, ValueError, RecursionError) as problem:  # what tomllib, msgspec and int() raise are ValueErrors
        raise ServingError(f"{path.name}: {problem}") from problem
    _check(config, path.name)
    return config


def newest(versions: Iterable[str]) -> str:
    """The newest of at least one version.

    >>> newest(["9", "10", "2"]), newest(["1.9", "1.10-rc", "1.10"])
    ('10', '1.10')
    """
    return max(versions, key=version_order)


def version_order(version: str) -> tuple[list[tuple[int, int, str]], str]:
    """A key that sorts versions as people count.

    >>> sorted(["10", "9", "2-rc", "2", "1.10", "b", "1.9", "01", "1"], key=version_order)
    ['b', '01', '1', '1.9', '1.10', '2-rc', '2', '9', '10']
    """
    pieces = re.findall(r"[0-9]+|[^0-9.]+", version)
    ranked = [(2, int(piece), "") if piece.isdigit() else (0, 0, piece) for piece in pieces]
    return [*ranked, (1, 0, "")], version


def _check(config: ServingConfig, file: str) -> None:
    for name, model in config.models.items():
        where = f"{file}: models.{name}"
        if not NAME.fullmatch(name):
            raise ServingError(f"{where}: a name has {NAME_RULE}")
        if model.champion is not None and not NAME.fullmatch(model.champion):
            raise ServingError(f"{where}.champion: a version has {NAME_RULE}")
        if not all(map(NAME.fullmatch, model.challengers)):
            raise ServingError(f"{where}.challengers: a version has {NAME_RULE}")
        if model.max_instances is not None and model.max_instances < 1:
            raise ServingError(f"{where}.max_instances: expected a whole number above 0")
        for field in ("run_timeout_s", "challenger_timeout_s"):
            limit_s = getattr(model, field)
            if limit_s is not None and not 0 < limit_s <= _LONGEST_S:  # TOML knows nan and inf
                raise ServingError(f"{where}.{field}: expected seconds above 0, at most {_LONGEST_S:.0f}")
