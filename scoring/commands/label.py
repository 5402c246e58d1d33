"""`python -m scoring label FILE --model MODEL`: ground truth in bulk, from CSV or Parquet into the log."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from audit import settings as audit_settings
from audit.connect import Stores, open_stores
from audit.errors import Ambiguous, AuditError
from audit.known_ids import KnownIds
from audit.settings import AuditSettings, SettingsError
from audit.terminal import INTERRUPTED, advised
from audit.wording import counted
from audit.writer import LogWriter, new_writer_id
from scoring import __version__
from scoring import settings as scoring_settings
from scoring.bulk_labels import BulkLabels
from scoring.bundle import BundleError, Manifest
from scoring.champion import champion_bundle
from scoring.errors import UnknownModel
from scoring.label_file import open_labels
from scoring.label_rows import LabelFileError, LabelRows, NoSuchRow, Wanted, from_row, listed
from scoring.labels import LabelJudge
from scoring.serving_config import ServingError

_INTERRUPTED = "interrupted"
_QUEUE_BYTES = 64 * 2**20  # a chunk's records at their longest are a quarter of it
_DESCRIPTION = """label: record ground truth from a file; each row is judged as a label over HTTP
is, and recorded.

The file is CSV in UTF-8 with commas and a header (.csv, .csv.gz, or - for
standard input) or Parquet (.parquet). It has a column with the instances' ids,
one with the class (of a classifier) or the value (of a regression), and one
with the time at which the truth was known, if you like; other columns are left
alone. Try it with --dry-run first: what is recorded stays recorded, rejected
rows too."""
_EPILOG = """examples:
  python -m scoring label truth.csv --model wine --dry-run
  python -m scoring label loans.parquet --model credit --id-column loan \\
      --label-column repaid --ts-column closed_at
  zcat truth.csv.gz | python -m scoring label - --model wine

recorded: reports count it. unmatched: no instance of this id is known yet; it
counts once the instance comes. rejected: it never counts; mend the row and run
it again. When it is stopped half-way it says with which --from-row to go on. To
record the whole file again does no harm: the newest label of an id counts.
Exit codes: 0 all recorded or unmatched, 1 some rejected, 2 could not run or did
not finish, 130 stopped by Ctrl-C."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    label = commands.add_parser(
        "label",
        help="ground truth in bulk, from CSV or Parquet",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    label.add_argument("file", metavar="FILE", help="a .csv, .csv.gz or .parquet file; - for CSV on standard input")
    label.add_argument("--model", required=True, help="the model that scored the instances")
    label.add_argument("--id-column", default="id", metavar="NAME", help="default: id")
    label.add_argument("--label-column", metavar="NAME", help="default: label of a classifier, value of a regression")
    label.add_argument("--ts-column", metavar="NAME", help="when the truth was known; default: ts, if there is one")
    label.add_argument(
        "--from-row", type=_row, default=1, metavar="N", help="pass over the rows before; 1 is the first"
    )
    label.add_argument("--dry-run", action="store_true", help="judge every row and record nothing")
    label.add_argument("--json", action="store_true", help="one JSON object on standard output, for programs")
    label.set_defaults(run=_run)


def _row(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12 or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r}: expected the number of a row, from 1")
    return int(text)


def _run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    settings = audit_settings.from_environ(environ)
    if settings.in_memory:
        raise SettingsError(
            "HYPERPLANE_STORAGE is memory://: labels would be gone with this command; use a storage account or Azurite"
        )
    try:
        manifest = champion_bundle(scoring_settings.from_environ(environ).models, options.model).manifest
        wanted = _wanted(options, manifest)
        with open_labels(options.file, wanted) as rows:
            return _label(rows, manifest, wanted, open_stores(settings), settings, options)
    except LabelFileError as problem:
        return _refused(f"{options.file}: {problem}")
    except (UnknownModel, BundleError, ServingError) as problem:
        return _refused(str(problem))


def _wanted(options: argparse.Namespace, manifest: Manifest) -> Wanted:
    field = "value" if manifest.task == "regression" else "label"
    return Wanted(field, options.id_column, options.label_column, options.ts_column)


def _label(
    rows: LabelRows,
    manifest: Manifest,
    wanted: Wanted,
    stores: Stores,
    settings: AuditSettings,
    options: argparse.Namespace,
) -> int:
    with _writer(stores, settings, wanted_at_all=not options.dry_run) as writer:
        known = KnownIds(stores.log, derived=stores.derived).known
        bulk = BulkLabels(options.model, LabelJudge(manifest), known, writer)
        stopped = _stopped(bulk, rows, options)
    _tell(bulk, manifest, wanted, rows, stopped, options)
    if stopped:
        return INTERRUPTED if stopped == _INTERRUPTED else 2
    return 1 if bulk.tally.outcomes["rejected"] else 0


@contextmanager
def _writer(stores: Stores, settings: AuditSettings, *, wanted_at_all: bool) -> Iterator[LogWriter | None]:
    """A writer of its own, with blobs of its own: the service's writers beside it need not know."""
    if not wanted_at_all:
        yield None
        return
    writer = LogWriter(
        stores.log,
        writer_id=new_writer_id(),
        opening={"code": __version__, "command": "label"},
        queue_bytes=max(settings.queue_bytes, _QUEUE_BYTES),
        give_up_s=settings.give_up_s,
        resolve_s=settings.resolve_s,
    )
    try:
        yield writer
    finally:
        writer.close()


def _stopped(bulk: BulkLabels, rows: LabelRows, options: argparse.Namespace) -> str | None:
    """Label all rows; why that ended before the file did, if it did."""
    from audit.display import progress_bar

    with progress_bar("labels", wanted=not options.json) as bar:

        def progress() -> None:
            if bar:
                bar(
                    *rows.progress(), f"{counted(bulk.tally.rows, 'row')}, {bulk.tally.outcomes['rejected']:,} rejected"
                )

        try:
            bulk.run(from_row(rows, options.from_row), progress)
        except KeyboardInterrupt:
            return _INTERRUPTED
        except NoSuchRow:
            raise
        except LabelFileError as problem:
            return f"{options.file}: {problem}"
        except AuditError as problem:
            unsure = " (outcome unknown)" if isinstance(problem, Ambiguous) else ""
            return f"{advised(problem)}{unsure}"
        except Exception as problem:  # noqa: BLE001 - Python's own exit code would be 1, which means rejected rows
            traceback.print_exc()
            return f"this should not have happened: {type(problem).__name__}: {problem}"
    return None


def _tell(
    bulk: BulkLabels,
    manifest: Manifest,
    wanted: Wanted,
    rows: LabelRows,
    stopped: str | None,
    options: argparse.Namespace,
) -> None:
    from scoring import label_summary

    next_row = max(bulk.durable + 1, options.from_row)
    rejected = label_summary.rejected_rows(bulk.tally, manifest, wanted)
    if options.json:
        head = {"model": manifest.name, "version": manifest.version, "dry_run": options.dry_run}
        end = {"finished": stopped is None, "problem": stopped}
        go_on = {"next_row": next_row} if stopped and not options.dry_run else {}
        print(label_summary.as_json(head | end | go_on | label_summary.summary(bulk.tally, rejected)))
        return
    label_summary.print_summary(bulk.tally, rejected, dry=options.dry_run)
    for line in _remarks(bulk, rows, stopped, next_row, options):
        print(label_summary.on_one_line(line), file=sys.stderr)


def _remarks(
    bulk: BulkLabels, rows: LabelRows, stopped: str | None, next_row: int, options: argparse.Namespace
) -> Iterator[str]:
    if rows.ignored:
        yield f"column{'' if len(rows.ignored) == 1 else 's'} left alone: {listed(rows.ignored)}"
    if stopped:
        yield f"error: not finished: {stopped}"
        if options.dry_run:
            were = "was" if bulk.tally.rows == 1 else "were"
            yield f"{counted(bulk.tally.rows, 'row')} {were} checked, nothing was recorded"
            return
        if not bulk.durable and not bulk.pending:
            yield "nothing was recorded: run it again as it was"
            return
        safe = f"all up to row {bulk.durable} is recorded" if bulk.durable else "nothing was recorded"
        maybe = f", all up to row {bulk.pending} perhaps" if bulk.pending else ""
        yield f"{safe}{maybe}; go on with --from-row {next_row}"
        yield "to record rows again does no harm: the newest label of an id counts"
    elif not bulk.tally.rows:
        yield "the file has no rows"
    elif options.dry_run:
        yield "nothing was recorded (--dry-run)"


def _refused(problem: str) -> int:
    from scoring import label_summary

    print(label_summary.on_one_line(f"error: {problem}"), file=sys.stderr)
    return 2
