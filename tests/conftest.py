"""Fixtures for every package: real storage, started once."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from infra.local.azurite import Azurite
from tests.platform import Platform, running_platform

ROOT = Path(__file__).parent.parent

# The suite tries the same examples on every machine, so that a change breaks it and not a draw. `make explore` tries
# others, and many more of them.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


# A shell starts background jobs with Ctrl-C ignored, and children inherit that: tests of Ctrl-C could never end there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Folders whose tests share a ledger of all that was answered, and end by comparing it with the log; or that share what
# is dear to make.
ONE_GROUP = {"hostile", "credit"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """When tests run in several processes (`make test`), those of a file stay together, and of some folders too."""
    for item in items:
        folder = item.path.parent
        group = folder if folder.name in ONE_GROUP else item.path
        item.add_marker(pytest.mark.xdist_group(group.relative_to(ROOT).as_posix()))


@pytest.fixture(scope="session", autouse=True)
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The hosts that tests start inherit it: what their hourly timers sign with is none of this folder's own keys."""
    path = tmp_path_factory.mktemp("signing") / "key.pem"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYPERPLANE_SIGNING_KEY", str(path))
        yield path


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Azurite for the whole session: use container names of your own, and leave it running."""
    with Azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.fixture
def azurite_of_its_own(tmp_path: Path) -> Iterator[Azurite]:
    """Azurite for one test that stops and starts it."""
    with Azurite(tmp_path / "azurite") as running:
        yield running


@pytest.fixture(scope="session")
def demo_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo bundles and serving.toml, as `make models` makes them, made anew in a folder of the session's own."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copy(ROOT / "models" / "serving.toml", folder)
    subprocess.run([sys.executable, "-m", "training", "demo", "--out", str(folder)], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="session")
def platform(azurite: Azurite, demo_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The local host on storage of the session's own, serving the demo models."""
    with running_platform(azurite, demo_models, tmp_path_factory.mktemp("host"), "platform") as running:
        yield running
