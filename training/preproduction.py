"""The preproduction report: the page that production will show of a model, made of test rows before it goes there.

There is no second way to compute anything. Test rows go through the code that scores in production (decode, judge,
run, decide, records) into a log in memory, their truth goes through the code that takes labels, and the report is
read from that log by `evaluation`, like any other. So what the model's owner sees is what production will do with
such rows: what it abstains from and why, how good the answers are that it does give, what a request takes.

Promised: every row is one instance whose id is its row (`test-000123`, counted from 1), in requests of 1 to 100 rows
whose sizes are the same each time; run times are measured, everything else depends on rows and bundle alone. Not
promised: cold starts and the wait for the log, which only production has.
"""

from __future__ import annotations

import math
import random
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import batched, islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from audit.known_ids import KnownIds
from audit.memory_store import MemoryStore
from audit.records import timestamp
from audit.writer import LogWriter
from evaluation.evidence import collect
from evaluation.pages.report import report_page
from evaluation.references import References
from evaluation.report import build_report
from evaluation.report_format import Report
from evaluation.windows import hour_window
from scoring.bundle import Bundle, load_bundle
from scoring.catalog import Catalog, Served
from scoring.label_lines import LabelResult, label_body
from scoring.score import Arrival, score_body
from training.errors import ReportRefused
from training.instances import LABELS, Rows, arrival, column_notes, json_body, read_rows

MOST_ROWS = 100  # in one request
_REQUESTS = 20  # at least, as far as there are rows
_SEED = 20170520
_WRITER = "preproduction"
_FRAMES = 500  # in one blob: a report reads a blob at a time, and so needs little memory
_PATIENCE_S = 60.0  # with a log in memory, which never makes anybody wait

Progress = Callable[[int, int, str], None]


class PreproductionReport(NamedTuple):
    """The report, and its page as one self-contained HTML file."""

    report: Report
    html: str


def preproduction_report(
    bundle: Bundle | str | Path,
    X_test: Any,
    y_test: Any,
    *,
    thresholds: Mapping[str, float] | None = None,
    clock: Callable[[], float] = time.time,
    progress: Progress | None = None,
) -> PreproductionReport:
    """Score the test rows as production would, and report on it as production will.

    `bundle` is what `export_bundle` returned, or its folder. `X_test` is a DataFrame whose columns are the model's
    features, or an array in their order; `y_test` the truth, one value a row, missing where it is not known.
    `thresholds` override the bundle's, as the setting HYPERPLANE_THRESHOLDS does. `progress` is called with the rows
    done, all rows, and an empty text.

    Rows that do not fit the features are judged as production judges them. Raises `ReportRefused` when there are no
    rows, when no value of `y_test` is an answer that the model could give, or when the bundle cannot be served; and
    `BundleError` when it cannot be read.
    """
    found = bundle if isinstance(bundle, Bundle) else load_bundle(Path(bundle))
    rows = read_rows(X_test, y_test, found.manifest)
    now = clock()
    with _alone(found) as models:
        log = MemoryStore()
        _fill(log, _served(models, found), rows, now, progress)
        # The clock stood still meanwhile; a report speaks of hours that have begun before its own moment.
        as_of = timestamp(now + 1)
        evidence = collect(log, MemoryStore(), References(models), found.manifest.name, hour_window(now), as_of)
    notes = [*evidence.notes, *column_notes(rows.names, found.manifest)]
    evidence = msgspec.structs.replace(evidence, occasion="preproduction", notes=notes)
    report = build_report(evidence, thresholds)
    return PreproductionReport(report, report_page(report))


@contextmanager
def _alone(bundle: Bundle) -> Iterator[Path]:
    """A models folder that holds this bundle and no other, so that it is the champion whatever is served today."""
    with tempfile.TemporaryDirectory(prefix="preproduction-") as folder:
        models = Path(folder)
        place = models / bundle.manifest.name / bundle.manifest.version
        place.parent.mkdir()
        place.symlink_to(bundle.folder, target_is_directory=True)
        yield models


def _served(models: Path, bundle: Bundle) -> Served:
    catalog = Catalog.load(models, redaction_key=secrets.token_bytes(32))  # of a log that nobody keeps
    if catalog.problems:
        raise ReportRefused(f"{bundle.folder} cannot be served: {'; '.join(catalog.problems.values())}")
    return catalog.get(bundle.manifest.name)


def _fill(log: MemoryStore, served: Served, rows: Rows, now: float, progress: Progress | None) -> None:
    """Score every row and label it, into the log."""
    writer = LogWriter(log, writer_id=_WRITER, opening={}, clock=lambda: now, blob_blocks=_FRAMES)
    try:
        traffic = _Traffic(served, writer, now)
        traffic.score(rows, progress)
        results = traffic.label(rows, KnownIds(log, clock=lambda: now))
    finally:
        writer.close()
    _check_labels(results, served, rows)


@dataclass(frozen=True)
class _Traffic:
    """Sends test rows and their truth the way clients do, but one request at a time."""

    served: Served
    writer: LogWriter
    now: float

    def score(self, rows: Rows, progress: Progress | None) -> None:
        instances, first = rows.instances(), 0
        for number, size in enumerate(request_sizes(len(rows)), 1):
            if progress:
                progress(first, len(rows), "")
            ids = [row_id(first + offset) for offset in range(size)]
            body = json_body({"instances": list(islice(instances, size)), "ids": ids})
            scored = score_body(self.served, self._arrival(body, f"rows-{number:06}"))
            self.writer.commit_blocking(scored.lines, _PATIENCE_S)
            first += size

    def label(self, rows: Rows, known: KnownIds) -> list[LabelResult]:
        """What became of each label; rows without a truth have none."""
        field = "value" if self.served.manifest.task == "regression" else "label"
        labels = ({"id": row_id(i), field: truth} for i, truth in enumerate(rows.truth) if truth is not None)
        results: list[LabelResult] = []
        for number, part in enumerate(batched(labels, LABELS, strict=False), 1):
            body = json_body({"labels": part})
            labelled = label_body(self.served, self._arrival(body, f"labels-{number:06}"), known.known)
            self.writer.commit_blocking(labelled.lines, _PATIENCE_S)
            results += labelled.results
        return results

    def _arrival(self, body: bytes, request_id: str) -> Arrival:
        return arrival(body, self.now, request_id, self.writer.writer_id)


def row_id(position: int) -> str:
    """The id of the row at a position: rows are counted from 1.

    >>> row_id(0), row_id(122)
    ('test-000001', 'test-000123')
    """
    return f"test-{position + 1:06}"


def request_sizes(rows: int) -> Iterator[int]:
    """How many rows each request holds: 1 to 100, small ones more often, the same each time.

    Of few rows it makes smaller requests, so that there are some dozens of run times.

    >>> sizes = list(request_sizes(1000))
    >>> sum(sizes), min(sizes), max(sizes) <= MOST_ROWS
    (1000, 1, True)
    """
    most = min(MOST_ROWS, max(1, rows // _REQUESTS))
    draw = random.Random(_SEED)  # noqa: S311 - no secret: sizes that look like traffic
    while rows > 0:
        size = min(rows, int(math.exp(draw.uniform(0.0, math.log(most + 1)))))
        yield size
        rows -= size


def _check_labels(results: Sequence[LabelResult], served: Served, rows: Rows) -> None:
    """Refuse a truth of which nothing belongs to this model; single rows without one are counted by the report."""
    if not results:
        raise ReportRefused("y_test is missing in every row; a report compares predictions with the truth")
    if any(result.outcome != "rejected" for result in results):
        return
    manifest = served.manifest
    wanted = "a finite number" if manifest.task == "regression" else f"one of the classes {manifest.classes[:10]}"
    given = dict.fromkeys(repr(truth)[:60] for truth in rows.truth if truth is not None)
    raise ReportRefused(
        f"no value of y_test is {wanted}, which the model answers with; y_test holds {', '.join(list(given)[:5])}"
    )
