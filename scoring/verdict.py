"""What judging finds about one instance, in the fixed words of the API and the log.

`artifacts` and `outside` are keyed by feature: `{"age": ["known_default"]}`, `{"age": "below"}` (or `above`, or
`unseen` for a category). What is odd about the instance as a whole stands under `*`: `{"*": ["duplicate_instance"]}`.
The words of `artifacts` are those of `scoring.artifacts`. `faults` are the reasons to reject by where they lie, in a
feature or an unknown key: `{"age": ["wrong_type"]}`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

REJECTING = ("wrong_type", "not_finite", "too_long", "unknown_feature", "missing_feature", "duplicate_id")
ABSTAINING = ("missing_required", "outside_calibration")
REASONS = REJECTING + ABSTAINING  # the order in which an instance's reasons are given


class Verdict(msgspec.Struct, gc=False):
    """One instance's findings. With `outcome` None the model may be run on it.

    `gc=False` spares the collector ten thousand objects in a large batch; nothing here can form a cycle.
    """

    outcome: Literal["rejected", "abstained"] | None = None
    reasons: list[str] = []
    missing: list[str] = []
    artifacts: dict[str, list[str]] = {}
    outside: dict[str, str] = {}
    faults: dict[str, list[str]] = {}
    distance: float | None = None
    cluster: int | None = None
    clean: bool = True  # an object of known features and finite numbers: can be stored as it is
    unread: frozenset[str] = frozenset()  # features whose value is of the wrong type

    def because(self, reason: str) -> None:
        """Add a reason, once.

        >>> verdict = Verdict()
        >>> verdict.because("wrong_type"); verdict.because("wrong_type"); verdict.reasons
        ['wrong_type']
        """
        if reason not in self.reasons:
            self.reasons.append(reason)

    def blame(self, name: str, reason: str) -> None:
        """Add a reason to reject, and the feature or unknown key that gave it.

        >>> verdict = Verdict()
        >>> verdict.blame("age", "wrong_type"); verdict.faults, verdict.reasons
        ({'age': ['wrong_type']}, ['wrong_type'])
        """
        self.because(reason)
        found = self.faults.setdefault(name, [])
        if reason not in found:
            found.append(reason)

    def odd(self, where: str, artifact: str) -> None:
        """Flag an artifact of a feature, or of the whole instance, once."""
        found = self.artifacts.setdefault(where, [])
        if artifact not in found:
            found.append(artifact)

    def settle(self) -> None:
        """Order the reasons and derive the outcome: a reason to reject outweighs any to abstain."""
        if self.reasons:
            self.reasons.sort(key=REASONS.index)
            self.outcome = "rejected" if self.reasons[0] in REJECTING else "abstained"
