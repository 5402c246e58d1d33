"""Replays on a terminal, in a pipe, or as JSON lines; `audit.display` keeps hostile values from doing harm.

A terminal gets a row for each, cut to its width, and below it what came of a replay that is not equal, folded and never
cut: that is what was asked for. A pipe or a file gets one line for each.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from rich.text import Text

from audit.display import model_of, plain, print_below, print_line, print_rows, progress_bar, terminal_width
from audit.reader import Position
from audit.records import Record
from audit.rows import Steps, fitted
from scoring.replay import Replayer
from scoring.replay_result import Replay

_STYLES = {"equal": "green", "different": "bold red", "other hardware": "yellow", "cannot": "red"}
_COLUMNS = ("time", "id", "model", "verdict")
_GIVE_WAY: Steps = (("time", 17), ("model", 6), ("time", 11), ("verdict", 9), ("id", 12))


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
        _print([replay for replay in replays if equal_too or replay.verdict != "equal"])
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


def _print(replays: Sequence[Replay]) -> None:
    if not sys.stdout.isatty():
        names = (*_COLUMNS, "what", "recorded", "replayed")
        print_rows(names, ([*_row(one), plain(one.sentence), *_answers(one)] for one in replays), _GIVE_WAY)
        return
    header, *lines = fitted(_COLUMNS, [_row(one) for one in replays], _GIVE_WAY, terminal_width())
    for replay, line in zip(replays, lines, strict=True):
        if line is lines[0]:
            print_line(header)
        print_line(line)
        for below in _below(replay):
            print_below(below)


def _row(replay: Replay) -> list[Text]:
    first = [replay.ts, replay.id, model_of(replay)]
    return [*map(plain, first), plain(replay.verdict, _STYLES[replay.verdict])]


def _below(replay: Replay) -> Iterator[Text]:
    if replay.verdict != "equal":
        yield plain(replay.sentence)
    for name, answer in zip(("recorded", "replayed"), _answers(replay), strict=True):
        if answer.plain:
            yield Text.assemble(plain(name, "bold"), " ", answer)


def _answers(replay: Replay) -> list[Text]:
    """What was recorded and what came of it now, where both have to be compared by a person."""
    if replay.verdict not in ("different", "other hardware") and replay.reason != "hardware_unknown":
        return [Text(), Text()]
    return [plain(json.dumps(msgspec.to_builtins(each))) for each in (replay.recorded, replay.replayed)]
