"""Each client's run, once a session, and the server that it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from tests.foreign.foreign_client import WITHOUT_KEYS, Run, run_client
from tests.platform import Platform

collect_ignore_glob = ["use_*.py"]  # they run in their clients' environments


@pytest.fixture(scope="session")
def unlocked(azurite: Azurite, demo_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a host that asks for no key."""
    environment = {
        "HYPERPLANE_STORAGE": azurite.connection_string,
        "HYPERPLANE_AUDIT_CONTAINER": "unlocked-audit",
        "HYPERPLANE_DERIVED_CONTAINER": "unlocked-derived",
        "HYPERPLANE_MODELS": str(demo_models),
        "AUTH": "off",
    }
    with LocalHost(env=environment, data=tmp_path_factory.mktemp("unlocked")) as host:
        yield host.url


@pytest.fixture(scope="session")
def run_of(platform: Platform, request: pytest.FixtureRequest) -> Callable[[str], Run]:
    """What a client got, by its name."""

    @cache
    def run(name: str) -> Run:
        if name in WITHOUT_KEYS:
            return run_client(name, request.getfixturevalue("unlocked"), "")
        return run_client(name, platform.url, platform.key)

    return run
