"""What a report was made from, and the model that it speaks of."""

from __future__ import annotations

from typing import Literal

import msgspec

from evaluation.format.figures import Finding
from scoring.bundle import Task


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """What the report was made from."""

    blobs_closed: int = 0
    blobs_open: int = 0  # read up to their last verified frame
    frames: int = 0
    records: int = 0
    labels_until: str | None = None  # the time of the newest label record read
    findings: list[Finding] = []  # the first 100
    findings_total: int = 0


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The version that the figures speak of and how it was made."""

    name: str
    version: str
    bundle: str | None  # SHA-256 of its manifest; null when the bundle could not be read
    task: Task | None
    created: str | None = None
    description: str = ""
    target: str = "target"
    target_unit: str | None = None
    classes: list[str] = []  # as class keys, in the order of the probabilities
    positive: str | None = None
    features: int = 0
    convergence: list[str] = []  # convergence warnings raised while it was fitted, in full
    not_converged: Literal["flag", "abstain"] = "flag"  # what it does about them
    criteria: list[str] = []  # when it abstains, one sentence each
    data: list[str] = []  # where its training data came from, one sentence each
    problem: str | None = None  # why the bundle could not be read
