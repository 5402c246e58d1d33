"""The JSON Schemas of the OpenAPI document: what is answered comes from the structs that are encoded, so that the two
cannot differ; what is asked for is written here."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from audit.records import Record
from audit.writer import Receipt
from scoring.artifacts import ARTIFACTS
from scoring.bundle import Feature, Manifest
from scoring.errors import BadRequestReason
from scoring.example import DIGITS, shown_instance
from scoring.feature_rule import FeatureRule
from scoring.fields import ID, ID_RULE
from scoring.label_lines import LabelResult
from scoring.labels import REASONS as LABEL_REASONS
from scoring.openapi_inference import inference_schemas
from scoring.openapi_invocation import invocation_schemas
from scoring.openapi_lengths import Schema, equally_long, items_of
from scoring.openapi_service import service_schemas
from scoring.outcome import REASONS as MODEL_REASONS
from scoring.response import Result
from scoring.storable import STRING_LIMIT
from scoring.verdict import REASONS as INPUT_REASONS

_REF = "#/components/schemas/{name}"
CATEGORIES = 100  # of a feature, listed at most
ANSWERED = {  # what the fields of an answer mean
    "Result": {
        "id": "The client's, or one that was made",
        "outcome": "scored; abstained or rejected, because of the reasons; failed, when the model could not answer",
        "label": "Of a classifier: the class",
        "probabilities": "Of a classifier that has them: each class's, by the class as text",
        "score": "Of a classifier of two classes without probabilities: its decision function",
        "value": "Of a regression: the prediction, in the target's unit",
        "reasons": "Why it is not scored; empty if it is",
    },
    "Flags": {
        "missing": "Features without a value, those that were imputed among them",
        "outside": "below or above the training range, by feature; unseen for a category that training did not have",
        "faults": "Of a rejected instance: which of its reasons each feature, or unknown key, gave",
        "distance": "How far it is from the nearest cluster of the training data; null if it was not measured",
    },
    "Receipt": {
        "blob": "The blob of the log that holds the records",
        "sequence": "The number of their frame in the blob",
        "head": "SHA-256 of the frame's header, which the next frame names",
    },
    "LabelResult": {
        "id": "The instance's; null if what was sent is no id",
        "outcome": "recorded; unmatched, no such instance is known yet, the label counts once it comes; rejected, "
        "the label never counts",
        "reasons": "Why it is rejected; empty if it is not",
    },
}
_OF_TRAINING = ("minimum", "maximum", "categories", "more_categories")  # values of people in the training data


def ref(name: str, kind: str = "schemas") -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def schemas(manifests: list[Manifest]) -> dict[str, Schema]:
    """All component schemas: the shared ones, and an instance's for each model."""
    _, answered = msgspec.json.schema_components([Result, LabelResult, Receipt, Record], ref_template=_REF)
    _name_reasons(answered["Result"], INPUT_REASONS + MODEL_REASONS)
    _name_artifacts(answered["Flags"])
    _describe(answered)
    _name_reasons(answered["LabelResult"], LABEL_REASONS)
    instances = {instance_name(manifest): _instance(manifest) for manifest in manifests}
    shared = _shared()
    return {
        **answered,
        **shared,
        **instances,
        "ScoreRequest": _score_request(list(instances)),
        **inference_schemas(manifests, _ID),
        **invocation_schemas(_BESIDE, shared["ScoreResponse"]),
        **service_schemas(),
    }


def instance_name(manifest: Manifest) -> str:
    """The component name of a model's instances; model names hold no character that it may not."""
    return f"instance.{manifest.name}"


def describe_features(manifest: Manifest) -> list[dict[str, Any]]:
    """What the model expects of each feature, in manifest order; the value of `x-features`."""
    takes_missing = manifest.parity.takes_missing
    return [_feature(feature, FeatureRule(feature, takes_missing=takes_missing)) for feature in manifest.features]


def _feature(feature: Feature, rule: FeatureRule) -> dict[str, Any]:
    texts = _texts(feature)
    found = {
        "name": feature.name,
        "type": feature.type,
        "unit": feature.unit,
        "minimum": feature.minimum,
        "maximum": feature.maximum,
        "categories": texts[:CATEGORIES] if feature.type == "string" else feature.categories,
        "more_categories": len(texts) - CATEGORIES if len(texts) > CATEGORIES else None,
        "missing": rule.missing,
        "outside": feature.outside,
        "sentinels": feature.sentinels or None,
        "defaults": feature.defaults or None,
        "redaction": None if feature.redaction == "none" else feature.redaction,
    }
    hidden = () if feature.redaction == "none" else _OF_TRAINING
    return {name: value for name, value in found.items() if value is not None and name not in hidden}


def _texts(feature: Feature) -> list[str]:
    """The categories of a string feature that a client may send: all but those that are too long."""
    found = feature.categories if feature.type == "string" else None
    return [text for text in found or [] if isinstance(text, str) and len(text) <= STRING_LIMIT]


def _instance(manifest: Manifest) -> Schema:
    return {
        "description": f"An instance of {manifest.name}: an object. Anything else, and a value of another type, is "
        "answered as `rejected`.",
        "properties": {feature.name: {"description": _range(feature)} for feature in manifest.features},
        "x-features": describe_features(manifest),
        "examples": [shown_instance(manifest)],
    }


def _range(feature: Feature) -> str:
    words = {"float": "a number", "integer": "a whole number", "boolean": "true or false", "string": "a string"}
    text = words[feature.type]
    if feature.redaction != "none":
        return text + (f" {feature.unit}" if feature.unit else "") + ", redacted in the log"
    if feature.minimum is not None and feature.maximum is not None:
        text += f", in training {feature.minimum:.{DIGITS}g} to {feature.maximum:.{DIGITS}g}"
    if feature.type == "string":
        text += f", in training one of {len(feature.categories or []):,}"
    return text + (f" {feature.unit}" if feature.unit else "")


def _score_request(instances: list[str]) -> Schema:
    items: Schema = {"anyOf": [ref(name) for name in instances]} if instances else {}
    return {
        "type": "object",
        "required": ["instances"],
        "additionalProperties": False,
        "properties": {"instances": {"type": "array", "minItems": 1, "items": items}, **_BESIDE},
        **equally_long((items_of("ids"), items_of("instances"))),
    }


def _name_reasons(schema: Schema, reasons: tuple[str, ...]) -> None:
    schema["properties"]["reasons"]["items"] = {"type": "string", "enum": list(reasons)}


def _describe(answered: dict[str, Schema]) -> None:
    for name, texts in ANSWERED.items():
        for field, text in texts.items():
            answered[name]["properties"][field]["description"] = text


def _name_artifacts(schema: Schema) -> None:
    found = schema["properties"]["artifacts"]
    found["additionalProperties"]["items"] = {"type": "string", "enum": list(ARTIFACTS)}
    found["description"] = "; ".join(f"{word}: {meaning}" for word, meaning in ARTIFACTS.items())


_ID: Schema = {"type": "string", "pattern": f"^{ID.pattern}$", "description": ID_RULE}
_BESIDE: dict[str, Schema] = {
    "ids": {
        "type": ["array", "null"],
        "items": _ID,
        "description": "One for each instance; made up if there are none",
    },
    "request_id": {"anyOf": [_ID, {"type": "null"}], "description": "Goes before the header x-request-id"},
}


REQUEST_ID = _BESIDE["request_id"]


def _answer(results: str, *more: str) -> Schema:
    names = ("model", *more, "request_id")
    return {
        "type": "object",
        "required": [*names, "results", "receipt"],
        "properties": {name: {"type": "string"} for name in names}
        | {
            "results": {"type": "array", "items": ref(results)},
            "receipt": {"type": "array", "items": ref("Receipt"), "description": "Where the log holds the records"},
        },
    }


def _shared() -> dict[str, Schema]:
    given = {
        "description": "A label, an object; anything else, and a label that is none, is answered as `rejected`",
        "properties": {
            "id": {"description": f"The instance's: {ID_RULE}"},
            "label": {"description": "A class of the model, as its JSON value or as the text that keys probabilities"},
            "value": {"description": "For a regression: a finite number"},
            "ts": {"description": "When the truth was known: RFC 3339 with its offset"},
        },
    }
    return {
        "ScoreResponse": _answer("Result", "version"),
        "LabelResponse": _answer("LabelResult"),
        "LabelRequest": {
            "type": "object",
            "required": ["labels"],
            "additionalProperties": False,
            "properties": {
                "labels": {"type": "array", "minItems": 1, "items": given},
                "request_id": _BESIDE["request_id"],
            },
        },
        "Error": {
            "type": "object",
            "required": ["error"],
            "properties": {"error": {"type": "string", "description": "What is wrong, which field, and the fix"}},
            "description": f"Bodies that are no request are recorded as {', '.join(get_args(BadRequestReason))}",
        },
    }
