"""Every word that a record may have among its reasons, for those who choose records by it."""

from __future__ import annotations

from typing import get_args

from scoring.errors import BadRequestReason
from scoring.labels import REASONS as OF_LABELS
from scoring.outcome import REASONS as OF_ANSWERS
from scoring.verdict import REASONS as OF_INPUT

REASONS: tuple[str, ...] = tuple(dict.fromkeys([*OF_INPUT, *OF_ANSWERS, *OF_LABELS, *get_args(BadRequestReason)]))
