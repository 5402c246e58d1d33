"""A process that writes the log: the real loop, queue and appender, and its clients, on simulated time.

When it is killed, or was shut down, another one with a new writer id takes its place after a while.
"""

from __future__ import annotations

from audit.commit_loop import Patience
from audit.commit_queue import CommitQueue
from tests.audit.simulation.clients import Clients
from tests.audit.simulation.schedule import Killed, News
from tests.audit.simulation.unreliable_store import Network, UnreliableStore
from tests.audit.simulation.world import Process, World

_JOIN_S = 5.0  # how long `LogWriter.close` waits for the thread


class Writer(Process):
    """One worker process."""

    def __init__(self, world: World, network: Network, clock_off_s: float = 0.0) -> None:
        super().__init__(f"writer-{len(world.processes)}", clock_off_s)
        world.processes.append(self)
        self._world = world
        self._network = network
        self.ended = False
        dice, schedule, parts = world.random, world.schedule, world.parts
        self.frame_bytes = dice.choice([250, 600, 2000])
        self.queue = CommitQueue(
            dice.choice([3_000, 20_000, 1_000_000]),
            self.frame_bytes,
            later_s=dice.choice([0.05, 1.0]),
            monotonic=self._monotonic,
            changed=News(schedule),
        )
        self.loop = parts.loop(
            self.queue,
            parts.appender(
                parts.store(UnreliableStore(world, network, self)),
                writer_id=self.name,
                opening={"code": "simulated"},
                clock=world.wall_clock(self),
                blob_blocks=dice.choice([3, 8, 40_000, 40_000]),
                timer_ns=self._timer_ns,
            ),
            Patience(
                give_up_s=dice.choice([0.3, 3.0]),
                resolve_s=dice.choice([0.5, 4.0, 10.0]),
                first_pause_s=0.02,
                probe_s=dice.choice([0.5, 3.0]),
                idle_s=dice.choice([100.0, 1000.0]),
            ),
            monotonic=self._monotonic,
            sleep=schedule.sleep,
        )
        schedule.start(self, self._run)
        self.clients = Clients(world, self)

    @property
    def open(self) -> bool:
        """Whether clients can reach it."""
        return self.alive and not self.loop.stopping

    @property
    def given_up(self) -> int | None:
        return self.loop.given_up if self.ended else None

    def shut_down(self) -> None:
        """As `LogWriter.close` does it, and then the process ends with whatever its thread is doing."""
        if not self.open:
            return
        self._world.say(self, "shuts down")
        self.loop.stop("the log is closed: this process is shutting down")
        self._world.schedule.at(self._world.schedule.now_s + _JOIN_S, self._exit)

    def _run(self) -> None:
        try:
            if self._world.random.random() < 0.5:
                self.loop.probe()
            while self.loop.turn():
                pass
            self.ended = True
            self._world.say(self, "has ended")
        except Exception as bug:
            self.loop.died(bug)
            raise
        except Killed:
            self._world.say(self, "is dead")
            self._replace()
            raise

    def _exit(self) -> None:
        if not self.alive:
            return
        if self.frozen_until_s > self._world.schedule.now_s:
            self._world.schedule.at(self.frozen_until_s, self._exit)
            return
        self.loop.abandon()
        self._world.say(self, "exits")
        if self.ended:
            self._replace()
        self.alive = False

    def _replace(self) -> None:
        world = self._world
        if not world.ending:
            world.schedule.at(world.schedule.now_s + world.random.random() * 10.0, self._successor)

    def _successor(self) -> None:
        if not self._world.ending:
            Writer(self._world, self._network, self.clock_off_s)

    def _monotonic(self) -> float:
        return self._world.schedule.now_s

    def _timer_ns(self) -> int:
        return int(self._world.schedule.now_s * 1e9)
