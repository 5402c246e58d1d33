"""An ordinary instance of a model: what the API's documentation shows, and what a model is warmed with."""

from __future__ import annotations

from scoring.bundle import Feature, Label, Manifest
from scoring.storable import STRING_LIMIT

DIGITS = 4  # significant, of an example's numbers


def example_instance(manifest: Manifest) -> dict[str, Label]:
    """Training means to four digits, inside the training range; the first category that means no missing value."""
    return {feature.name: _example(feature) for feature in manifest.features}


def shown_instance(manifest: Manifest) -> dict[str, Label]:
    """The same for everyone to see: without texts of redacted features, which are of people in the training data."""
    hidden = {feature.name for feature in manifest.features if feature.redaction != "none" and feature.type == "string"}
    return {name: "…" if name in hidden else value for name, value in example_instance(manifest).items()}


def _example(feature: Feature) -> Label:
    """A feature's value.

    >>> _example(Feature(name="age", type="float", minimum=18.0, maximum=80.0, mean=41.23456, deviation=9.0))
    41.23
    >>> _example(Feature(name="job", type="string", categories=["", "clerk"], sentinels=[""]))
    'clerk'
    """
    if feature.type == "boolean":
        return bool((feature.categories or [False])[0])
    if feature.type == "string":
        return next((text for text in feature.categories or [] if _is_ordinary(text, feature)), "")
    rounded = float(f"{feature.mean or 0.0:.{DIGITS}g}")
    low = rounded if feature.minimum is None else feature.minimum
    high = rounded if feature.maximum is None else feature.maximum
    value = min(max(rounded, low), high)
    return round(value) if feature.type == "integer" else value


def _is_ordinary(text: Label, feature: Feature) -> bool:
    return text not in feature.sentinels and len(str(text)) <= STRING_LIMIT
