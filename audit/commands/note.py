"""`python -m audit note ID`: write down what an auditor found, beside the records that it is about."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence

import msgspec

from audit import display
from audit.appender import Receipt
from audit.commands.arguments import Commands, add_command, word
from audit.connect import Stores
from audit.errors import Ambiguous
from audit.lookup import search
from audit.notes import VERDICTS, Note, judged_note, note_record
from audit.records import encode_record, timestamp
from audit.settings import AuditSettings
from audit.store import Store
from audit.writer import LogWriter, new_writer_id

_GRACE_S = 60.0  # beyond the settings' patience, which ends the wait by itself
_EPILOG = """examples:
  python -m audit note patient-17 --author "R. Okafor" --verdict confirmed
  python -m audit note patient-17 --model wine --author "R. Okafor" \\
      --verdict disputed --comment "The income was typed in twice."

A note is a record of the log like any other: it can be neither changed nor
taken back, only answered by another. It appears wherever the instance is shown,
and a report's audit section counts it. The author's name is taken as given.
Exit codes: 0 recorded, 1 no record of that instance, 2 refused, or the log
could not be written."""


def add(commands: Commands) -> None:
    """Add the command."""
    what = "record what an auditor found about an instance"
    parser = add_command(commands, "note", _run, what, _EPILOG, times=False)
    parser.add_argument("id", metavar="ID", help="the instance's id, as it was sent or answered")
    parser.add_argument("--author", required=True, help="who looked at it")
    meanings = "; ".join(f"{word}: {meaning}" for word, meaning in VERDICTS.items())
    parser.add_argument("--verdict", required=True, type=word(tuple(VERDICTS)), help=meanings)
    parser.add_argument("--comment", default="", help="what was found, in at most 4,000 characters")
    parser.add_argument("--model", help="the model, if several have an instance of this id")


def _run(stores: Stores, options: argparse.Namespace) -> int:
    note = judged_note({"author": options.author, "verdict": options.verdict, "comment": options.comment})
    models = _models(stores, options.id, options.model)
    if len(models) != 1:
        return _which(models, options)
    try:
        receipts = record_note(stores.log, note, options.id, models[0], options.settings)
    except (Ambiguous, KeyboardInterrupt):
        display.say("audit: it is not known whether the note was recorded: `python -m audit show` with the id tells")
        raise
    _say(receipts, as_json=options.json)
    return 0


def record_note(store: Store, note: Note, instance_id: str, model: str, settings: AuditSettings) -> list[Receipt]:
    """Write a note in a blob of its own, with the settings' patience; raises `Unavailable`."""
    writer = LogWriter(
        store,
        writer_id=new_writer_id(),
        opening={"command": "python -m audit note"},
        queue_bytes=settings.queue_bytes,
        give_up_s=settings.give_up_s,
        resolve_s=settings.resolve_s,
    )
    try:
        record = note_record(note, instance_id, model=model, ts=timestamp(time.time()), writer=writer.writer_id)
        return writer.commit_blocking([encode_record(record)], settings.give_up_s + settings.resolve_s + _GRACE_S)
    finally:
        writer.close()


def _models(stores: Stores, instance_id: str, model: str | None) -> list[str]:
    """The models that have a record of the instance; one is enough if it was named."""
    with display.progress_bar("looking for the instance") as progress:
        found = search(stores.log, instance_id, model, derived=stores.derived, progress=progress)
        if model is not None:
            return [model] if next(found, None) else []
        return sorted({record.model for record, _ in found})


def _which(models: Sequence[str], options: argparse.Namespace) -> int:
    if not models:
        of = f" for model {options.model!r}" if options.model else ""
        display.say(f"audit: no record of an instance with the id {options.id!r}{of} in the log, so nothing was noted")
        return 1
    display.say(f"audit: several models have an instance {options.id!r}; say which with --model: {', '.join(models)}")
    return 2


def _say(receipts: Sequence[Receipt], *, as_json: bool) -> None:
    for receipt in receipts:
        if as_json:
            print(json.dumps(msgspec.to_builtins(receipt)))
        else:
            display.say(f"noted in {receipt.blob}, frame {receipt.sequence}, whose head is {receipt.head}")
