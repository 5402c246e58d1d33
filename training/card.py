"""The model card: what a person should know before relying on the model (after Mitchell et al., 2019)."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.pages.text import listed
from scoring.bundle import Feature, Manifest, class_key
from training.importance import headline
from training.model_kind import ModelKind


def model_card(manifest: Manifest, kind: ModelKind, steps: str, test_rows: int) -> str:
    """Markdown; everything in it follows from the manifest but the steps and the number of test rows."""
    parts = [
        f"# {_plain(manifest.name)}, version {_plain(manifest.version)}",
        _plain(manifest.description) or "No description was given.",
        _what(manifest, kind, steps, test_rows),
        _metrics(manifest),
        _features(manifest, kind),
        _judging(manifest),
        _parity(manifest),
        _convergence(manifest),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _what(manifest: Manifest, kind: ModelKind, steps: str, test_rows: int) -> str:
    lines = [
        f"- Task: {manifest.task}",
        f"- Target: {_plain(manifest.target)}" + (f" ({_plain(manifest.target_unit)})" if manifest.target_unit else ""),
        f"- Steps: {_plain(steps)}",
        f"- Trained on {manifest.data['rows']:,} rows, tested on {test_rows:,}",
        f"- Training data, SHA-256: `{manifest.data['sha256']}`",
        f"- Exported {manifest.created} with " + ", ".join(f"{k} {v}" for k, v in sorted(manifest.libraries.items())),
    ]
    if kind.classes:
        lines.insert(1, "- Classes: " + ", ".join(_plain(class_key(label)) for label in kind.classes))
    if manifest.positive is not None:
        lines.insert(2, f"- Positive class: {_plain(class_key(manifest.positive))}")
    if manifest.data.get("weighted"):
        lines.append("- Training rows were weighted")
    if manifest.data.get("source"):
        lines.append(f"- Source: {_plain(str(manifest.data['source']))}")
    return "## What it is\n\n" + "\n".join(lines)


def _metrics(manifest: Manifest) -> str:
    rows = [
        f"| {_plain(name)} | {metric.value:.4g} | {_interval(metric.low, metric.high)} | {metric.n:,} |"
        for name, metric in manifest.metrics.items()
    ]
    table = "| metric | value | 95 % interval | n |\n|---|---:|---|---:|\n" + "\n".join(rows)
    return f"## How good it was on the test set\n\n{table}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.4g} to {high:.4g}"


def _features(manifest: Manifest, kind: ModelKind) -> str:
    head = f"| feature | type | unit | training range | missing in training | importance ({headline(kind)}) |"
    rows = [
        f"| {_plain(f.name)} | {f.type} | {_plain(f.unit or '')} | {_range(f)} | {f.missing_in_training:,} "
        f"| {'' if f.importance is None else format(f.importance, '.3g')} |"
        for f in manifest.features
    ]
    constant = [f.name for f in manifest.features if _is_constant(f)]
    note = (
        "\n\nThe same value in every training row, so the model cannot have learnt from: "
        + ", ".join(map(_plain, constant))
        if constant
        else ""
    )
    return f"## Features\n\n{head}\n|---|---|---|---|---:|---:|\n" + "\n".join(rows) + note


def _is_constant(feature: Feature) -> bool:
    if feature.categories is not None:
        return len(feature.categories) == 1
    return feature.minimum == feature.maximum


def _range(feature: Feature) -> str:
    if feature.redaction != "none":
        return "redacted"
    if feature.categories is None:
        return f"{feature.minimum:.6g} to {feature.maximum:.6g}"
    return ", ".join(map(_plain, listed(feature.categories)))


def _judging(manifest: Manifest) -> str:
    imputed = [
        f for f in manifest.features if f.missing == "impute" or (f.missing == "default" and _imputes(f, manifest))
    ]
    if not imputed:
        missing = "An instance in which a feature is missing is not scored: no feature was missing in training."
        if any(f.missing_in_training for f in manifest.features):
            missing = "An instance in which a feature is missing is not scored."
    elif len(imputed) == len(manifest.features):
        missing = "Missing values are imputed by the pipeline itself."
    else:
        missing = (
            "Imputed by the pipeline itself when missing: "
            + ", ".join(_plain(f.name) for f in imputed)
            + ". If another feature is missing, the instance is not scored."
        )
    return "\n\n".join(["## Where it stays silent", missing, *_abstains(manifest), *_declared(manifest)])


def _abstains(manifest: Manifest) -> list[str]:
    """A sentence for each other reason not to answer that the manifest declares."""
    criteria, found = manifest.criteria, []
    texts = [feature for feature in manifest.features if feature.type == "string"]
    others = [feature for feature in manifest.features if feature.type != "string"]
    if strict := _strict(others, "number" if texts else "feature"):
        found.append(f"It abstains when {strict} is outside its training range.")
    if strict := _strict(texts, "string"):
        found.append(f"It abstains when {strict} is a category that training did not have.")
    if criteria.joint == "abstain":
        found.append("It abstains when an instance as a whole is farther from the training rows than they are.")
    if criteria.minimum_probability is not None:
        found.append(f"It abstains when the winning class has a probability below {criteria.minimum_probability:g}.")
    if criteria.output_minimum is not None:
        found.append(f"It abstains when its value would be below {criteria.output_minimum:g}.")
    if criteria.output_maximum is not None:
        found.append(f"It abstains when its value would be above {criteria.output_maximum:g}.")
    if criteria.not_converged == "abstain" and manifest.convergence:
        found.append("It abstains always: its fit did not converge.")
    return found


def _declared(manifest: Manifest) -> list[str]:
    """A sentence for what the owner declared of features' values."""
    found = []
    for words, declared in (
        ("Declared to mean missing", {f.name: f.sentinels for f in manifest.features}),
        (
            "Filled in upstream when nothing is known, scored and flagged",
            {f.name: f.defaults for f in manifest.features},
        ),
    ):
        told = [f"{_plain(name)} {_plain(', '.join(listed(values)))}" for name, values in declared.items() if values]
        if told:
            found.append(f"{words}: {'; '.join(told)}.")
    hidden = [_plain(feature.name) for feature in manifest.features if feature.redaction != "none"]
    if hidden:
        found.append(f"Never in the log in clear: {', '.join(hidden)}.")
    return found


def _strict(features: Sequence[Feature], noun: str) -> str:
    """Those features whose values outside of training make it abstain, in words; empty if there are none."""
    names = [_plain(feature.name) for feature in features if feature.outside == "abstain"]
    return f"any {noun}" if names and len(names) == len(features) else " or ".join(names)


def _imputes(feature: Feature, manifest: Manifest) -> bool:
    return manifest.parity.takes_missing and feature.missing_in_training > 0


def _parity(manifest: Manifest) -> str:
    parity = manifest.parity
    text = (
        f"Compared with scikit-learn on {parity.rows:,} rows, {parity.adversarial_rows:,} of them adversarial, in one "
        f"batch and singly: the largest difference of any output is {parity.largest_difference:.2g}."
    )
    if parity.label_ties:
        text += f" {parity.label_ties:,} labels differ where scikit-learn's top two scores are within 1e-9."
    if parity.split_ties:
        text += (
            f" {parity.split_ties:,} adversarial rows lie on a tree's split to the last bit, behind a step whose last "
            "bit is not fixed; there scikit-learn gives the graph's answer to a row that cannot be told from them."
        )
    if parity.ill_conditioned:
        text += f" On {parity.ill_conditioned:,} rows far outside the training range no digit of the answer is certain."
    if parity.no_reference:
        text += f" scikit-learn itself has no finite answer to {parity.no_reference:,} of the adversarial rows."
    return f"## Exactness\n\n{text}"


def _convergence(manifest: Manifest) -> str:
    if not manifest.convergence:
        return "## Convergence\n\nNo convergence warning was recorded."
    return "## Convergence\n\n" + "\n".join(f"- {_plain(note)}" for note in manifest.convergence)


def _plain(text: str) -> str:
    """Text that stays text in Markdown: one line, no markup, no cell borders."""
    line = " ".join(text.split())
    for mark in "\\`*_[]<>|#":
        line = (
            line.replace(mark, "\\" + mark)
            if mark not in "<>"
            else line.replace(mark, "&lt;" if mark == "<" else "&gt;")
        )
    return line
