"""What a page of an instance shows, as plain values: its records, where they lie, and what vouches for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from audit.reader import Position
from audit.records import Record
from scoring.bundle import Manifest

if TYPE_CHECKING:
    from audit.integrity import Integrity

INTEGRITY = "Each record was read from a frame whose bytes agree with its hash, its position and its chain."


@dataclass(frozen=True)
class Replayed:
    """What came of running a record's model on its input once more, as plain JSON values."""

    verdict: str  # "equal", "different", "other hardware", "cannot"
    sentence: str
    recorded: Any = None  # the answer in the record
    replayed: Any = None


@dataclass(frozen=True)
class Evidence:
    """One record as plain JSON values, and where it lies."""

    record: dict[str, Any]  # as in the log
    blob: str
    sequence: int  # of its frame
    line: int  # in the frame
    head: str | None = None  # of the frame, hexadecimal
    verified: bool = False  # the frame's bytes agree with its hashes and its chain
    integrity: Integrity | None = None  # what the digests say of the blob; None: not looked up
    replay: Replayed | None = None


@dataclass(frozen=True)
class InstanceTrail:
    """All that is known of one id."""

    model: str
    id: str
    evidence: list[Evidence]  # oldest first
    integrity: str = ""  # one sentence on what was checked
    features: list[dict[str, Any]] = field(default_factory=list)  # as `x-features` of the OpenAPI document
    target_unit: str | None = None
    replayed: bool = False  # whether replays were asked for
    not_replayed: int = 0  # scored records beyond the most that are replayed at once
    left_out: int = 0  # records between the oldest and the newest that were not read into the trail


class FoundEntry(Protocol):
    """A record as it was found, in a frame that verified; scoring's trail has these."""

    @property
    def record(self) -> Record: ...

    @property
    def position(self) -> Position: ...

    @property
    def integrity(self) -> Integrity | None: ...

    @property
    def replay(self) -> msgspec.Struct | None: ...


class FoundTrail(Protocol):
    """What was found of an instance."""

    @property
    def model(self) -> str: ...

    @property
    def id(self) -> str: ...

    @property
    def entries(self) -> Sequence[FoundEntry]: ...

    @property
    def replayed(self) -> bool: ...

    @property
    def not_replayed(self) -> int: ...

    @property
    def left_out(self) -> int: ...


def trail_of(trail: FoundTrail, manifest: Manifest | None) -> InstanceTrail:
    """The trail of records as they were read, each from a frame that verified; `manifest` is the champion's."""
    return InstanceTrail(
        model=trail.model,
        id=trail.id,
        evidence=[_evidence(entry) for entry in trail.entries],
        integrity=INTEGRITY,
        features=[msgspec.to_builtins(feature) for feature in manifest.features] if manifest else [],
        target_unit=manifest.target_unit if manifest else None,
        replayed=trail.replayed,
        not_replayed=trail.not_replayed,
        left_out=trail.left_out,
    )


def _evidence(entry: FoundEntry) -> Evidence:
    replay: dict[str, Any] | None = msgspec.to_builtins(entry.replay)
    return Evidence(
        msgspec.to_builtins(entry.record),
        **asdict(entry.position),
        verified=True,
        integrity=entry.integrity,
        replay=_replayed(replay) if replay else None,
    )


def _replayed(replay: dict[str, Any]) -> Replayed:
    return Replayed(replay["verdict"], replay["sentence"], replay.get("recorded"), replay.get("replayed"))
