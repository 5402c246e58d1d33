"""A siege told in three tables, in Markdown so that a page can hold them as they are printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tests.siege.comparison import Comparison
from tests.siege.ledger import PROMISES, Siege


def tables(siege: Siege, comparison: Comparison) -> str:
    """What was met, what was answered and what of it is logged, and how long answers took."""
    return "\n".join([*_met(siege), "", *_answers(siege, comparison), "", *_waits(siege)])


def _met(siege: Siege) -> Iterator[str]:
    well = siege.met.get("pass", 0)
    trouble = sorted((-count, fate) for fate, count in siege.met.items() if fate != "pass")
    yield from _table(["met on the way", "times"], [("call to the storage, untroubled", f"{well:,}")])
    yield from (f"| {fate} | {-count:,} |" for count, fate in trouble)


def _answers(siege: Siege, comparison: Comparison) -> Iterator[str]:
    """A row for each kind of answer that anybody got."""
    rows = []
    for told, promise in PROMISES.items():
        counts = comparison.logged.get(told)
        if counts:
            requests = sum(sent.told == told for sent in siege.sent)
            more = sum(count for times, count in counts.items() if times > 1)
            figures = (requests, counts.total(), counts[0], counts[1], more)
            promised = f"{promise.least}" if promise.least == promise.most else f"{promise.least} or {promise.most}"
            rows.append((told, promise.answer, *(f"{figure:,}" for figure in figures), promised))
    names = ["told", "how", "requests", "records", "never logged", "once", "more often", "promised"]
    yield from _table(names, rows)


def _waits(siege: Siege) -> Iterator[str]:
    rows = []
    for told in PROMISES:
        waits = sorted(sent.wait_s for sent in siege.sent if sent.told == told)
        if waits:
            figures = (waits[len(waits) // 2], waits[min(len(waits) - 1, len(waits) * 99 // 100)], waits[-1])
            rows.append((told, *(f"{1000 * figure:,.0f} ms" for figure in figures)))
    yield from _table(["told", "p50", "p99", "longest"], rows)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
