"""Which models there are, which version of each answers, and what keeps the others from answering.

The folder is read once, at start. Champions are loaded then; another version is loaded when it is first asked for.
A bundle that cannot be trusted or loaded is refused, its problem is listed, and all other models go on. A refused
champion is not replaced by an older version: nobody chose that one.

Challengers are loaded by `scoring.challengers`, after the start. One that is refused, like any version that is not the
champion, is a problem to list and no reason to take the service out of rotation: `ready` stays true.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from scoring.bundle import Bundle, BundleError, Manifest, list_bundles, load_bundle
from scoring.errors import NoDefault, NotReady, UnknownModel, UnknownVersion
from scoring.example import example_instance
from scoring.inference import Run
from scoring.judge import Judge, Judged
from scoring.model import RUN_TIMEOUT_S, Model, ModelError
from scoring.outcome import Decider
from scoring.policies import Policies, PolicyError, fingerprint, in_effect, redacted_by, told
from scoring.protocols.protocol import ScoreRequest
from scoring.redaction import RedactionError, Redactor, Way, redactor_of, stricter
from scoring.serving_config import (
    ModelConfig,
    ServingConfig,
    ServingError,
    newest,
    read_serving,
    version_order,
)
from scoring.verdict import Verdict

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """One version of a model, ready to score."""

    name: str
    version: str
    champion: bool
    bundle: Bundle
    model: Model
    judge: Judge
    decider: Decider
    policies: str | None = None  # fingerprint of serving.toml's, which are in the manifest by now
    redactor: Redactor | None = None

    @property
    def manifest(self) -> Manifest:
        """Everything about the model but its weights, with the policies in effect."""
        return self.bundle.manifest

    def judged(self, request: ScoreRequest) -> Judged:
        """Verdicts on a request's instances, without what the model redacts."""
        judged = self.judge.judge(request.instances, request.ids)
        if self.redactor is not None:
            self.redactor.hide_unknown(judged.verdicts)
        return judged


class Catalog:
    """The models of one folder. `get` may be called from any thread."""

    def __init__(
        self,
        folder: Path,
        config: ServingConfig,
        versions: Mapping[str, list[str]],
        redaction_key: bytes | None = None,
        run_timeout_s: float = RUN_TIMEOUT_S,
    ) -> None:
        self._default = config.default
        self._folder = folder
        self._config = config
        self._versions = versions
        self._redaction_key = redaction_key
        self._champions = {name: _champion(config, name, found) for name, found in versions.items()}
        self._served: dict[tuple[str, str], Served] = {}
        self._run_timeout_s = run_timeout_s
        self._problems: dict[str, str] = {}
        self._asides: set[str] = set()  # of the problems, those that keep no champion from answering
        self._loading: dict[tuple[str, str], threading.Lock] = {}  # one that hangs must not keep others from loading
        self._challengers: dict[str, list[str]] = {}

    @classmethod
    def load(cls, models: Path, redaction_key: bytes | None = None, run_timeout_s: float = RUN_TIMEOUT_S) -> Catalog:
        """Read the folder and load every champion; never raises for what it finds there, see `problems`.

        `run_timeout_s`: how long a model may work on one request, unless serving.toml says so itself.
        """
        folder = Path(os.path.abspath(models))  # noqa: PTH100 - as `load_bundle` has it, to cut it from its messages
        versions = _versions(folder)
        try:
            config = read_serving(folder / "serving.toml")
        except ServingError as problem:
            catalog = cls(folder, ServingConfig(), versions)
            catalog._champions.clear()  # without the file nobody knows which version was meant to answer
            catalog._refuse("serving.toml", str(problem))
        else:
            catalog = cls(folder, config, versions, redaction_key, run_timeout_s)
            catalog._load_champions()
            catalog._choose_challengers()
        return catalog

    @property
    def problems(self) -> dict[str, str]:
        """What was refused and why, by `model/version`, `model` or file; empty when all is well."""
        return dict(self._problems)

    @property
    def ready(self) -> bool:
        """Whether nothing keeps a champion from answering."""
        return self._problems.keys() <= self._asides

    @property
    def models(self) -> list[str]:
        """Names of all models in the folder, ready or not, sorted."""
        return sorted(self._versions)

    def policies(self) -> dict[str, str]:
        """For the log: what serving.toml says of judging, as JSON under `policies/{model}/{fingerprint}`."""
        found = {name: model.policies for name, model in self._config.models.items()}
        return {
            f"policies/{name}/{fingerprint(policies)}": told(policies).decode()
            for name, policies in found.items()
            if policies != Policies()
        }

    def default_model(self) -> str:
        """The model of routes that name none: serving.toml's, or the only one there is. Raises `NoDefault`."""
        if self._default is not None:
            return self._default
        if len(self._versions) == 1:
            return next(iter(self._versions))
        raise NoDefault(self._versions)

    def versions(self, model: str) -> list[str]:
        """A model's versions, oldest first; raises `UnknownModel`."""
        if model not in self._versions:
            raise UnknownModel(model, self._versions)
        return self._versions[model]

    def champion(self, model: str) -> str | None:
        """The version that answers for a model; None while serving.toml cannot be read. Raises `UnknownModel`."""
        self.versions(model)
        return self._champions.get(model)

    def champions(self) -> list[Served]:
        """All champions that are ready, by name."""
        loaded = [self._served.get((name, version)) for name, version in sorted(self._champions.items())]
        return [served for served in loaded if served is not None]

    def challengers(self, model: str) -> list[str]:
        """The versions that are tried beside the champion, loaded or not, in the order of serving.toml."""
        return self._challengers.get(model, [])

    def challenger_timeout_s(self, model: str) -> float:
        """How long each challenger may work on one request."""
        return self._config.models.get(model, ModelConfig()).challenger_timeout_s

    def max_instances(self, model: str, most: int) -> int:
        """How many instances a request may hold, `most` or what serving.toml says for the model if that is less."""
        own = self._config.models.get(model, ModelConfig()).max_instances
        return most if own is None else min(own, most)

    def is_loaded(self, model: str, version: str | None = None) -> bool:
        """Whether `get` answers without reading files."""
        return (model, version or self._champions.get(model)) in self._served

    def get(self, model: str, version: str | None = None) -> Served:
        """A version of a model, by default its champion.

        Loads it when it is asked for the first time, which takes tens of milliseconds or more. Raises `UnknownModel`,
        `UnknownVersion`, or `NotReady` for a bundle that was refused.
        """
        asked = self.champion(model) if version is None else version
        if asked is None:
            raise NotReady(model)
        served = self._served.get((model, asked))
        if served is not None:
            return served
        known = self.versions(model)
        if asked not in known:
            if version is None:
                raise NotReady(model)
            raise UnknownVersion(model, asked, known)
        return self._load(model, asked)

    def _load(self, model: str, version: str) -> Served:
        key = f"{model}/{version}"
        with self._loading.setdefault((model, version), threading.Lock()):
            served = self._served.get((model, version))
            if served is not None:
                return served
            if key in self._problems:
                raise NotReady(model, version)
            champion = self._champions.get(model) == version
            try:
                served = self._serve(model, version)
            except (BundleError, ModelError, PolicyError, RedactionError) as problem:
                self._refuse(key, str(problem).replace(f"{self._folder}/", ""), aside=not champion)
                raise NotReady(model, version) from problem
            except Exception as problem:
                text = f"its bundle cannot be used: {type(problem).__name__}: {problem}"
                self._refuse(key, text, aside=not champion)
                raise NotReady(model, version) from problem
            self._served[model, version] = served
            return served

    def _serve(self, model: str, version: str) -> Served:
        champion = self._champions.get(model)
        config = self._config.models.get(model, ModelConfig())
        policies, run_timeout_s = config.policies, config.run_timeout_s or self._run_timeout_s
        bundle = load_bundle(self._folder / model / version)
        manifest = in_effect(bundle.manifest, policies, champion=version == champion)
        redactor = redactor_of(manifest.features, self._champions_ways(model, policies), self._redaction_key)
        bundle = msgspec.structs.replace(bundle, manifest=manifest)
        served = _warmed(bundle, champion=version == champion, run_timeout_s=run_timeout_s)
        return replace(served, policies=fingerprint(policies), redactor=redactor)

    def _champions_ways(self, model: str, policies: Policies) -> dict[str, Way]:
        """What a model's champion redacts, one that was refused too, as for the lack of a key: what it marks must not
        reach the log through another version. Of a bundle that cannot be read nobody knows more than serving.toml."""
        champion = self._champions.get(model)
        served = self._served.get((model, champion or ""))
        if served is not None:
            return served.redactor.ways if served.redactor is not None else {}
        try:
            features = load_bundle(self._folder / model / champion).manifest.features if champion else []
        except BundleError:
            features = []
        return stricter(features, redacted_by(policies))

    def _load_champions(self) -> None:
        for name in sorted(set(self._config.models) - set(self._versions)):
            self._refuse(name, "serving.toml names it, but there is no bundle of it in the folder")
        if self._default is not None and self._default not in self._versions:
            self._refuse("serving.toml", f"the default model {self._default} has no bundle in the folder")
        for name, version in self._champions.items():
            if version not in self._versions[name]:
                self._refuse(f"{name}/{version}", "serving.toml names this version, but there is no bundle of it")
                continue
            try:
                self._load(name, version)
            except NotReady:
                continue  # listed in `problems`

    def _choose_challengers(self) -> None:
        for name in self._versions:
            named = self._config.models.get(name, ModelConfig()).challengers
            self._challengers[name] = [
                version for version in dict.fromkeys(named) if self._may_challenge(name, version)
            ]
            for version in sorted({version for version in named if named.count(version) > 1}):
                self._refuse(name, f"serving.toml names challenger {version} twice; once is enough", aside=True)

    def _may_challenge(self, name: str, version: str) -> bool:
        if version == self._champions.get(name):
            self._refuse(name, f"serving.toml names version {version} as champion and as challenger", aside=True)
        elif version not in self._versions[name]:
            text = "serving.toml names this version as a challenger, but there is no bundle of it"
            self._refuse(f"{name}/{version}", text, aside=True)
        else:
            return True
        return False

    def _refuse(self, key: str, problem: str, *, aside: bool = False) -> None:
        """List a problem; one that stands aside says of itself that readiness does not depend on it."""
        if aside:
            self._asides.add(key)  # before the problem, for `ready` may be asked at any time
            problem += " (no champion depends on it)"
        known = self._problems.get(key)
        self._problems[key] = problem if known is None else f"{known}; {problem}"
        _log.error("%s is not served: %s", key, problem)


def _versions(folder: Path) -> dict[str, list[str]]:
    """Versions by model, oldest first. Folders whose names no URL could carry are not bundles."""
    versions: dict[str, list[str]] = {}
    for name, version in list_bundles(folder):
        versions.setdefault(name, []).append(version)
    return {name: sorted(found, key=version_order) for name, found in versions.items()}


def _champion(config: ServingConfig, name: str, versions: list[str]) -> str:
    return config.models.get(name, ModelConfig()).champion or newest(versions)


def _warmed(bundle: Bundle, *, champion: bool, run_timeout_s: float) -> Served:
    """A bundle ready to score: the first request finds numpy's and the graph's first calls behind it."""
    model, judge, decider = Model(bundle, run_timeout_s), Judge(bundle.manifest), Decider(bundle.manifest)
    judged = judge.judge([example_instance(bundle.manifest)])
    decider.decide([Verdict()], [Run([0], None, model.run(judged.matrix))])
    return Served(
        name=bundle.manifest.name,
        version=bundle.manifest.version,
        champion=champion,
        bundle=bundle,
        model=model,
        judge=judge,
        decider=decider,
    )
