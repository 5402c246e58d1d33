"""The sample, run again: whether the recorded bundles still give the recorded answers, bit by bit.

Who replays is handed in (`evaluation.vouching.means`), and is asked for only when there is a record to replay. What it
may cost is bounded: a run of more than `MOST_ROWS` rows is left out, and none is begun once time is up. So what stands
here depends on the machine as nothing else in a report does: another processor may give other bits ("other hardware"),
and a slow one may leave some out. Whatever goes wrong in a replay costs the report its replays and nothing else; only
storage that cannot be reached ends it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from audit.errors import Unavailable
from evaluation.format.audit import ReplayVerdict
from evaluation.pages.numbers import counted
from evaluation.report_format import Count, ReplayedInstance, SampleReplay
from evaluation.vouching.chosen import Chosen
from evaluation.vouching.found import Found, Key
from evaluation.vouching.means import Means, Replayed

MOST_ROWS = 4_096  # of a run; scoring makes runs of at most 512
DIFFERING = 10
WORDS: frozenset[str] = frozenset(get_args(ReplayVerdict))

_log = logging.getLogger(__name__)


@dataclass
class SampleReplays:
    """The section's part, and each instance's verdict by its place in the sample."""

    told: SampleReplay
    verdicts: dict[int, ReplayVerdict] = field(default_factory=dict)


def replay_sample(sample: Sequence[Chosen], records: Mapping[Key, Found], means: Means) -> SampleReplays:
    """Replay the instances whose records were found. Raises `Unavailable`."""
    if means.replayer is None:
        return SampleReplays(SampleReplay(sentence="Nothing was replayed: who made this report had no means to."))
    left: Counter[str] = Counter()
    places = []
    for place, one in enumerate(sample):
        reason = _obstacle(records.get((one.id, one.ts)))
        if reason is None:
            places.append(place)
        else:
            left[reason] += 1
    made, problem = _made([records[sample[place].id, sample[place].ts] for place in places], means)
    left["no_time" if problem is None else "replay_failed"] += len(places) - len(made)
    return _told(sample, {places[index]: replay for index, replay in made.items()}, +left, problem)


def _obstacle(found: Found | None) -> str | None:
    if found is None:
        return "not_found"
    run = found[0].run
    return "run_too_large" if run is not None and run[2] > MOST_ROWS else None


def _made(found: Sequence[Found], means: Means) -> tuple[dict[int, Replayed], str | None]:
    """The replays that came of it by their places, and what put an end to them."""
    made: dict[int, Replayed] = {}
    if not found or means.replayer is None:
        return made, None
    ends_s = means.clock() + means.replay_s
    try:
        for index, replay in means.replayer().each(found):
            made[index] = replay
            if means.clock() > ends_s:
                break
    except Unavailable:
        raise
    except Exception as problem:  # noqa: BLE001 - whatever is wrong with a replay must not cost the report
        _log.exception("the sample cannot be replayed")
        return made, f"{type(problem).__name__}: {problem}"[:300]
    return made, None


def _told(
    sample: Sequence[Chosen], made: Mapping[int, Replayed], left: Mapping[str, int], problem: str | None
) -> SampleReplays:
    verdicts = {place: _word(replay.verdict) for place, replay in sorted(made.items())}
    counts = Counter(verdicts.values())
    cannot = Counter(made[place].reason or "unknown" for place, word in verdicts.items() if word == "cannot")
    differing = [
        ReplayedInstance(id=sample[place].id[:200], verdict=word, sentence=made[place].sentence[:300])
        for place, word in verdicts.items()
        if word in ("different", "other hardware")
    ]
    told = SampleReplay(
        sentence=_sentence(len(sample), counts, sum(left.values()), problem),
        equal=counts["equal"],
        different=counts["different"],
        other_hardware=counts["other hardware"],
        cannot=counts["cannot"],
        left_out=sum(left.values()),
        reasons=[*_reasons(cannot, "cannot"), *_reasons(left, "left_out")],
        differing=sorted(differing, key=lambda one: one.verdict != "different")[:DIFFERING],
    )
    return SampleReplays(told, verdicts)


def _word(verdict: str) -> ReplayVerdict:
    return verdict if verdict in WORDS else "cannot"  # type: ignore[return-value]


def _reasons(counts: Mapping[str, int], of: str) -> list[Count]:
    return [Count(name=name, count=count, of=of) for name, count in sorted(counts.items(), key=lambda p: (-p[1], p[0]))]


def _sentence(drawn: int, counts: Mapping[ReplayVerdict, int], left: int, problem: str | None) -> str:
    if not drawn:
        return "There was no instance to replay."
    if problem is not None:
        return f"The replays broke off: {problem}."
    compared = sum(counts.get(word, 0) for word in ("equal", "different", "other hardware"))
    others = [
        f"{count:,} {words}"
        for count, words in (
            (counts.get("different", 0), "differ on the same hardware"),
            (counts.get("other hardware", 0), "differ on other hardware"),
            (counts.get("cannot", 0), "cannot be replayed"),
            (left, "left out"),
        )
        if count
    ]
    rest = f" Of the others {', '.join(others)}." if others else ""
    if not compared:
        return f"None of {counted(drawn, 'instance')} could be compared.{rest.replace('Of the others ', '')}"
    return (
        f"{counts.get('equal', 0):,} of {counted(drawn, 'instance')} got the recorded answer again, bit for bit.{rest}"
    )
