"""The store as a process sees it: over a network that may do any of `mishaps` to any call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from audit.errors import Ambiguous, AuditError, Unavailable
from audit.store import BlobInfo
from tests.audit.simulation.mishaps import (
    ALL_KINDS,
    CALL_MISHAPS,
    HOUR_S,
    LINE_MISHAPS,
    LISTING_MISHAP,
    PROCESS_MISHAPS,
    READ_MISHAPS,
    Mishap,
)
from tests.audit.simulation.world import Process, World

_LATENCY_S = 0.02
_IN_A_STORM = 0.8  # of the calls


class Network:
    """When the next mishap is, and which. Each seed has some of the kinds only, often or seldom."""

    def __init__(self, world: World) -> None:
        self.outage_until_s = 0.0
        self.storm_until_s = 0.0
        self._random = world.random
        self._world = world
        self._rate = self._random.choice([1 / 40, 1 / 20, 1 / 10, 1 / 4])
        count = len(ALL_KINDS) if self._random.random() < 0.3 else self._random.randint(3, 12)
        chosen = set(self._random.sample(ALL_KINDS, count))
        self._for_lines = self._kinds(LINE_MISHAPS, PROCESS_MISHAPS, chosen)
        self._for_reads = self._kinds(READ_MISHAPS, PROCESS_MISHAPS, chosen)
        self._for_lists = [*self._for_reads, *([LISTING_MISHAP] if LISTING_MISHAP in chosen else [])]
        self._in_a_storm = {True: list(LINE_MISHAPS), False: list(READ_MISHAPS)}
        self._next = 0
        self._plan_next()

    def mishap(self, what: str) -> str | None:
        """What befalls the call that is made now."""
        world = self._world
        if world.ending:
            return None
        now_s = world.schedule.now_s
        if now_s < self.storm_until_s and what != "list" and self._random.random() < _IN_A_STORM:
            return self._random.choice(self._in_a_storm[what not in ("read", "size")])
        if world.operations < self._next:
            return None
        kinds = self._for_lists if what == "list" else self._for_reads if what in ("read", "size") else self._for_lines
        if not kinds:
            return None
        self._plan_next()
        return self._random.choice(kinds)

    def end(self) -> None:
        """From now on all is well."""
        self.outage_until_s = self.storm_until_s = 0.0

    def _kinds(self, calls: dict[str, Mishap], processes: dict[str, Mishap], chosen: set[str]) -> list[str]:
        return [kind for kind in (*calls, *processes) if kind in chosen]

    def _plan_next(self) -> None:
        self._next = self._world.operations + 1 + int(self._random.expovariate(self._rate))


class Line:
    """One call on its way."""

    __slots__ = ("network", "process", "what", "world")

    def __init__(self, world: World, network: Network, process: Process, what: str) -> None:
        self.world = world
        self.network = network
        self.process = process
        self.what = what

    def sleep(self, duration_s: float) -> None:
        """The caller waits so long."""
        self.world.schedule.sleep(duration_s)

    def wait(self, most_s: float) -> None:
        """The caller waits up to so long."""
        self.world.schedule.sleep(self.world.random.random() * most_s)

    def chance(self, share: float) -> bool:
        return self.world.random.random() < share

    def between(self, least: float, most: float) -> float:
        return least + self.world.random.random() * (most - least)

    def later(self, effect: Callable[[], Any]) -> None:
        """The call takes effect, if it still can, after other things have happened: soon, or in hours."""
        world, process = self.world, self.process
        away_s = self.between(0.0, world.random.choice([0.1, 5.0, 60.0, HOUR_S, 4 * HOUR_S]))

        def arrive() -> None:
            try:
                effect()
            except AuditError as refusal:
                world.say(process, f"   a {self.what} from before arrives: {type(refusal).__name__}")
            else:
                world.say(process, f"   a {self.what} from before arrives and takes effect")

        world.schedule.at(world.schedule.now_s + away_s, arrive)

    def kill(self) -> None:
        """The process dies here."""
        self.process.alive = False

    def freeze(self) -> None:
        """The process stands still: for a moment, or until the hour that it believes in was sealed."""
        now_s, world = self.world.schedule.now_s, self.world
        if self.chance(0.3):
            self.process.frozen_until_s = now_s + self.between(0.1, 300.0)
        else:
            left_s = HOUR_S - world.now_s() % HOUR_S
            hours = world.random.choice([0, 0, 0, 1, 2])
            self.process.frozen_until_s = now_s + left_s + self.between(250.0, 900.0) + hours * HOUR_S
        self.sleep(0.0)


class UnreliableStore:
    """A `Store` for one process."""

    def __init__(self, world: World, network: Network, process: Process) -> None:
        self._world = world
        self._network = network
        self._process = process
        self._memory = world.memory

    def create(self, name: str) -> None:
        self._call("create", name, lambda: self._memory.create(name))

    def append(self, name: str, data: bytes, at: int) -> None:
        self._call("append", name, lambda: self._memory.append(name, data, at), at)

    def put(self, name: str, data: bytes, *, overwrite: bool, content_type: str = "application/octet-stream") -> None:
        self._call("put", name, lambda: self._memory.put(name, data, overwrite=overwrite, content_type=content_type))

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        data: bytes = self._call("read", name, lambda: self._memory.read(name, start, length), start)
        return data

    def size(self, name: str) -> int:
        size_bytes: int = self._call("size", name, lambda: self._memory.size(name))
        return size_bytes

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        found: list[BlobInfo] = self._call("list", prefix, lambda: list(self._memory.list(prefix)))
        return iter(found)

    def delete(self, name: str) -> None:
        self._call("delete", name, lambda: self._memory.delete(name))

    def _call(self, what: str, name: str, effect: Callable[[], Any], at: int = 0) -> Any:
        world = self._world
        if world.trace is None:
            return self._play(what, effect)
        try:
            answer = self._play(what, effect)
        except BaseException as problem:
            world.say(self._process, f"{what} {name} at {at}: {type(problem).__name__} {problem}")
            raise
        size = len(answer) if isinstance(answer, bytes | list) else answer
        world.say(self._process, f"{what} {name} at {at}: {'ok' if size is None else size}")
        return answer

    def _play(self, what: str, effect: Callable[[], Any]) -> Any:
        world, network = self._world, self._network
        world.operation()
        if world.schedule.now_s < network.outage_until_s:
            return self._in_an_outage(what)
        kind = network.mishap(what)
        if kind is None:
            return self._go_well(effect)
        world.hit(self._process, kind)
        line = Line(world, network, self._process, what)
        if kind == LISTING_MISHAP:
            return _broken_off(line, effect)
        return (CALL_MISHAPS.get(kind) or PROCESS_MISHAPS[kind])(line, effect)

    def _go_well(self, effect: Callable[[], Any]) -> Any:
        """Others may come first, or act before the reply is here; both at once would cost more and show nothing new."""
        world = self._world
        share = world.random.random()
        if share < 0.5:
            world.schedule.sleep(share * _LATENCY_S)
            return effect()
        answer = effect()
        world.schedule.sleep((share - 0.5) * _LATENCY_S)
        return answer

    def _in_an_outage(self, what: str) -> None:
        line = Line(self._world, self._network, self._process, what)
        if line.chance(0.7):
            line.wait(0.05)
            raise Unavailable("connection refused")
        line.sleep(1.0)
        raise (Unavailable if what in ("read", "size", "list") else Ambiguous)("timed out")


def _broken_off(line: Line, effect: Callable[[], Any]) -> Iterator[BlobInfo]:
    """Some of the listing, and then an error."""
    line.wait(0.05)
    found = effect()
    return _some_of(found[: line.world.random.randint(0, len(found))])


def _some_of(found: list[BlobInfo]) -> Iterator[BlobInfo]:
    yield from found
    raise Unavailable("the listing broke off")
