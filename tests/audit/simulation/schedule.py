"""Simulated time, and who runs when: one actor at a time, until it sleeps.

An actor is ordinary blocking code (the writer's loop, a sealer). It runs on a thread of its own, but only ever one
thread runs: who sleeps hands over to whoever is due next, and simulated time jumps there. So every interleaving at
sleeps can happen, and the same calls in the same order happen again from the same seed. An event is a call that does
not sleep; it runs on the thread of whoever sleeps at the time.

An owner is the process an actor belongs to: while it is frozen nothing of it runs, and once it is dead its actors end
by `Killed` when they are due.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Protocol

_MOST_EVENTS = 50_000  # a seed needs some thousands; beyond, something goes in circles


class Killed(BaseException):
    """The process of this actor is dead. No `except Exception` of the code under test catches it."""


class Owner(Protocol):
    """The process of an actor."""

    alive: bool
    frozen_until_s: float


class Actor:
    """Code that sleeps. `turn` numbers its awakenings: an entry in the schedule for an earlier one is void."""

    __slots__ = ("gate", "owner", "turn")

    def __init__(self, owner: Owner | None, gate: threading.Lock) -> None:
        self.owner = owner
        self.gate = gate
        self.turn = 0


class Schedule:
    """Who is due when. `run` ends when nobody is due any more."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.trouble: list[BaseException] = []
        self.asleep = 0  # actors that have begun and not ended
        self._due: list[tuple[float, int, Actor | None, int | Callable[[], None]]] = []
        self._count = 0
        self._main = Actor(None, _closed_gate())
        self._current = self._main

    def run(self) -> None:
        """Let time pass until nothing is due; `trouble` holds what actors and events raised."""
        self._pass_on(self._main)

    def at(self, when_s: float, call: Callable[[], None]) -> None:
        """Make this call then; it must not sleep."""
        self._count += 1
        heappush(self._due, (when_s, self._count, None, call))

    def start(self, owner: Owner, run: Callable[[], None]) -> None:
        """A new actor, which is due now."""
        worker = _idle.pop() if _idle else _Worker()
        actor = Actor(owner, worker.gate)
        worker.job = lambda: self._live(actor, run, worker)
        self.asleep += 1
        self._set(actor, self.now_s)

    def sleep(self, duration_s: float) -> None:
        """The running actor sleeps so long, or until `wake`. Raises `Killed`."""
        actor = self._current
        self._set(actor, self.now_s + duration_s)
        self._pass_on(actor)
        if (actor.owner and not actor.owner.alive) or self.overrun:
            raise Killed

    def wake(self, actor: Actor) -> None:
        """It is due now."""
        self._set(actor, self.now_s)

    @property
    def current(self) -> Actor:
        """The actor that runs."""
        return self._current

    @property
    def overrun(self) -> bool:
        """Whether it goes in circles; every actor then ends."""
        return self._count > _MOST_EVENTS

    def _set(self, actor: Actor, when_s: float) -> None:
        self._count += 1
        heappush(self._due, (when_s, self._count, actor, actor.turn))

    def _live(self, actor: Actor, run: Callable[[], None], worker: _Worker) -> None:
        try:
            run()
        except Killed:
            pass
        except BaseException as problem:  # noqa: BLE001 - what the code under test raises is the finding
            self.trouble.append(problem)
        self.asleep -= 1
        _idle.append(worker)
        self._pass_on(None)

    def _pass_on(self, me: Actor | None) -> None:
        """Run events and hand over to actors as they are due; returns when it is my turn (at once if I have ended)."""
        while self._due:
            when_s, _, actor, what = heappop(self._due)
            self.now_s = when_s
            if actor is None:
                self._make(what)
            elif actor.turn == what:
                owner = actor.owner
                if owner and owner.alive and owner.frozen_until_s > when_s:
                    self._set(actor, owner.frozen_until_s)
                    continue
                actor.turn += 1
                self._hand_over(actor, me)
                return
        self._hand_over(self._main, me)

    def _make(self, call: object) -> None:
        if self.overrun:
            return
        assert callable(call)
        try:
            call()
        except Exception as problem:  # noqa: BLE001 - it is not the fault of the actor on whose thread it ran
            self.trouble.append(problem)

    def _hand_over(self, actor: Actor, me: Actor | None) -> None:
        self._current = actor
        if actor is me:
            return
        actor.gate.release()
        if me:
            me.gate.acquire()


class News:
    """The `Condition` of a simulated process's queue: its one actor waits, clients notify."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._waiting: Actor | None = None

    def __enter__(self) -> bool:
        return True

    def __exit__(self, *raised: object) -> None:
        return

    def wait(self, timeout: float) -> bool:
        self._waiting = self._schedule.current
        self._schedule.sleep(timeout)
        self._waiting = None
        return True

    def notify(self) -> None:
        if self._waiting:
            self._schedule.wake(self._waiting)
            self._waiting = None


class _Worker:
    """A thread that makes one job after the other; starting one for each actor would cost more than the actor."""

    def __init__(self) -> None:
        self.gate = _closed_gate()
        self.job: Callable[[], None] = _nothing
        threading.Thread(target=self._work, name="simulated-actor", daemon=True).start()

    def _work(self) -> None:
        while True:
            self.gate.acquire()
            self.job()


_idle: list[_Worker] = []


def _closed_gate() -> threading.Lock:
    gate = threading.Lock()
    gate.acquire()
    return gate


def _nothing() -> None:
    return
