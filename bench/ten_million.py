"""Is a log of ten million records workable? Written to Azurite, indexed, searched, read and verified.

Every figure is taken in a process of its own: how long it took, its time of the processor (the storage's is not in it),
and the most memory that it held. The goals: any instance's records in under a second, start of the process not
included, and `verify` in under 500 MB. Exit code 1 if one is missed.

Needs about 0.7 KB of disk a record in the temporary folder, or in the one of --keep, which is used again as it is.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
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
STEPS = ("index", "find", "show", "known", "records", "outcome", "verify", "export")
_LABELLED = 100  # ids of a request with labels
_MB = 1_000_000


@dataclass(frozen=True)
class Options:
    """The command line."""

    records: int
    lookups: int
    keep: Path | None
    only: list[str] | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table."""
    options = _parse(arguments)
    with Azurite(options.keep) as azurite:
        key = azurite.folder / "signing-key.pem"
        environ = {"HYPERPLANE_STORAGE": azurite.connection_string, "HYPERPLANE_SIGNING_KEY": str(key)}
        figures = _Figures(_written(options, environ), environ, options.lookups)
        try:
            for step in options.only or STEPS:
                getattr(figures, step)()
        finally:
            sys.stdout.write(f"{table(figures.rows)}\n")
    for goal in figures.missed:
        sys.stdout.write(f"missed: {goal}\n")
    return int(bool(figures.missed))


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


class _Figures:
    """The rows of the table, a method for each of `STEPS`."""

    def __init__(self, written: Written, environ: Mapping[str, str], lookups: int) -> None:
        self.rows = [("records", f"{written.records:,}"), ("their bytes", f"{written.size_bytes / _MB:,.0f} MB")]
        self.missed: list[str] = []
        self._written = written
        self._environ = environ
        self._lookups = lookups
        self._draw = random.Random(7)  # noqa: S311  nothing secret

    def index(self) -> None:
        self._tell("index, built", "audit", "index", "--rebuild")
        self._tell("index, nothing to do", "audit", "index")

    def find(self) -> None:
        half = self._lookups // 2
        absent = [f"nobody-{n}" for n in range(half)] + [new_id() for _ in range(self._lookups - half)]
        self._find("a client's id", self._sample(self._written.client_ids, self._lookups), there=True)
        self._find("a UUID of ours", self._sample(self._written.uuids, self._lookups), there=True)
        self._find("an id that is not there", absent, there=False)

    def show(self) -> None:
        self._tell("`python -m audit show ID`", "audit", "show", self._written.client_ids[-1])

    def known(self) -> None:
        ids = self._sample(self._written.client_ids, _LABELLED)
        for what, reading in (("with the index", "known"), ("without", "known-without-index")):
            what = f"{len(ids)} labels' ids known, {what}"
            ran = self._tell(what, "bench.log_readings", reading, given=json.dumps(ids))
            if json.loads(ran.output)["known"] != len(ids):
                raise RuntimeError(f"{what}: {ran.output}")

    def records(self) -> None:
        self._tell("every record read", "bench.log_readings", "records", given="[]")

    def outcome(self) -> None:
        self._tell("`find --outcome failed`", "audit", "find", "--outcome", "failed")

    def verify(self) -> None:
        """The hours get their digests first, which a timer would have written hour by hour."""
        self._tell("digests written", "audit", "seal", "--json")
        with tempfile.TemporaryDirectory(prefix="ten-million-") as folder:
            key = Path(folder) / "public-key.pem"
            key.write_text(_sound(run("audit", "public-key", environ=self._environ)).output)
            ran = self._tell("verify", "audit", "verify", "--public-key", str(key))
        self.rows.append(("verified a second", f"{self._written.size_bytes / _MB / ran.seconds:.0f} MB"))
        if ran.peak_bytes >= VERIFY_GOAL_BYTES:
            self.missed.append(f"verify held {ran.peak_bytes / _MB:.0f} MB, more than {VERIFY_GOAL_BYTES / _MB:.0f}")

    def export(self) -> None:
        with tempfile.TemporaryDirectory(prefix="ten-million-") as folder:
            self._tell("export to Parquet", "audit", "export", f"{folder}/all.parquet")

    def _find(self, what: str, ids: Sequence[str], *, there: bool) -> None:
        ran = _sound(run("bench.log_readings", "find", environ=self._environ, given=json.dumps(ids)))
        answer = json.loads(ran.output)
        if any(bool(count) != there for count in answer["found"]):
            raise RuntimeError(f"looked for {what} and found {answer['found']} records")
        worst_s = max(answer["times_s"])
        self._row(f"find {what}, median", f"{statistics.median(answer['times_s']) * 1000:.0f} ms")
        self._row(f"find {what}, worst of {len(ids)}", f"{worst_s * 1000:.0f} ms")
        if worst_s >= FIND_GOAL_S:
            self.missed.append(f"find {what} took {worst_s:.2f} s, more than {FIND_GOAL_S:g} s")

    def _tell(self, what: str, module: str, *arguments: str, given: str = "") -> Ran:
        ran = _sound(run(module, *arguments, environ=self._environ, given=given))
        self._row(what, f"{ran.seconds:.2f} s, {ran.cpu_s:.2f} s of CPU, {ran.peak_bytes / _MB:.0f} MB")
        return ran

    def _row(self, what: str, figure: str) -> None:
        self.rows.append((what, figure))
        sys.stderr.write(f"{what}: {figure}\n")

    def _sample(self, ids: Sequence[str], count: int) -> list[str]:
        return self._draw.sample(ids, min(count, len(ids)))


def _sound(ran: Ran) -> Ran:
    if ran.code:
        raise RuntimeError(f"it ended with {ran.code}: {ran.output[-1000:]}")
    return ran


def _parse(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m bench.ten_million", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=10_000_000, help="how many (default: %(default)s)")
    parser.add_argument("--lookups", type=int, default=50, help="ids of each kind to find (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="folder for the log, kept and used again (default: a temporary one)")
    parser.add_argument("--only", choices=STEPS, action="append", help="this step only; may be given again")
    options = Options(**vars(parser.parse_args(arguments)))
    if options.records < 10_000:
        parser.error("--records: at least 10000, or there are no 50 ids to look for")
    if options.lookups < 1:
        parser.error("--lookups: at least 1")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
