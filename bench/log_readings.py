"""One way of reading the log, timed in a process of its own: `find`, `records` or `known`.

`bench.ten_million` starts it, with the storage in the environment and ids on standard input, and reads its answer.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from audit.connect import Stores, open_stores, preload
from audit.known_ids import KnownIds
from audit.layout import HOUR_S, hour_start_s
from audit.lookup import find
from audit.reader import hours, records
from audit.settings import from_environ
from bench.generated_log import MODEL


def main() -> int:
    """Do what the first argument says."""
    stores = open_stores(from_environ(os.environ))
    preload(stores)
    sys.stdout.write(json.dumps(READINGS[sys.argv[1]](stores, json.load(sys.stdin))))
    return 0


def _find(stores: Stores, ids: Sequence[str]) -> dict[str, Any]:
    """Seconds for each id, and how many records it has."""
    times_s, found = [], []
    for name in ids:
        began_s = time.perf_counter()
        found.append(len(find(stores.log, name, derived=stores.derived)))
        times_s.append(time.perf_counter() - began_s)
    return {"times_s": times_s, "found": found}


def _records(stores: Stores, _: Sequence[str]) -> dict[str, Any]:
    return {"records": sum(1 for _ in records(stores.log))}


def _known(stores: Stores, ids: Sequence[str], *, indexed: bool = True) -> dict[str, Any]:
    """Labels come for the ids at the end of the log's last hour."""
    newest_s = _newest_s(stores)
    known = KnownIds(stores.log, clock=lambda: newest_s, derived=stores.derived if indexed else None)
    began_s = time.perf_counter()
    found = known.known(MODEL, ids)
    return {"known": len(found), "seconds": time.perf_counter() - began_s}


def _known_without_index(stores: Stores, ids: Sequence[str]) -> dict[str, Any]:
    return _known(stores, ids, indexed=False)


def _newest_s(stores: Stores) -> float:
    return (hour_start_s(hours(stores.log)[-1]) or 0.0) + HOUR_S


READINGS: dict[str, Callable[[Stores, Sequence[str]], dict[str, Any]]] = {
    "find": _find,
    "records": _records,
    "known": _known,
    "known-without-index": _known_without_index,
}


if __name__ == "__main__":
    raise SystemExit(main())
