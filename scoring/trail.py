"""Everything there is to say of one instance: its records, how far the digests vouch for them, and, if asked, replays.

A replay reads and runs a whole batch again, so nobody gets one unasked, one request has few and some seconds for them,
and one is made at a time. An id can have any number of records, so of very many the oldest and the newest are taken,
and how many lie between is told.
What reads the digests and what replays is imported by the first request that needs it, which no score ever does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audit.connect import Stores
from audit.errors import Refused
from audit.key_ring import KeyRing
from audit.lookup import search
from audit.oldest_and_newest import Ends, oldest_and_newest
from audit.reader import Position
from audit.records import Record
from scoring.fields import is_id
from scoring.settings import ScoringSettings

if TYPE_CHECKING:
    from audit.integrity import Integrity
    from scoring.replay import Replayer
    from scoring.replay_result import Replay

RECORDS = 1_000  # of one trail, half of them the oldest
RECORD_BYTES = 32 * 1024 * 1024  # of their lines
BLOBS = 50  # whose digests one request looks up
REPLAYS = 20  # records that one request replays, the oldest
REPLAY_S = 20.0  # for all of them


@dataclass(frozen=True)
class Entry:
    """One record, read from a frame that verified."""

    record: Record
    position: Position
    integrity: Integrity | None  # None: of too many blobs, this one was not looked up
    replay: Replay | None = None  # None: not asked for, nothing to replay, or one too many


@dataclass(frozen=True)
class Trail:
    """An instance's records, oldest first."""

    model: str
    id: str
    entries: list[Entry]
    replayed: bool  # whether replays were asked for
    not_replayed: int = 0  # scored records beyond the most that one request replays
    left_out: int = 0  # records between the oldest and the newest

    def told(self) -> dict[str, Any]:
        """The trail as a program gets it."""
        records = [_told(entry, self.replayed) for entry in self.entries]
        return {"model": self.model, "id": self.id, "left_out": self.left_out, "records": records}


class Trails:
    """Reads trails from one log, by the index of ids where it reaches; used from any thread. Blocks."""

    def __init__(self, stores: Stores, keys: KeyRing, settings: ScoringSettings) -> None:
        self._log = stores.log
        self._derived = stores.derived
        self._keys = keys
        self._settings = settings
        self._replaying = threading.Lock()
        self._replayer: Replayer | None = None

    def read(self, model: str, instance_id: str, *, replay: bool) -> Trail | None:
        """The trail; None without records. Raises `Unavailable`."""
        ends = self._ends(model, instance_id)
        found = ends.records
        if not found:
            return None
        vouched = self._integrity(found)
        replays, left = self._replays(found) if replay else ([None] * len(found), 0)
        entries = [
            Entry(record, position, vouched.get(position.blob), made)
            for (record, position), made in zip(found, replays, strict=True)
        ]
        return Trail(model, instance_id, entries, replay, left, ends.left_out)

    def has(self, model: str, instance_id: str) -> bool:
        """Whether the log holds any record of it. Raises `Unavailable`."""
        return any(True for _ in self._search(model, instance_id))

    def _ends(self, model: str, instance_id: str) -> Ends:
        return oldest_and_newest(self._search(model, instance_id), RECORDS, RECORD_BYTES)

    def _search(self, model: str, instance_id: str) -> Iterator[tuple[Record, Position]]:
        return search(self._log, instance_id, model, derived=self._derived) if is_id(instance_id) else iter(())

    def _integrity(self, found: Sequence[tuple[Record, Position]]) -> dict[str, Integrity]:
        from audit.integrity import blob_integrity

        keys = self._keys.keys()
        named = list(dict.fromkeys(position.blob for _, position in found))
        return {blob: blob_integrity(self._log, blob, keys) for blob in named[:BLOBS]}

    def _replays(self, found: Sequence[tuple[Record, Position]]) -> tuple[list[Replay | None], int]:
        """For each record its replay, and how many records were left out."""
        from scoring.replay import Replayer, replays
        from scoring.replay_limits import ReplayLimits

        run = [place for place, (record, _) in enumerate(found) if record.kind == "score" and record.run is not None]
        made: list[Replay | None] = [None] * len(found)
        with self._replaying:
            if self._replayer is None:
                limit_s = self._settings.run_timeout_s
                self._replayer = Replayer(self._log, self._settings.models, run_timeout_s=limit_s)
            first = [found[place] for place in run[:REPLAYS]]
            for place, replay in zip(run, replays(self._replayer, first, ReplayLimits(REPLAY_S)), strict=False):
                made[place] = replay
        return made, len(run[REPLAYS:])


def asks_for_replay(parameters: Mapping[str, str]) -> bool:
    """Whether `replay=1` is among them; raises `Refused` for another value.

    >>> asks_for_replay({"replay": "1"}), asks_for_replay({})
    (True, False)
    """
    value = next((value for name, value in parameters.items() if name.lower() == "replay"), None)
    if value not in (None, "", "1"):
        raise Refused("replay: expected 1, or none at all")
    return value == "1"


def _told(entry: Entry, replayed: bool) -> dict[str, Any]:
    place = {"blob": entry.position.blob, "sequence": entry.position.sequence, "line": entry.position.line}
    told = {"record": entry.record, **place, "verified": True, "integrity": entry.integrity}
    return told | ({"replay": entry.replay} if replayed else {})
