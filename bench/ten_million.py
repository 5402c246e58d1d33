"""Is a log of ten million records workable? Written to Azurite, indexed, searched, read and verified.

Every figure is taken in a process of its own. The goals: any instance's records in under a second, start of the process
not included, and `verify` in under 500 MB. Exit code 1 if one is missed.

Needs about 0.7 KB of disk a record in the temporary folder, or in the one of --keep, which is used again as it is.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from audit import display
from audit.connect import open_stores
from audit.ids import new_id
from audit.settings import from_environ
from bench.generated_log import Written, write_log
from bench.measured_process import Ran, run
from bench.measuring import table
from infra.local.azurite import Azurite

FIND_GOAL_S = 1.0
VERIFY_GOAL_BYTES = 500_000_000
_LOOKED_FOR = 50
_MB = 1_000_000


@dataclass(frozen=True)
class Options:
    """The command line."""

    records: int
    keep: Path | None


@dataclass(frozen=True)
class Finding:
    """How long it took to find some ids."""

    median_s: float
    worst_s: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table."""
    options = _parse(arguments)
    with Azurite(options.keep) as azurite:
        environ = {"HYPERPLANE_STORAGE": azurite.connection_string}
        written = _written(options, environ)
        rows, missed = _measure(written, environ)
    sys.stdout.write(f"{table(rows)}\n")
    for goal in missed:
        sys.stdout.write(f"missed: {goal}\n")
    return int(bool(missed))


def _written(options: Options, environ: Mapping[str, str]) -> Written:
    """The log, made now or by the run before."""
    note = options.keep / "written.json" if options.keep else None
    if note and note.is_file():
        return Written(**json.loads(note.read_text()))
    with display.progress_bar("writing") as progress:
        written = write_log(open_stores(from_environ(environ)).log, options.records, progress)
    if note:
        note.write_text(json.dumps(asdict(written)))
    return written


def _measure(written: Written, environ: Mapping[str, str]) -> tuple[list[tuple[str, str]], list[str]]:
    rows = [("records", f"{written.records:,}"), ("their bytes", f"{written.size_bytes / _MB:,.0f} MB")]
    missed = []

    def told(what: str, ran: Ran, rate: str = "") -> Ran:
        rows.append((what, f"{ran.seconds:.2f} s{rate}, {ran.peak_bytes / _MB:.0f} MB"))
        sys.stderr.write(f"{what}: {rows[-1][1]}\n")
        return ran

    told("index, built", _sound(run("audit", "index", "--rebuild", environ=environ)))
    told("index, nothing to do", _sound(run("audit", "index", environ=environ)))
    for what, ids, records in _looked_for(written):
        finding = _find(what, ids, records, environ)
        rows.append((f"find {what}, median", f"{finding.median_s * 1000:.0f} ms"))
        rows.append((f"find {what}, worst of {len(ids)}", f"{finding.worst_s * 1000:.0f} ms"))
        if finding.worst_s >= FIND_GOAL_S:
            missed.append(f"find {what} took {finding.worst_s:.2f} s, more than {FIND_GOAL_S:g} s")
    told("`python -m audit show ID`", _sound(run("audit", "show", written.client_ids[-1], environ=environ)))
    known = json.dumps(random.Random(1).sample(written.client_ids, min(100, len(written.client_ids))))  # noqa: S311
    for what, task in (("with the index", "known"), ("without", "known-without-index")):
        told(f"labels' ids known, {what}", _sound(run("bench.log_readings", task, environ=environ, given=known)))
    told("every record read", _sound(run("bench.log_readings", "records", environ=environ, given="[]")))
    told("`find --outcome failed`", run("audit", "find", "--outcome", "failed", environ=environ))
    verified = run("audit", "verify", environ=environ)
    told("verify", _sound(verified), f", {written.size_bytes / _MB / verified.seconds:.0f} MB/s")
    if verified.peak_bytes >= VERIFY_GOAL_BYTES:
        missed.append(f"verify held {verified.peak_bytes / _MB:.0f} MB, more than {VERIFY_GOAL_BYTES / _MB:.0f}")
    return rows, missed


def _looked_for(written: Written) -> list[tuple[str, list[str], int]]:
    """What to look for: ids, and the least records that each has."""
    draw = random.Random(7)  # noqa: S311  nothing secret
    clients = draw.sample(written.client_ids, min(_LOOKED_FOR, len(written.client_ids)))
    uuids = draw.sample(written.uuids, min(_LOOKED_FOR, len(written.uuids)))
    absent = [f"nobody-{number}" for number in range(_LOOKED_FOR // 2)]
    absent += [new_id() for _ in range(_LOOKED_FOR - len(absent))]
    return [("a client's id", clients, 1), ("a UUID of ours", uuids, 1), ("an id that is not there", absent, 0)]


def _find(what: str, ids: Sequence[str], least: int, environ: Mapping[str, str]) -> Finding:
    ran = _sound(run("bench.log_readings", "find", environ=environ, given=json.dumps(ids)))
    answer = json.loads(ran.output)
    if any(count < least or (not least and count) for count in answer["found"]):
        raise RuntimeError(f"looked for {what} and found {answer['found']} records")
    times_s: list[float] = answer["times_s"]
    return Finding(statistics.median(times_s), max(times_s))


def _sound(ran: Ran) -> Ran:
    if ran.code:
        raise RuntimeError(f"it ended with {ran.code}: {ran.output[-1000:]}")
    return ran


def _parse(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m bench.ten_million", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=10_000_000, help="how many (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="folder for the log, kept and used again (default: a temporary one)")
    options = Options(**vars(parser.parse_args(arguments)))
    if options.records < 10_000:
        parser.error("--records: at least 10000, or there are no 50 ids to look for")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
