"""Large, small and deferred lines at once, on a store that does to its calls whatever hypothesis thinks of."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import Ambiguous, Unavailable
from audit.memory_store import MemoryStore
from audit.verify import verify
from audit.writer import LogWriter
from tests.audit.examples import ids, lines
from tests.audit.faulty_store import Fate, FaultyStore
from tests.audit.writers import wait_until, writer_on

FATES: list[Fate] = ["ok", "ok", "ok", "ok", "down", "lost", "reply lost", "late"]


@dataclass
class Told:
    """What became of each commit, by what its caller was told; each is a list of the ids in it."""

    recorded: list[list[str]] = field(default_factory=list)
    unknown: list[list[str]] = field(default_factory=list)
    refused: list[list[str]] = field(default_factory=list)
    deferred: list[str] = field(default_factory=list)


@settings(max_examples=40)
@given(
    fates=st.lists(st.sampled_from(FATES), max_size=40),
    late_after=st.integers(0, 6),
    reads_fail=st.integers(0, 3),
    later_s=st.sampled_from([0.0, 1000.0]),
)
def test_whatever_the_store_does_nothing_is_lost_or_doubled_and_the_chain_verifies(
    fates: list[Fate], late_after: int, reads_fail: int, later_s: float
) -> None:
    memory = MemoryStore()
    store = FaultyStore(memory, fates)
    store.reads_fail = reads_fail
    writer = writer_on(
        store, frame_bytes=1500, later_s=later_s, give_up_s=0.02, resolve_s=0.03, first_pause_s=0.001, probe_s=0.005
    )
    told = Told()
    for round_number in range(3):
        asyncio.run(clients(writer, told, round_number))
        if round_number == late_after % 3:
            store.deliver_late()
    store.fates.clear()
    store.reads_fail = 0
    wait_until(lambda: writer.healthy, "the writer is back")
    writer.close()
    store.deliver_late()
    check(memory, told)


async def clients(writer: LogWriter, told: Told, round_number: int) -> None:
    async def one(name: str, count: int) -> None:
        record_ids = [f"{round_number}-{name}-{number}" for number in range(count)]
        try:
            await writer.commit(lines(*record_ids))
        except Ambiguous:
            told.unknown.append(record_ids)
        except Unavailable:
            told.refused.append(record_ids)
        else:
            told.recorded.append(record_ids)

    def later(name: str, count: int) -> None:
        record_ids = [f"{round_number}-{name}-{number}" for number in range(count)]
        try:
            writer.commit_later(lines(*record_ids))
        except Unavailable:
            told.refused.append(record_ids)
        else:
            told.deferred += record_ids

    tasks = [asyncio.create_task(one("large", 30)), asyncio.create_task(one("small-a", 1))]
    later("later-a", 3)
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(one("small-b", 2)), asyncio.create_task(one("large-b", 20))]
    await asyncio.sleep(0.002)
    later("later-b", 10)
    await one("small-c", 1)
    await asyncio.gather(*tasks)


def check(store: MemoryStore, told: Told) -> None:
    found = ids(store)
    counts = Counter(found)
    assert [name for name, count in counts.items() if count > 1] == []
    assert [name for names in told.recorded for name in names if name not in counts] == []
    assert [name for names in told.refused for name in names if name in counts] == []
    places = {name: place for place, name in enumerate(found)}
    for names in (*told.recorded, *told.unknown):
        in_log = [places[name] for name in names if name in places]
        assert in_log == sorted(in_log), "a commit's lines in their order"
    later = [places[name] for name in told.deferred if name in places]
    assert later == sorted(later), "and those that nobody waits for in theirs"
    known = {name for names in (*told.recorded, *told.unknown) for name in names} | set(told.deferred)
    assert counts.keys() <= known
    assert verify(store) == []
