"""Replay: the recorded bundle is run once more on the recorded input, and must give the recorded bits.

    record -> its bundle, by hash -> all rows of its run, from the log -> judged by the recorded policies
           -> one run, as in production -> decided -> compared bit by bit

What is judged, run and decided here goes through the same code as a request. `scoring.replay_result` says what the
verdicts mean. Nothing of the result is a guess: where the log or the models folder does not hold what is needed, the
verdict is `cannot`, with the reason.

Not promised: that other hardware gives the same bits. A processor with wider registers adds in another order; the
verdict then is `other hardware`, with the difference.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from audit.reader import Position
from audit.records import Record
from audit.store import Store
from scoring.inference import Run
from scoring.model import RUN_TIMEOUT_S, ModelError, RunTimeout
from scoring.outcome import Decision
from scoring.recorded_bundle import RecordedBundles, Rules
from scoring.recorded_input import check_redaction, judged_again
from scoring.recorded_origin import about_of, policies_of
from scoring.recorded_run import RecordedRun, collect, collect_around
from scoring.replay_comparison import compared
from scoring.replay_limits import ReplayLimits
from scoring.replay_result import CannotReplay, Machine, Replay, cannot
from scoring.startup import opening

Found = tuple[Record, Position]

_ABOUTS_KEPT = 64


class Replayer:
    """Replays records of one log with the bundles of one folder; used from any thread. Blocks.

    `about`: what this process runs on, by default what it would write into its own log.
    """

    def __init__(
        self,
        log: Store,
        models: Path,
        *,
        about: Mapping[str, str] | None = None,
        run_timeout_s: float = RUN_TIMEOUT_S,
    ) -> None:
        self._log = log
        self._bundles = RecordedBundles(models, run_timeout_s)
        self._about = functools.lru_cache(maxsize=_ABOUTS_KEPT)(lambda blob: about_of(log, blob))
        self._here = Machine.of(opening() if about is None else about)

    def replay(self, record: Record, position: Position) -> Replay:
        """What came of replaying a record of kind `score`. Raises `audit.errors.Unavailable` for the storage."""
        return next(replay for _, replay in self.each([(record, position)]))

    def each(self, found: Sequence[Found], limits: ReplayLimits | None = None) -> Iterator[tuple[int, Replay]]:
        """A replay of each record, with its place in `found`, as they come: a blob is read once for all its records,
        and a run is run once for all its rows. The records may lack `x`, `flags` and `us`, which are read again."""
        limits = ReplayLimits() if limits is None else limits
        blobs: dict[str, list[int]] = {}
        for index, (record, position) in enumerate(found):
            problem = self._obstacle(record, position, limits)
            if problem is not None:
                yield index, self._cannot(record, position.blob, problem)
            else:
                blobs.setdefault(position.blob, []).append(index)
        for blob in sorted(blobs):
            yield from self._of_blob(blob, {index: found[index] for index in blobs[blob]}, limits)

    def _of_blob(self, blob: str, found: Mapping[int, Found], limits: ReplayLimits) -> Iterator[tuple[int, Replay]]:
        rows: dict[str, dict[int, Found]] = {}
        wanted: dict[str, RecordedRun] = {}
        for index, (record, position) in found.items():
            run = RecordedRun(record, blob, limits)
            wanted.setdefault(run.id, run)
            rows.setdefault(run.id, {})[index] = record, position
        for run in self._looked_up(blob, wanted, limits):
            yield from self._of_run(run, rows[run.id], limits)
            run.let_go()

    def _looked_up(self, blob: str, wanted: dict[str, RecordedRun], limits: ReplayLimits) -> Iterator[RecordedRun]:
        """Each run once, with its rows as far as they are there; those that there was no room for beside the others are
        looked up again one by one."""
        yield from [wanted.pop(run_id) for run_id in list(wanted) if wanted[run_id].complete]  # none of them can be
        yield from collect(self._log, blob, wanted, limits)
        yield from collect_around(self._log, blob, wanted, limits)
        yield from (run for run in wanted.values() if not run.lacks_room)
        for run in [run.anew() for run in wanted.values() if run.lacks_room]:
            alone = {run.id: run}
            yield from collect(self._log, blob, alone, limits)
            yield from collect_around(self._log, blob, alone, limits)
            yield from alone.values()

    def _of_run(
        self, run: RecordedRun, found: Mapping[int, Found], limits: ReplayLimits
    ) -> Iterator[tuple[int, Replay]]:
        """The replays of some records of one run."""
        about = {"recorded_on": Machine.of(self._about(run.blob)), "replayed_on": self._here}
        try:
            decisions = self._run_again(run, limits)
        except CannotReplay as problem:
            yield from ((index, cannot(record, problem, **about)) for index, (record, _) in found.items())
            return
        for index, (record, position) in found.items():
            yield index, _of_row(run, record, position, decisions, about)

    def _run_again(self, run: RecordedRun, limits: ReplayLimits) -> list[Decision]:
        """A decision for each row of a run, as it is computed here; raises `CannotReplay`."""
        _check_time(limits)
        records = run.records()
        model = self._bundles.model(records[0].bundle, records[0].model, records[0].version)
        rules = self._rules(records[0], run.blob)
        judged = judged_again(records, rules.manifest, rules.judge)
        rows = range(len(records))
        try:
            again = Run(rows, run.id, model.run(judged.matrix, limits.run_s(model.run_timeout_s)))
        except RunTimeout as problem:
            _check_time(limits)
            raise CannotReplay("timeout", f"It could not be computed here: {problem}.") from problem
        except ModelError as problem:
            if records[0].reasons != ["model_error"]:
                raise CannotReplay("model_error", f"It could not be computed here: {problem}.") from problem
            again = Run(rows, run.id, reason="model_error")
        return rules.decider.decide(judged.verdicts, [again])

    def _rules(self, record: Record, blob: str) -> Rules:
        model = self._bundles.model(record.bundle, record.model, record.version)
        policies = policies_of(self._about(blob), record.model, record.policies)
        return self._bundles.rules(model, policies, record.policies)

    def _obstacle(self, record: Record, position: Position, limits: ReplayLimits) -> CannotReplay | None:
        """What already the record itself shows to stand in the way."""
        if record.kind != "score":
            raise ValueError(f"a record of kind {record.kind} is nothing to replay")
        if record.run is None:
            return CannotReplay("not_run", _why_not_run(record))
        if record.outcome == "failed" and record.reasons == ["timeout"]:
            return CannotReplay("run_ended", "The recorded run was ended at its limit: there is no answer to compare.")
        try:
            _check_time(limits)
            check_redaction(record, self._rules(record, position.blob).manifest)
        except CannotReplay as problem:
            return problem
        return None

    def _cannot(self, record: Record, blob: str, problem: CannotReplay) -> Replay:
        return cannot(record, problem, recorded_on=Machine.of(self._about(blob)), replayed_on=self._here)


def replays(replayer: Replayer, found: Sequence[Found], limits: ReplayLimits | None = None) -> list[Replay | None]:
    """For each record of an instance its replay; None for labels, notes, and instances that the model never saw."""
    run = [index for index, (record, _) in enumerate(found) if record.kind == "score" and record.run is not None]
    made: list[Replay | None] = [None] * len(found)
    for place, replay in replayer.each([found[index] for index in run], limits):
        made[run[place]] = replay
    return made


def _of_row(
    run: RecordedRun,
    record: Record,
    position: Position,
    decisions: Sequence[Decision],
    about: Mapping[str, Machine],
) -> Replay:
    assert record.run is not None, "only what was run is looked up"
    try:
        run.check(record, position)
    except CannotReplay as problem:
        return cannot(record, problem, **about)
    return compared(record, decisions[record.run[1]], **about)


def _why_not_run(record: Record) -> str:
    why = f"It was {record.outcome} ({', '.join(record.reasons)})" if record.outcome else "It was not run"
    return f"{why}, and the model was not run on it: there is nothing to replay."


def _check_time(limits: ReplayLimits) -> None:
    if limits.is_over():
        raise CannotReplay("no_time", "The time that one request may take for replays was over; ask by the command.")
