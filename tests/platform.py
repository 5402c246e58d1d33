"""The whole of Hyperplane on this machine, as a user meets it: a key, a URL, and the commands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
from sklearn import datasets

from audit.connect import Stores, open_stores
from audit.settings import from_environ
from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost

ROOT = Path(__file__).parent.parent
DEMO_MODELS = ("breast-cancer", "diabetes", "wine")
LOADERS = {
    "breast-cancer": datasets.load_breast_cancer,
    "diabetes": partial(datasets.load_diabetes, scaled=False),
    "wine": datasets.load_wine,
}


@dataclass(frozen=True)
class Platform:
    """A running host and the storage behind it."""

    url: str
    key: str
    environment: Mapping[str, str]  # what the commands need to find the same storage and models

    @cached_property
    def client(self) -> httpx.Client:
        """An HTTP client that sends the key; `close` ends it."""
        return httpx.Client(base_url=self.url, headers={"x-functions-key": self.key}, timeout=60)

    def command(self, module: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `python -m module …` as a user would."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
        )
        assert not check or done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done

    @cached_property
    def stores(self) -> Stores:
        """The two containers, opened beside the host."""
        return open_stores(from_environ(self.environment))

    def close(self) -> None:
        """End the client's connections."""
        self.client.close()


@contextmanager
def running_platform(azurite: Azurite, models: Path, data: Path, name: str) -> Iterator[Platform]:
    """A local host that serves the models; its containers' names begin with `name`, its own files are in `data`."""
    environment = {
        "HYPERPLANE_STORAGE": azurite.connection_string,
        "HYPERPLANE_AUDIT_CONTAINER": f"{name}-audit",
        "HYPERPLANE_DERIVED_CONTAINER": f"{name}-derived",
        "HYPERPLANE_MODELS": str(models),
    }
    with LocalHost(env=environment, data=data) as host:
        running = Platform(host.url, host.key, environment)
        yield running
        running.close()


@cache
def demo_rows(model: str) -> list[tuple[dict[str, float], Any]]:
    """(instance, truth) of every row of the data that scikit-learn ships for a demo model."""
    data = LOADERS[model](as_frame=True)
    frame: pd.DataFrame = data.data
    truth = data.target if model == "diabetes" else data.target.map(dict(enumerate(map(str, data.target_names))))
    rows = frame.astype(float).to_dict("records")
    return [({str(name): float(row[name]) for name in row}, label) for row, label in zip(rows, truth, strict=True)]
