"""One seed from its beginning to its verdict.

First all goes on at once, until enough operations and mishaps were seen. Then the store heals, everybody comes back and
must take one more commit, the writers are closed or left to die, what is still under way arrives, all hours are sealed
and get their digests, and the promises are checked.
"""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from audit import frames, reader
from audit.digest_log import digest_hours, read_digest
from audit.errors import Unavailable
from audit.layout import hour_start_s
from audit.reader import hours
from audit.records import unix_s
from tests.audit.simulation.promises import broken_promises
from tests.audit.simulation.timers import QuickSigner, Timers
from tests.audit.simulation.unreliable_store import Network
from tests.audit.simulation.world import Handed, Parts, Process, World
from tests.audit.simulation.writer import Writer

_HOUR_S = 3600.0
_BACK_WITHIN_S = 60.0  # after the store healed; no patience and no pause is longer
_LOOK_S = 2.0
_REMEMBERED: dict[str, tuple[Any, Any]] = {
    name: (function, functools.lru_cache(maxsize=1024)(function))
    for name, function in (("decode_header", frames.decode_header), ("head_of", frames.head_of))
}


@dataclass
class Outcome:
    """What a seed led to."""

    seed: int
    broken: list[str]
    operations: int
    hits: Counter[str]
    heard: Counter[str]  # commits by what their clients heard
    trace: list[str] = field(default_factory=list)


def simulate(seed: int, parts: Parts | None = None, *, traced: bool = False) -> Outcome:
    """Play the seed; `broken` says which promises did not hold, and is empty if all did."""
    world = World(seed, parts or Parts(), traced=traced)
    with _quick():
        _live(world)
        _make_all_digests(world)
        broken, heard = broken_promises(world)
    return Outcome(seed, broken, world.operations, world.hits, heard, world.trace or [])


def _live(world: World) -> None:
    network = Network(world)
    for _ in range(world.random.choice([2, 2, 2, 3])):
        Writer(world, network, world.random.choice([0.0, 0.0, 1.0, -30.0, 600.0]))
    Timers(world, network)
    world.enough = lambda: _begin_the_end(world, network)
    world.schedule.run()


def _begin_the_end(world: World, network: Network) -> None:
    """Enough was seen; a writer that waits to be replaced is waited for."""
    if not _writers(world):
        world.schedule.at(world.schedule.now_s + _LOOK_S, lambda: _begin_the_end(world, network))
        return
    world.ending = True
    network.end()
    world.say(Process("world"), "the store is well from now on")
    for writer in _writers(world):
        back_s = max(world.schedule.now_s, writer.frozen_until_s) + _BACK_WITHIN_S
        world.schedule.at(back_s, lambda writer=writer: _one_more(world, writer))  # type: ignore[misc]


def _writers(world: World) -> list[Writer]:
    """Those that clients can reach."""
    return [process for process in world.processes if isinstance(process, Writer) and process.open]


def _one_more(world: World, writer: Writer) -> None:
    """The log must be writable again."""
    if not writer.open:
        return
    last = writer.clients.commit(writer.clients.new_ids(1))
    world.schedule.at(world.schedule.now_s + _BACK_WITHIN_S, lambda: _end(world, writer, last))


def _end(world: World, writer: Writer, last: Handed) -> None:
    future = last.commit.future if last.commit else None
    if last.refused or not future or not future.done() or future.exception():
        world.broken.append(f"{writer.name} does not take commits again though the store is well")
    if world.random.random() < 0.7:
        writer.shut_down()
    else:
        writer.alive = False  # as if it were killed


def _make_all_digests(world: World) -> None:
    """Long after everything, without mishaps: every blob that is not in a digest is sealed and comes into one."""
    latest_s = _latest_s(world)
    if latest_s is None:
        return
    world.schedule.now_s = latest_s + 3 * _HOUR_S - world.began_s
    try:
        world.parts.digests(world.memory, QuickSigner(), world.now_s())
    except Unavailable as problem:
        world.broken.append(f"digests cannot be written though the store is well: {problem}")


def _latest_s(world: World) -> float | None:
    """The last time that any clock showed, as far as it is in the log: clocks jump ahead."""
    times_s = [hour_start_s(hour) or 0.0 for hour in hours(world.memory)]
    for hour in digest_hours(world.memory):
        signed = read_digest(world.memory, hour)
        times_s += [hour_start_s(hour) or 0.0, unix_s(signed.digest.ts)] if signed else []
    return max(times_s, default=None)


@contextmanager
def _quick() -> Iterator[None]:
    """Nothing is logged, which would cost half the time, and what pure functions of bytes returned is remembered.

    Each frame is read about five times: by sealers, digests, and the checks at the end.
    """
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    for name, (_, remembered) in _REMEMBERED.items():
        setattr(reader, name, remembered)
    try:
        yield
    finally:
        logging.disable(before)
        for name, (function, _) in _REMEMBERED.items():
            setattr(reader, name, function)
