"""`python -m scoring replay`: run the recorded bundles again on recorded instances, and compare bit by bit."""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping
from pathlib import Path

from audit import settings as audit_settings
from audit.commands.arguments import positive, when, within
from audit.connect import open_stores
from audit.reader import Position
from audit.records import Record
from audit.settings import SettingsError
from audit.store import Store
from scoring.settings import from_environ

_ABOUT = """replay: the recorded bundle (found by its hash) is run once more on the recorded
instances, in the batch in which they were run, and its answer is compared with
the recorded one, bit by bit. By id, or for a sample drawn from everything that
was run."""
_EPILOG = """examples:
  python -m scoring replay patient-17           every score of this instance
  python -m scoring replay --sample 1000 --since 7d
  python -m scoring replay --sample 50 --model wine --seed 7 --all

verdicts: equal; different (both answers are told); other hardware (other bits,
on another processor or ONNX Runtime than recorded); cannot (with the reason).
docs/replay.md explains each, and what must be kept for a replay.

On a terminal rows are cut to its width, what was found stands below them. In a
pipe or a file each replay is one line, with tabs between the columns.

The log is found by HYPERPLANE_STORAGE, the bundles by HYPERPLANE_MODELS or
--models.
Exit codes: 0 all are equal, or the model was never run on them; 1 one is not,
cannot be replayed, or nothing was found; 2 could not run."""

Found = list[tuple[Record, Position]]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "replay",
        help="run recorded instances again and compare the answers bit by bit",
        description=_ABOUT,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("id", nargs="*", metavar="ID", help="ids of instances, as they were sent or answered")
    parser.add_argument("--sample", type=positive, metavar="N", help="instead of ids: so many drawn at random")
    parser.add_argument("--seed", type=_seed, metavar="N", help="of the sample, to draw the same again")
    parser.add_argument("--model", help="only records of this model")
    parser.add_argument(
        "--since", type=when, metavar="TIME", help="from then on: 2026-11-23T14:05 (UTC), or an age: 30m, 2h, 7d"
    )
    parser.add_argument("--until", type=when, metavar="TIME", help="before then; as --since")
    parser.add_argument("--all", action="store_true", help="of a sample, list those too that are equal")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="where the bundles are, kept ones too")
    parser.add_argument("--json", action="store_true", help="JSON lines of all replays, for programs")
    parser.set_defaults(run=_run, parser=parser)


def _seed(text: str) -> int:
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 20:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number")
    return int(text)


def _run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    if bool(options.id) == (options.sample is not None):
        options.parser.error("give ids, or --sample N")
    if options.sample is None and (options.seed is not None or options.all):
        options.parser.error("--seed and --all are for --sample")
    if options.since is not None and options.until is not None and options.since >= options.until:
        options.parser.error("--since: expected a time before --until")
    settings = from_environ(environ)
    log, models = _log(environ), _folder(options.models or settings.models)
    # These need rich and onnxruntime, which the other commands do without.
    from audit.display import say
    from scoring.replay import Replayer
    from scoring.replay_display import replay_all, summary

    replayer = Replayer(log, models, run_timeout_s=settings.run_timeout_s)
    found, told, lacking = _sampled(log, options) if options.sample else _by_id(log, options)
    made = replay_all(replayer, found, as_json=options.json, equal_too=bool(options.id) or options.all)
    say(f"{summary(made)}{told}" if made else f"replay: {told}")
    well = all(one.verdict == "equal" or one.reason == "not_run" for one in made)
    return 0 if made and well and not lacking else 1


def _sampled(log: Store, options: argparse.Namespace) -> tuple[Found, str, bool]:
    """Records to replay, what to tell of them, and whether something that was asked for is not there."""
    from audit.display import progress_bar
    from scoring.replay_sample import sample

    seed = random.SystemRandom().getrandbits(32) if options.seed is None else options.seed
    with progress_bar("drawing", wanted=not options.json) as progress:
        drawn = sample(
            log, options.sample, seed,
            model=options.model, since_s=options.since, until_s=options.until, progress=progress,
        )  # fmt: skip
    if not drawn.found:
        return [], f"no record of an instance that {options.model or 'a model'} was run on{within(options)}", False
    return drawn.found, f"; drawn from {drawn.of:,} that were run, seed {seed}", False


def _by_id(log: Store, options: argparse.Namespace) -> tuple[Found, str, bool]:
    from audit.display import progress_bar, say
    from audit.lookup import find

    found: Found = []
    absent = 0
    with progress_bar("looking up", wanted=not options.json) as progress:
        for number, name in enumerate(dict.fromkeys(options.id)):
            if progress:
                progress(number, len(options.id), name)
            scores = [pair for pair in find(log, name, options.model, options.since, options.until) if _is_score(pair)]
            found += scores
            if not scores:
                absent += 1
                say(f"replay: no score of an instance with the id {name!r} in the log{within(options)}")
    return found, "" if found else "there is nothing to replay", absent > 0


def _is_score(pair: tuple[Record, Position]) -> bool:
    return pair[0].kind == "score"


def _log(environ: Mapping[str, str]) -> Store:
    settings = audit_settings.from_environ(environ)
    if settings.in_memory:
        raise SettingsError(
            "HYPERPLANE_STORAGE is memory://: that log lives in the memory of the process that serves, and no "
            "other can read it; use a storage account or Azurite"
        )
    return open_stores(settings).log


def _folder(models: Path) -> Path:
    if not models.is_dir():
        raise SettingsError(f"there is no folder {models}: give the folder of the bundles with --models")
    return models
