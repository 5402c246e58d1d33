"""The bundle of the version that answers for a model, for commands: read and hashed, but not loaded as a graph."""

from __future__ import annotations

from pathlib import Path

from scoring.bundle import Bundle, BundleError, list_bundles, load_bundle
from scoring.errors import UnknownModel
from scoring.serving_config import ModelConfig, newest, read_serving


def champion_bundle(models: Path, model: str) -> Bundle:
    """As the service chooses it: serving.toml's champion, or the newest version.

    Raises `UnknownModel`, `BundleError`, and `scoring.serving_config.ServingError` for a file that cannot be read.
    """
    found = list_bundles(models)
    versions = [version for name, version in found if name == model]
    if not versions:
        raise UnknownModel(model, {name for name, _ in found})
    version = read_serving(models / "serving.toml").models.get(model, ModelConfig()).champion or newest(versions)
    if version not in versions:
        raise BundleError(f"serving.toml names version {version} of {model}, but there is no bundle of it in {models}")
    return load_bundle(models / model / version)
