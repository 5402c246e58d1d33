"""Replays on a terminal, or as JSON lines; `audit.display` keeps hostile values from doing harm."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from rich.text import Text

from audit.display import model_of, plain, print_rows, progress_bar
from audit.reader import Position
from audit.records import Record
from scoring.replay import Replayer
from scoring.replay_result import Replay

_STYLES = {"equal": "green", "different": "bold red", "other hardware": "yellow", "cannot": "red"}


def replay_all(
    replayer: Replayer, found: Sequence[tuple[Record, Position]], *, as_json: bool, equal_too: bool
) -> list[Replay]:
    """Replay records and print what came of them, in their order; `equal_too`: in a table, those too that are equal."""
    made: list[Replay | None] = [None] * len(found)
    with progress_bar("replaying", wanted=not as_json) as progress:
        for done, (index, replay) in enumerate(replayer.each(found)):
            made[index] = replay
            if progress:
                progress(done, len(found), replay.model)
    replays = [replay for replay in made if replay is not None]
    if as_json:
        for replay in replays:
            print(json.dumps(msgspec.to_builtins(replay)))
    else:
        shown = (replay for replay in replays if equal_too or replay.verdict != "equal")
        print_rows(("time", "id", "model", "verdict", "what"), (row for replay in shown for row in _rows(replay)))
    return replays


def summary(replays: Sequence[Replay]) -> str:
    """All of it in one line.

    >>> summary([])
    '0 replayed'
    """
    verdicts = Counter(f"cannot ({one.reason})" if one.reason else one.verdict for one in replays)
    told = ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts.most_common())
    differences = [one.difference for one in replays if one.difference]
    most = f"; the largest difference is {max(differences):.3g}" if differences else ""
    return f"{len(replays):,} replayed{': ' if told else ''}{told}{most}"


def _rows(replay: Replay) -> Iterator[list[Text]]:
    first = [replay.ts, replay.id, model_of(replay)]
    yield [*map(plain, first), plain(replay.verdict, _STYLES[replay.verdict]), plain(replay.sentence)]
    if replay.verdict in ("different", "other hardware") or replay.reason == "hardware_unknown":
        for name in ("recorded", "replayed"):
            yield [*map(plain, ("", "", "", name)), plain(json.dumps(msgspec.to_builtins(getattr(replay, name))))]
