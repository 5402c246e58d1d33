"""Bundles by model and version, read once; one that cannot be read is a finding, not an error."""

from __future__ import annotations

from pathlib import Path

from evaluation.profiler import Reference, reference_of
from scoring.bundle import NAME, BundleError, list_bundles, load_bundle


class References:
    """The bundles below a folder. `problems` says why one could not be read, by (model, version)."""

    def __init__(self, models: Path) -> None:
        self._models = Path(models)
        self._read: dict[tuple[str, str], Reference | None] = {}
        self.problems: dict[tuple[str, str], str] = {}

    def get(self, model: str, version: str) -> Reference | None:
        """The bundle's reference, or None."""
        key = (model, version)
        if key not in self._read:
            self._read[key] = self._load(key)
        return self._read[key]

    def sha256(self, model: str, version: str) -> str | None:
        """The bundle's hash, or None."""
        found = self.get(model, version)
        return None if found is None else found.sha256

    def models(self) -> list[str]:
        """Models that have a bundle folder, sorted."""
        return sorted({model for model, _ in list_bundles(self._models)})

    def versions(self, model: str) -> list[str]:
        """Versions of a model that have a bundle folder, sorted."""
        return [version for name, version in list_bundles(self._models) if name == model]

    def _load(self, key: tuple[str, str]) -> Reference | None:
        if not NAME.fullmatch(key[0]) or not NAME.fullmatch(key[1]):
            self.problems[key] = "this is no name of a bundle"
            return None
        try:
            return reference_of(load_bundle(self._models / key[0] / key[1]))
        except BundleError as problem:
            self.problems[key] = str(problem)
            return None
