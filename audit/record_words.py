"""The fixed words of records, by which they are chosen: kinds, outcomes, reasons.

Commands and routes that filter take these and no others: a filter by a word that no record has shows nothing, and looks
as if all were well. A word that was ever written stays in these lists, since the log keeps it. Scoring writes the
outcomes and reasons; a test holds its own lists against these, as this package imports none of it.
"""

from __future__ import annotations

from typing import get_args

from audit.records import Kind
from audit.wording import listed

KINDS: tuple[Kind, ...] = get_args(Kind)
OUTCOMES_OF: dict[Kind, tuple[str, ...]] = {
    "score": ("scored", "abstained", "rejected", "failed"),
    "request_error": (),
    "label": ("recorded", "unmatched", "rejected"),
    "note": (),
}
OUTCOMES: tuple[str, ...] = tuple(dict.fromkeys(word for words in OUTCOMES_OF.values() for word in words))
REASONS: tuple[str, ...] = (
    # of an instance that is not scored
    *("wrong_type", "not_finite", "too_long", "unknown_feature", "missing_feature", "duplicate_id"),
    *("missing_required", "outside_calibration"),
    *("low_confidence", "output_out_of_range", "not_converged", "model_error", "non_finite_output", "timeout"),
    # of a label that never counts, beside some of the above
    *("malformed_id", "missing_label", "unknown_class", "malformed_ts", "unknown_field"),
    # of a body that is no request
    *("not_json", "not_csv", "too_deep", "wrong_shape", "no_instances", "too_many_instances"),
)


def contradiction(kind: str | None, outcome: str | None) -> str | None:
    """Why no record can have both; `None` if some can.

    >>> contradiction("label", "scored"), contradiction("note", "failed"), contradiction(None, "failed")
    ('outcome: a label is recorded, unmatched or rejected', 'outcome: a note has none', None)
    """
    words = next((words for name, words in OUTCOMES_OF.items() if name == kind), None)
    if outcome is None or words is None or outcome in words:
        return None
    return f"outcome: a {kind} {f'is {listed(words)}' if words else 'has none'}"
