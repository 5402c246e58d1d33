"""The bundle that a record names, by its hash and by nothing else, with a session made as for production.

It may lie anywhere in the folder; what it says of itself must be the model and version of the record. Sessions are kept
from one replay to the next, a few of them; that a bundle cannot be used is remembered for some seconds, so that a
thousand records of it do not hash its files a thousand times. Used from any thread.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path

from scoring.bundle import MANIFEST, Bundle, BundleError, Manifest, list_bundles, load_bundle
from scoring.judge import Judge
from scoring.model import RUN_TIMEOUT_S, Model, ModelError
from scoring.outcome import Decider
from scoring.policies import Policies, PolicyError, in_effect
from scoring.replay_result import CannotReplay

_MODELS_KEPT = 4
_RULES_KEPT = 16
_PROBLEM_S = 10.0


class Rules:
    """How a bundle judges and decides under some policies."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.judge = Judge(manifest)
        self.decider = Decider(manifest)


class RecordedBundles:
    """The bundles of one models folder, by hash."""

    def __init__(
        self, folder: Path, run_timeout_s: float = RUN_TIMEOUT_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = Path(os.path.abspath(folder))  # noqa: PTH100 - as `load_bundle` has it, to cut it from its messages
        self._run_timeout_s = run_timeout_s
        self._clock = clock
        self._lock = threading.Lock()
        self._models = _Kept[str, Model](_MODELS_KEPT)
        self._rules = _Kept[tuple[str, str | None], Rules](_RULES_KEPT)
        self._problems: dict[str, tuple[float, CannotReplay]] = {}

    def model(self, sha256: str | None, name: str, version: str | None) -> Model:
        """The model of a bundle, which must be this version of this model; raises `CannotReplay`."""
        if sha256 is None:
            raise CannotReplay("bundle_gone", "The record names no bundle.")
        model = self._of_hash(sha256, name, version)
        own = model.manifest
        if (own.name, own.version) != (name, version):
            sentence = (
                f"The recorded hash is that of {own.name}/{own.version}, and the record is one of {name}/{version}."
            )
            raise CannotReplay("bundle_of_another", sentence)
        return model

    def _of_hash(self, sha256: str, name: str, version: str | None) -> Model:
        with self._lock:
            self._problems = {key: held for key, held in self._problems.items() if held[0] > self._clock()}
            if sha256 in self._problems:
                raise self._problems[sha256][1]
            try:
                return self._models.get(sha256, lambda: self._loaded(sha256, name, version))
            except CannotReplay as problem:
                self._problems[sha256] = (self._clock() + _PROBLEM_S, problem)
                raise

    def rules(self, model: Model, policies: Policies, fingerprint: str | None) -> Rules:
        """How the model judges and decides under these policies; raises `CannotReplay`."""
        with self._lock:
            return self._rules.get((model.bundle.sha256, fingerprint), lambda: _rules(model.bundle, policies))

    def _loaded(self, sha256: str, name: str, version: str | None) -> Model:
        folder = self._folder_of(sha256)
        if folder is None:
            raise self._gone(sha256, name, version)
        try:
            return Model(load_bundle(folder), self._run_timeout_s)
        except BundleError as problem:
            raise CannotReplay(
                "bundle_altered", self._told("The bundle is not as it was exported", problem)
            ) from problem
        except ModelError as problem:
            raise CannotReplay("model_error", self._told("The bundle cannot be loaded here", problem)) from problem
        except Exception as problem:  # as for the catalog: whatever it is, the other records are replayed
            raise CannotReplay("model_error", self._told("The bundle cannot be used here", problem)) from problem

    def _folder_of(self, sha256: str) -> Path | None:
        folders = (self._folder / name / version for name, version in list_bundles(self._folder))
        return next((folder for folder in folders if _manifest_sha256(folder) == sha256), None)

    def _gone(self, sha256: str, name: str, version: str | None) -> CannotReplay:
        there = version is not None and (name, version) in list_bundles(self._folder)
        other = f"; {name}/{version} there is another one" if there else ""
        return CannotReplay("bundle_gone", f"No bundle in the models folder has the recorded hash {sha256}{other}.")

    def _told(self, what: str, problem: Exception) -> str:
        return f"{what}: {problem}.".replace(f"{self._folder}/", "")


class _Kept[K: Hashable, V]:
    """The values that were used last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, make: Callable[[], V]) -> V:
        value = self._values.pop(key) if key in self._values else make()
        self._values[key] = value
        if len(self._values) > self._most:
            self._values.popitem(last=False)
        return value


def _manifest_sha256(folder: Path) -> str | None:
    try:
        return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    except OSError:
        return None


def _rules(bundle: Bundle, policies: Policies) -> Rules:
    try:
        return Rules(in_effect(bundle.manifest, policies, champion=False))  # of names only a champion must have all
    except PolicyError as problem:
        raise CannotReplay(
            "policies_gone", f"The recorded policies do not hold for the bundle: {problem}."
        ) from problem
