"""The clients of one writer: small and large commits and lines for later, in bursts, by preference around the hour."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from typing import TYPE_CHECKING

from audit.appender import Receipt
from audit.commit import Commit, checked_size
from audit.errors import Unavailable
from tests.audit.simulation.world import Handed, World

if TYPE_CHECKING:
    from tests.audit.simulation.writer import Writer

_HOUR_S = 3600.0
_LINE = b'{"v":1,"kind":"note","id":"%b","ts":"2026-11-23T12:00:00.000000Z","model":"m","writer":"w"}'
_ID_AT = _LINE.index(b"%b")


def id_of(line: bytes) -> bytes:
    """The id in a line that a client made."""
    return line[_ID_AT : line.index(b'"', _ID_AT)]


class Answer(concurrent.futures.Future[list[Receipt]]):
    """A future without the locks that nobody needs here; they would cost more than the commit."""

    def __init__(self) -> None:
        self._heard: list[Receipt] | BaseException | None = None
        self.on_heard: Callable[[], None] | None = None

    def done(self) -> bool:
        return self._heard is not None

    def set_result(self, result: list[Receipt]) -> None:
        self._hear(result)

    def set_exception(self, exception: BaseException | None) -> None:
        assert exception
        self._hear(exception)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        return self._heard if isinstance(self._heard, BaseException) else None

    def _hear(self, heard: list[Receipt] | BaseException) -> None:
        assert self._heard is None, "answered twice"
        self._heard = heard
        if self.on_heard:
            self.on_heard()


class Clients:
    """They hand over lines until the world ends or their writer does."""

    def __init__(self, world: World, writer: Writer) -> None:
        self._world = world
        self._writer = writer
        self._count = 0
        self._again(world.random.random() * 0.1)

    def commit(self, ids: list[bytes]) -> Handed:
        """Hand over one commit; what becomes of it is in what this returns."""
        lines = [_LINE % name for name in ids]
        commit = Commit(lines, checked_size(lines), Answer(), None)
        return self._hand(Handed(ids, self._writer, commit), lambda: self._writer.queue.put(commit))

    def new_ids(self, count: int) -> list[bytes]:
        """Ids that nobody else has."""
        first = self._count
        self._count += count
        name = self._writer.name.encode()
        return [b"%b/%d" % (name, number) for number in range(first, self._count)]

    def _again(self, pause_s: float) -> None:
        self._world.schedule.at(self._world.schedule.now_s + pause_s, self._burst)

    def _burst(self) -> None:
        if self._world.ending or not self._writer.open:
            return
        if self._writer.frozen_until_s > self._world.schedule.now_s:
            self._again(self._writer.frozen_until_s - self._world.schedule.now_s)
            return
        dice = self._world.random
        for _ in range(dice.choice([1, 1, 1, 3])):
            share = dice.random()
            if share < 0.55:
                self.commit(self.new_ids(dice.randint(1, 2)))
            elif share < 0.75:
                self.commit(self.new_ids(dice.randint(3, 12)))
            else:
                self._later(self.new_ids(dice.randint(1, 4)))
        self._again(self._pause_s())

    def _pause_s(self) -> float:
        dice = self._world.random
        share = dice.random()
        if share < 0.8:
            return dice.random() * 0.1
        if share < 0.92:
            return dice.random() * 8.0
        if share < 0.96:
            return dice.random() * 1000.0
        left_s = _HOUR_S - self._world.wall_clock(self._writer)() % _HOUR_S
        return max(0.0, left_s - dice.random() * 0.1)

    def _later(self, ids: list[bytes]) -> None:
        lines = [_LINE % name for name in ids]
        self._hand(Handed(ids, self._writer), lambda: self._writer.queue.put_later(lines))

    def _hand(self, handed: Handed, put: Callable[[], None]) -> Handed:
        try:
            put()
        except Unavailable:
            handed.refused = True
        self._writer.handed.append(handed)
        if self._world.trace is not None:
            answer = handed.commit.future if handed.commit else None
            kind = "commit" if answer else "later"
            refused = ", refused" if handed.refused else ""
            self._world.say(self._writer, f"   {kind} of {len(handed.ids)} from {handed.ids[0].decode()}{refused}")
            if isinstance(answer, Answer) and not handed.refused:
                answer.on_heard = lambda: self._tell(handed, answer)
        return handed

    def _tell(self, handed: Handed, answer: Answer) -> None:
        problem = answer.exception()
        heard = f"{type(problem).__name__}: {problem}" if problem else "recorded"
        self._world.say(self._writer, f"   {handed.ids[0].decode()} hears: {heard}")
