"""Who seals hours and writes digests: two timers that race, and somebody who seals hours that are not over.

Each run is a process of its own; one that was killed is made up for by the next.
"""

from __future__ import annotations

import hashlib

from audit.errors import AuditError
from audit.layout import hour_of
from audit.store import Store
from tests.audit.simulation.unreliable_store import Network, UnreliableStore
from tests.audit.simulation.world import Process, World

_HOUR_S = 3600.0
_FIVE_PAST_S = 300.0


class QuickSigner:
    """Signs for nobody but itself, the same each time, in a microsecond."""

    kid = "quick"
    public_key_pem = b""

    def sign(self, data: bytes) -> bytes:
        return hashlib.sha512(b"secret" + data).digest()


class Timers:
    """They run until the world ends."""

    def __init__(self, world: World, network: Network) -> None:
        self._world = world
        self._network = network
        self._runs = 0
        self._signer = QuickSigner()
        for _ in range(2):
            self._at_five_past()
        self._some_time()

    def _at_five_past(self) -> None:
        world = self._world
        left_s = _HOUR_S - (world.now_s() - _FIVE_PAST_S) % _HOUR_S
        world.schedule.at(world.schedule.now_s + left_s + world.random.random() * 0.3, self._tick)

    def _tick(self) -> None:
        if self._world.ending:
            return
        self._start("timer", self._make_digests)
        self._at_five_past()

    def _some_time(self) -> None:
        world = self._world
        pause_s = world.random.random() * world.random.choice([4.0, 20.0, 2000.0])
        world.schedule.at(world.schedule.now_s + pause_s, self._seal_some)

    def _seal_some(self) -> None:
        if self._world.ending:
            return
        self._start("sealer", self._seal)
        self._some_time()

    def _start(self, name: str, run: object) -> None:
        world = self._world
        self._runs += 1
        off_s = world.random.choice([0.0, 0.0, 0.0, -400.0, 400.0, _HOUR_S])
        process = Process(f"{name}-{self._runs}", off_s)
        store = world.parts.store(UnreliableStore(world, self._network, process))
        world.schedule.start(process, lambda: self._run(process, store, run))

    def _run(self, process: Process, store: Store, run: object) -> None:
        assert callable(run)
        try:
            run(process, store)
        except (AuditError, ZeroDivisionError) as problem:  # the next run makes up for it
            self._world.say(process, f"gives up: {type(problem).__name__}: {problem}")

    def _make_digests(self, process: Process, store: Store) -> None:
        self._world.parts.digests(store, self._signer, self._world.wall_clock(process)())

    def _seal(self, process: Process, store: Store) -> None:
        hours_ago = self._world.random.choice([0, 0, 1, 2])
        self._world.parts.seal(store, hour_of(self._world.wall_clock(process)() - hours_ago * _HOUR_S))
