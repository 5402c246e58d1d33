"""`python -m audit sample N`: records drawn at random, for spot checks."""

from __future__ import annotations

import argparse
import secrets

from audit import display
from audit.commands.arguments import WHERE_CUT, Commands, add_command, positive, within
from audit.commands.find import add_filter, filter_of
from audit.connect import Stores
from audit.sample import Sampled, sample
from audit.spot_check import MOST_SEED
from audit.wording import counted

_EPILOG = f"""examples:
  python -m audit sample 20 --model wine --kind score --since 7d
  python -m audit sample 20 --model wine --kind score --since 7d --seed 2026

Every record that matches is as likely to be drawn as any other. The seed is
printed: with --seed and the same options anybody draws the same records from
the same log; throw dice for it, or take one that was not known when the records
were written. With --kind score you draw among calls.

{WHERE_CUT}
Exit codes: 0 drawn, 1 no record matches or a part of the log does not verify,
2 could not run."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands, "sample", _run, "records drawn at random among those that match, newest first", _EPILOG
    )
    parser.add_argument("n", metavar="N", type=positive, help="how many")
    parser.add_argument(
        "--seed", type=_seed, metavar="N", help="to draw again what was drawn with it; default: a new one"
    )
    add_filter(parser)


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 16 or int(text) > MOST_SEED:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from 0 to {MOST_SEED}")
    return int(text)


def _run(stores: Stores, options: argparse.Namespace) -> int:
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    with display.progress_bar("reading hours", wanted=not options.json) as progress:
        drawn = sample(stores.log, filter_of(options), options.n, seed, progress=progress)
    if options.json:
        display.print_json(drawn.records)
    else:
        display.print_table(drawn.records)
    _tell(drawn, options)
    return 0 if drawn.records and not drawn.survey.findings else 1


def _tell(drawn: Sampled, options: argparse.Namespace) -> None:
    if drawn.records:
        display.say(
            f"{len(drawn.records):,} of {counted(drawn.matched, 'matching record')}; "
            f"draw {'it' if len(drawn.records) == 1 else 'them'} again with --seed {drawn.seed}"
        )
    else:
        display.say(f"audit: no record matches{within(options)}")
    if drawn.survey.provisional:
        display.say("hours that are not over yet are among them: the same seed may draw others once more has come")
    for finding in drawn.survey.findings:
        display.say(f"audit: not drawn from, for it does not verify: {finding}")
