"""The credit model is good enough to be held to a known truth."""

from __future__ import annotations

from pathlib import Path

from scoring.bundle import load_bundle


def test_it_is_nearly_as_good_as_can_be_and_its_probabilities_mean_what_they_say(credit_models: Path) -> None:
    manifest = load_bundle(credit_models / "credit" / "1").manifest
    assert manifest.metrics["roc_auc"].value > 0.76
    assert manifest.metrics["ece"].value < 0.02, "an estimate without labels rests on them"
    assert (manifest.positive, manifest.convergence) == ("default", [])


def test_every_adversarial_row_had_an_answer_to_be_compared_with(credit_models: Path) -> None:
    parity = load_bundle(credit_models / "credit" / "1").manifest.parity
    assert (parity.no_reference, parity.ill_conditioned, parity.label_ties, parity.split_ties) == (0, 0, 0, 0)
    assert parity.adversarial_rows >= 5000
