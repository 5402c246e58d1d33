"""A model's inputs and outputs in the Open Inference Protocol: what metadata lists is what is taken and answered.

Inputs: one tensor [n] for each feature, FP64, BOOL or BYTES, and `instance_id` (BYTES) with the instances' ids, unless
the model has a feature of that name.

| output | datatype | of which models |
|---|---|---|
| `predict` | FP64 for values and for classes that are floats; INT64 for integers and booleans; else BYTES | all |
| `predict_proba` | FP64 [n, classes] | classifiers that have probabilities |
| `score` | FP64 | classifiers that have a decision function instead |
| `outcome`, `reasons`, `instance_id` | BYTES; reasons with commas between them | all |

Only a scored instance has a prediction; every other row holds null in FP64 (NaN in binary), the empty text in BYTES
and the smallest INT64. BOOL has no value left for "none", and false would be a guess: classes false and true are
therefore INT64, 0 and 1, which numpy compares to booleans as equal. Integers that INT64 cannot hold beside its
smallest, and classes of several types, are BYTES as JSON writes them. `outcome` says what a row is in any case.

Metadata is asked for before numpy is needed, so nothing here imports it.
"""

from __future__ import annotations

import msgspec

from scoring.bundle import Feature, Manifest

INSTANCE_ID = "instance_id"
NO_INT64 = -(2**63)
NO_PREDICTION = f'FP64: null, or NaN in binary; INT64: {NO_INT64}; BYTES: ""; outcome and reasons say why'


class TensorType(msgspec.Struct, frozen=True):
    """An input or output; of shape [n], or [n, width]."""

    name: str
    datatype: str
    width: int | None = None


def inputs_of(manifest: Manifest) -> list[TensorType]:
    """A tensor for each feature, in the manifest's order, and the ids."""
    features = [TensorType(feature.name, datatype(feature)) for feature in manifest.features]
    return [*features, TensorType(INSTANCE_ID, "BYTES")] if takes_ids(manifest) else features


def takes_ids(manifest: Manifest) -> bool:
    """Whether a tensor `instance_id` holds ids, and not a feature of that name."""
    return all(feature.name != INSTANCE_ID for feature in manifest.features)


def outputs_of(manifest: Manifest) -> list[TensorType]:
    """What is answered, in this order unless a client asks otherwise."""
    found = [TensorType("predict", predicted_datatype(manifest))]
    if manifest.output.probabilities is not None:
        found.append(TensorType("predict_proba", "FP64", len(manifest.classes)))
    if manifest.output.score is not None:
        found.append(TensorType("score", "FP64"))
    return [*found, *(TensorType(name, "BYTES") for name in ("outcome", "reasons", INSTANCE_ID))]


def datatype(feature: Feature) -> str:
    """A feature's type in the protocol's words.

    >>> datatype(Feature(name="age", type="integer"))
    'FP64'
    """
    return {"boolean": "BOOL", "string": "BYTES"}.get(feature.type, "FP64")


def predicted_datatype(manifest: Manifest) -> str:
    """The datatype of `predict`."""
    if manifest.task == "regression":
        return "FP64"
    kinds = {type(label) for label in manifest.classes}
    if kinds == {bool} or (kinds == {int} and all(NO_INT64 < int(label) < 2**63 for label in manifest.classes)):
        return "INT64"
    return "FP64" if kinds == {float} else "BYTES"


def classes_text(manifest: Manifest) -> str:
    """The classes in the order of `predict_proba`, as JSON: a parameter is a text, a number or a boolean."""
    return msgspec.json.encode(manifest.classes).decode()
