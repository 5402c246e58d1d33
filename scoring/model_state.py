"""What there is to say of each model in the catalog to those who ask for no score: pages and lists."""

from __future__ import annotations

from dataclasses import dataclass

from scoring.bundle import Manifest
from scoring.catalog import Catalog


@dataclass(frozen=True, slots=True)
class ModelState:
    """One model of the folder, ready or not."""

    name: str
    champion: str | None  # version; None while serving.toml cannot be read
    versions: list[str]  # oldest first
    manifest: Manifest | None  # the champion's; None when it cannot be served
    problem: str | None  # why it cannot


def model_states(catalog: Catalog) -> list[ModelState]:
    """All models, by name."""
    return [_state(catalog, name) for name in catalog.models]


def champion_manifest(catalog: Catalog, model: str) -> Manifest | None:
    """The manifest of a model's champion, None when it cannot be served."""
    return next((served.manifest for served in catalog.champions() if served.name == model), None)


def _state(catalog: Catalog, name: str) -> ModelState:
    champion, manifest = catalog.champion(name), champion_manifest(catalog, name)
    refused = catalog.problems.get(f"{name}/{champion}", "its bundle was refused")
    return ModelState(name, champion, catalog.versions(name), manifest, None if manifest else refused)
