"""What all who take part share: the time, the store, the dice, and what has happened so far."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from audit.appender import Appender
from audit.commit import Commit
from audit.commit_loop import CommitLoop
from audit.digest_writer import write_digests
from audit.memory_store import MemoryStore
from audit.seal import seal_hour
from audit.store import Store
from tests.audit.examples import NOON_S
from tests.audit.simulation.schedule import Schedule

LEAST_OPERATIONS = 200
LEAST_MISHAPS = 3


@dataclass(frozen=True)
class Parts:
    """The code under test; a planted bug takes the place of one of them."""

    appender: type[Appender] = Appender
    loop: type[CommitLoop] = CommitLoop
    seal: Callable[[Store, str], object] = seal_hour
    digests: Callable[..., object] = write_digests
    store: Callable[[Store], Store] = lambda store: store  # between a process and its network


@dataclass
class Handed:
    """Lines that a client handed over, and what it heard: the commit answers, or they were deferred or refused."""

    ids: list[bytes]
    writer: Process
    commit: Commit | None = None
    refused: bool = False


@dataclass(eq=False)
class Process:
    """A process: it has a clock of its own, can be frozen and be killed."""

    name: str
    clock_off_s: float = 0.0
    alive: bool = True
    frozen_until_s: float = 0.0
    handed: list[Handed] = field(default_factory=list)

    @property
    def given_up(self) -> int | None:
        """How many deferred lines it says that it gave up; `None` if it did not live to say so."""
        return None

    def shut_down(self) -> None:
        """It is asked to end in an orderly way; a timer's process has nothing to put in order."""
        self.alive = False


class World:
    """One seed's world."""

    def __init__(self, seed: int, parts: Parts, *, traced: bool) -> None:
        self.seed = seed
        self.parts = parts
        self.random = random.Random(seed)
        self.schedule = Schedule()
        self.began_s = NOON_S + self.random.random() * 3600
        self.memory = MemoryStore(clock=self.now_s)
        self.operations = 0  # calls to the store until the end begins
        self.hits = Counter[str]()  # of each kind of mishap
        self.processes: list[Process] = []
        self.ending = False
        self.enough: Callable[[], None] | None = None  # called once so much was seen
        self.broken: list[str] = []  # promises that were seen broken on the way
        self.trace: list[str] | None = [] if traced else None

    def operation(self) -> None:
        """Count a call to the store; the last one that is wanted begins the end."""
        if self.ending:
            return
        self.operations += 1
        if self.enough and self.operations >= LEAST_OPERATIONS and self.hits.total() >= LEAST_MISHAPS:
            self.schedule.at(self.schedule.now_s, self.enough)
            self.enough = None

    def now_s(self) -> float:
        """The true time; nobody in the world has it but the store."""
        return self.began_s + self.schedule.now_s

    def wall_clock(self, process: Process) -> Callable[[], float]:
        """The time of day as this process has it."""
        return lambda: self.began_s + self.schedule.now_s + process.clock_off_s

    def say(self, process: Process, what: str) -> None:
        """A line of the trace, if one is wanted."""
        if self.trace is not None:
            self.trace.append(f"{self.schedule.now_s:12.4f}  {process.name:<10} {what}")

    def hit(self, process: Process, kind: str) -> None:
        """A mishap of this kind has happened."""
        self.hits[kind] += 1
        self.say(process, f"!! {kind}")
