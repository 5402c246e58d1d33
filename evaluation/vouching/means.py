"""What a report's audit section may use beside the log: public keys, a replayer, and how much of both.

Evaluation does not know scoring, and a replay is scoring's. So whoever makes a report hands one in: the hourly timer in
`function_app`, and `evaluation.composition` for the command line. What is not handed in is not done, and the section
says so. Both are called only when they are needed, since one loads `cryptography` and the other ONNX Runtime.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from audit.reader import Position
from audit.records import Record

if TYPE_CHECKING:
    from audit.signing import PublicKeys
    from evaluation.vouching.log_integrity import Looked

READ_BYTES = 1024**3  # of the log, read again for one report
REPLAY_S = 30.0


class Replayed(Protocol):
    """What came of one replay; `scoring.replay_result` says what the words mean."""

    @property
    def verdict(self) -> str: ...

    @property
    def reason(self) -> str | None: ...  # of `cannot`

    @property
    def sentence(self) -> str: ...


class Replays(Protocol):
    """Replays records; `scoring.replay.Replayer` is one."""

    def each(self, found: Sequence[tuple[Record, Position]]) -> Iterator[tuple[int, Replayed]]:
        """A replay of each record with its place in `found`, in any order. Raises `audit.errors.Unavailable`."""


@dataclass(frozen=True)
class Means:
    """Means to vouch with, for one run. Without any, no signature is checked and nothing is replayed."""

    keys: Callable[[], PublicKeys | None] | None = None  # None, or giving None: there is no public key
    replayer: Callable[[], Replays] | None = None
    read_bytes: int = READ_BYTES
    replay_s: float = REPLAY_S  # after which no further replay is begun
    clock: Callable[[], float] = time.monotonic
    looked: dict[tuple[str, str, str], Looked] = field(default_factory=dict, repr=False)  # the same for every model
