"""The audit section: what alarms, what is only said, and that chosen instances are those of the log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from audit.digest_writer import write_digests
from audit.errors import Unavailable
from audit.memory_store import MemoryStore
from audit.notes import Note, note_record
from audit.reader import Position
from audit.records import Record, timestamp, unix_s
from audit.signing import PublicKeys
from evaluation import __main__ as command
from evaluation.audit_section import audit_section, audit_verdict
from evaluation.evidence import collect
from evaluation.format.audit import ReplayVerdict
from evaluation.hourly import make_report, run_due
from evaluation.pages.report import report_page
from evaluation.pages.report_audit import REASONS as WORDS_OF_REASONS
from evaluation.profile import Distributions, Row
from evaluation.references import References
from evaluation.report import Evidence
from evaluation.report_format import (
    Audit,
    BlobStates,
    LogIntegrity,
    SampleReplay,
    decode_report,
    encode_report,
    entry_of,
)
from evaluation.terminal import print_report
from evaluation.vouching.log_integrity import Looked
from evaluation.vouching.means import Means, Replayed
from evaluation.windows import day_window
from scoring import replay_result
from scoring.replay import Replayer
from scoring.startup import opening
from tests.audit.digests import SIGNER
from tests.evaluation.example_report import HOSTILE, example_report
from tests.evaluation.workshop import HOUR, NOON, Log, label, make_bundle, score
from tests.scoring.bundles import classifier, manifest, write_bundle
from tests.scoring.services import line

DAY = day_window(NOON)
AS_OF = timestamp(NOON + HOUR)
KEYS = PublicKeys.of_pem(SIGNER.public_key_pem)


@dataclass
class Told:
    verdict: str
    reason: str | None = None
    sentence: str = "So it was told."


class Scripted:
    """Replays by the instance's id; an exception is raised when its turn comes."""

    def __init__(self, script: dict[str, Told | Exception]) -> None:
        self.script, self.asked = script, 0

    def __call__(self) -> Scripted:
        self.asked += 1
        return self

    def each(self, found: Sequence[tuple[Record, Position]]) -> Iterator[tuple[int, Replayed]]:
        for index, (record, _) in reversed(list(enumerate(found))):
            told = self.script.get(record.id, Told("equal"))
            if isinstance(told, Exception):
                raise told
            yield index, told


def evidence_of(log: Log, models: Path, as_of: str = AS_OF) -> Evidence:
    """The evidence of the log's day, in whose profiles every champion's instance of the log is kept as a row."""
    evidence = collect(log.store, MemoryStore(), References(models), "toy", DAY, as_of)
    return with_rows(evidence, rows_of(log))


def rows_of(log: Log, start: int = 0) -> list[Row]:
    from audit.reader import records

    found = [record for record, _ in records(log.store) if record.kind == "score" and record.role == "champion"]
    return [
        Row(hash=start + n, id=one.id, ts=one.ts, values=[], distance=float(n), confidence=1 / (n + 2))
        for n, one in enumerate(found)
    ]


def with_rows(evidence: Evidence, rows: list[Row]) -> Evidence:
    kept = Distributions(n=len(rows), rows=rows, farthest=rows, least_confident=rows)
    hours = {
        start: [
            msgspec.structs.replace(one, distributions={"b" * 64: kept}) if one.role == "champion" else one
            for one in profiles
        ]
        for start, profiles in evidence.hours.items()
    }
    return msgspec.structs.replace(evidence, hours=hours)


def section(log: Log, models: Path, means: Means | None = None, derived: MemoryStore | None = None) -> Audit:
    return audit_section(log.store, derived or MemoryStore(), evidence_of(log, models), means)


def ran(id: str, **more: Any) -> Record:
    return msgspec.structs.replace(score(id, **more), run=(f"run-{id}", 0, 1))


@pytest.fixture
def scored(log: Log, models: Path) -> Log:
    """Five instances, one of them wrong, one abstained; closed and digested."""
    bundle = make_bundle(models).sha256
    sure = {"label": "yes", "probabilities": {"yes": 0.9, "no": 0.1}}
    records = [ran(f"i{n}", bundle=bundle, y=sure) for n in range(4)]
    records.append(score("i4", bundle=bundle, outcome="abstained", reasons=["missing_required"]))
    log.close(log.append(NOON, [*records, label("i0", "yes"), label("i1", "no")]))
    write_digests(log.store, SIGNER, NOON + HOUR + 301)
    return log


def test_a_log_that_verifies_and_replays_is_ok_and_says_of_how_much(scored: Log, models: Path) -> None:
    told = section(scored, models, Means(lambda: KEYS, Scripted({"i4": Told("cannot", "not_run")})))
    assert (told.verdict.level, told.verdict.figure, told.verdict.value) == ("ok", "verified", 1.0)
    assert "1 of 1 log file is byte for byte as digests list it." in told.verdict.sentence
    assert "4 of 5 instances got the recorded answer again, bit for bit." in told.verdict.sentence
    assert (told.replay.equal, told.replay.cannot) == (4, 1)
    assert [(one.name, one.count, one.of) for one in told.replay.reasons] == [("not_run", 1, "cannot")]


def test_the_sample_has_outcome_answer_truth_and_replay_of_each(scored: Log, models: Path) -> None:
    told = section(scored, models, Means(replayer=Scripted({"i1": Told("other hardware")})))
    by_id = {one.id: one for one in told.sample.instances}
    assert sorted(by_id) == ["i0", "i1", "i2", "i3", "i4"]
    assert (by_id["i0"].outcome, by_id["i0"].answer, by_id["i0"].truth) == ("scored", "yes", "yes")
    assert (by_id["i1"].truth, by_id["i1"].replay, by_id["i2"].truth) == ("no", "other hardware", None)
    assert (by_id["i4"].outcome, by_id["i4"].answer, by_id["i4"].version) == ("abstained", None, "1")
    assert told.sample.of == 5


def test_the_strangest_are_told_with_what_makes_them_strange(scored: Log, models: Path) -> None:
    far, unsure, missed = section(scored, models).strangest
    assert [(one.id, one.measure) for one in far.instances[:2]] == [("i4", 4.0), ("i3", 3.0)]
    assert unsure.instances[0].measure == pytest.approx(1 / 6)
    assert [(one.id, one.answer, one.truth, one.measure) for one in missed.instances] == [("i1", "yes", "no", 0.9)]
    assert missed.sentence == "1 of 2 labelled instances were wrong; here by the largest probability."


def test_a_replay_that_differs_on_the_same_hardware_alarms_and_on_other_hardware_does_not(
    scored: Log, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = section(scored, models, Means(lambda: KEYS, Scripted({"i1": Told("other hardware")})))
    here = section(scored, models, Means(lambda: KEYS, Scripted({"i1": Told("different"), "i2": Told("new word")})))
    assert elsewhere.verdict.level == "ok"
    assert (here.verdict.level, here.verdict.figure, here.verdict.value) == ("alert", "replay", 1)
    assert [(one.id, one.verdict) for one in here.replay.differing] == [("i1", "different")]
    assert here.replay.cannot == 1, "a verdict that nobody knows is none to rely on"
    print_report(msgspec.structs.replace(example_report(), audit=here))
    assert "replay of i1: different: So it was told." in capsys.readouterr().out


def test_a_finding_alarms_before_anything_else() -> None:
    damaged = LogIntegrity(sentence="1 finding.", findings_total=1, blobs=BlobStates(verified=9, damaged=1))
    damaged = msgspec.structs.replace(damaged, findings=[example_report().sources.findings[0]])
    verdict = audit_verdict(Looked(damaged, 3), SampleReplay(sentence="", different=2))
    assert (verdict.level, verdict.figure, verdict.value) == ("alert", "findings", 1)
    assert "bytes after close" in verdict.sentence
    assert "2 replayed instances got another answer" in verdict.sentence


def test_digests_that_are_overdue_warn_and_none_at_all_is_no_data() -> None:
    well = LogIntegrity(sentence="As it was.", blobs=BlobStates(verified=1))
    nothing = SampleReplay(sentence="")
    assert audit_verdict(Looked(well, 2), nothing).level == "warn"
    assert audit_verdict(Looked(well, 0), nothing).level == "ok"
    assert audit_verdict(Looked(LogIntegrity(sentence="None."), 0), nothing).level == "no data"


def test_without_a_replayer_the_section_says_so(scored: Log, models: Path) -> None:
    told = section(scored, models)
    assert told.replay.sentence == "Nothing was replayed: who made this report had no means to."
    assert told.integrity.digests.not_checked == 1
    assert all(one.replay is None for one in told.sample.instances)


def test_who_replays_is_not_made_when_there_is_nothing_to_replay(log: Log, models: Path) -> None:
    make_bundle(models)
    replays = Scripted({})
    told = section(log, models, Means(replayer=replays))
    assert (replays.asked, told.replay.sentence) == (0, "There was no instance to replay.")
    assert told.verdict.level == "no data"


def test_a_replay_that_breaks_costs_the_report_its_replays_and_nothing_else(scored: Log, models: Path) -> None:
    told = section(scored, models, Means(replayer=Scripted({"i0": RuntimeError("no such thing")})))
    assert "The replays broke off: RuntimeError: no such thing." in told.replay.sentence
    assert told.replay.equal + told.replay.left_out == 5
    assert told.verdict.level == "ok"
    with pytest.raises(Unavailable):
        section(scored, models, Means(replayer=Scripted({"i0": Unavailable("down")})))


def test_a_section_that_cannot_be_made_warns_and_costs_the_report_nothing_else(scored: Log, models: Path) -> None:
    def no_keys() -> None:
        raise ValueError("the key is a picture")

    report = make_report(
        scored.store, MemoryStore(), References(models), "toy", DAY, AS_OF, means=Means(no_keys, Scripted({}))
    )
    assert report.audit is not None
    assert report.audit.verdict.level == "warn"
    assert "could not be made: ValueError: the key is a picture" in report.audit.verdict.sentence
    assert report.coverage.counts.calls == 5
    assert "This section could not be made" in report_page(report)


def test_replays_end_when_time_is_up_and_large_runs_are_left_out(log: Log, models: Path) -> None:
    bundle = make_bundle(models).sha256
    large = msgspec.structs.replace(ran("large", bundle=bundle), run=("r", 0, 50_000))
    log.append(NOON, [ran("a", bundle=bundle), ran("b", bundle=bundle), large])
    ticks = iter([0.0, 31.0, 32.0, 33.0])
    told = section(log, models, Means(replayer=Scripted({}), clock=lambda: next(ticks)))
    assert (told.replay.equal, told.replay.left_out) == (1, 2)
    assert {one.name for one in told.replay.reasons} == {"no_time", "run_too_large"}


def test_records_are_found_by_the_index_without_reading_the_log_whole(scored: Log, models: Path) -> None:
    derived = MemoryStore()
    assert not run_due(scored.store, derived, models, NOON + HOUR + 301).problems
    by_index = section(scored, models, derived=derived)
    assert by_index == section(scored, models)
    nothing_read = audit_section(scored.store, derived, evidence_of(scored, models), Means(read_bytes=0))
    assert [one.outcome for one in nothing_read.sample.instances] == [one.outcome for one in by_index.sample.instances]
    not_found = audit_section(scored.store, MemoryStore(), evidence_of(scored, models), Means(read_bytes=0))
    assert {one.outcome for one in not_found.sample.instances} == {None}


def test_what_is_no_time_and_ids_of_other_models_are_not_looked_up(log: Log, models: Path) -> None:
    bundle = make_bundle(models).sha256
    log.append(NOON, [ran("same id", bundle=bundle, model="other"), ran("mine", bundle=bundle)])
    rows = [
        Row(hash=n, id=name, ts=ts, values=[])
        for n, (name, ts) in enumerate([("same id", timestamp(NOON)), ("mine", HOSTILE), ("mine", "9999-12-31")])
    ]
    evidence = with_rows(evidence_of(log, models), rows)
    told = audit_section(log.store, MemoryStore(), evidence)
    assert {one.outcome for one in told.sample.instances} == {None}


def note(id: str, verdict: str, at_s: float, author: str = "R. Okafor", comment: str = "") -> Record:
    return note_record(Note(author, verdict, comment), id, model="toy", ts=timestamp(at_s), writer="w")


def test_notes_of_the_window_are_counted_and_the_newest_told(scored: Log, models: Path) -> None:
    at_s = NOON + 2 * HOUR
    notes = [note(f"n{n}", "disputed", at_s + n, comment="x" * 4000) for n in range(25)]
    stranger = msgspec.structs.replace(note("other", "confirmed", at_s), model="another")
    odd = msgspec.structs.replace(note("odd", "confirmed", at_s + 60), y={"verdict": ["no text"], "author": 7})
    scored.append(at_s, [*notes, stranger, odd, note("later", "unclear", NOON + 9 * HOUR)])
    evidence = evidence_of(scored, models, timestamp(at_s + HOUR))
    told = audit_section(scored.store, MemoryStore(), evidence).notes
    assert (told.confirmed, told.disputed, told.unclear, told.hours_left) == (0, 25, 0, 0)
    assert len(told.newest) == 20
    assert [one.id for one in told.newest[:3]] == ["odd", "n24", "n23"]
    assert (told.newest[0].author, told.newest[0].verdict) == ("", "")
    assert len(told.newest[1].comment) == 501


def test_a_day_that_is_reported_again_gives_the_same_bytes_also_once_later_digests_are_there(
    scored: Log, models: Path
) -> None:
    def report() -> bytes:
        means = Means(lambda: KEYS, Scripted({}))
        derived = MemoryStore()
        return encode_report(make_report(scored.store, derived, References(models), "toy", DAY, AS_OF, means=means))

    before = report()
    write_digests(scored.store, SIGNER, NOON + 30 * HOUR)
    assert report() == before
    assert decode_report(before).audit is not None


def test_the_log_is_looked_at_once_for_all_models_of_a_run(scored: Log, models: Path) -> None:
    make_bundle(models, name="second")
    means = Means(lambda: KEYS)
    first = make_report(scored.store, MemoryStore(), References(models), "toy", DAY, AS_OF, means=means).audit
    again = make_report(scored.store, MemoryStore(), References(models), "second", DAY, AS_OF, means=means).audit
    assert first is not None
    assert again is not None
    assert again.integrity is first.integrity


def test_an_altered_log_alarms_in_the_report_of_a_command(
    scored: Log, models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from audit.connect import Stores
    from tests.audit.examples import copy_with

    blob = next(info.name for info in scored.store.list("log/"))
    data = scored.store.read(blob)
    store = copy_with(scored.store, {blob: data[:-400] + bytes([data[-400] ^ 1]) + data[-399:]})
    monkeypatch.setattr(command, "open_stores", lambda settings: Stores(store, MemoryStore()))
    storage = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/a"
    environ = {"HYPERPLANE_STORAGE": storage, "HYPERPLANE_MODELS": str(models)}
    assert command.main(["report", "--model", "toy", "--as-of", "2026-11-23T14:00"], environ) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "audit alert" in told
    assert "altered: its SHA-256 is" in told


def test_a_report_from_before_there_was_such_a_section_is_read_and_shown_without_it() -> None:
    old = json.loads(encode_report(example_report()))
    del old["audit"]
    report = decode_report(json.dumps(old).encode())
    assert report.audit is None
    assert set(entry_of(report).verdicts) == {"coverage", "performance", "profiling", "drift"}
    assert 'id="audit"' not in report_page(report)


def test_what_was_scored_is_replayed_by_the_recorded_bundle(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest(), classifier())
    with line(tmp_path, about=opening()) as running:
        instances = [{"age": 20.0 + n, "income": 2, "member": True} for n in range(30)]
        running.score({"instances": instances, "ids": [f"c{n}" for n in range(30)]}, model="credit")
        records = [record for record in running.records() if record.kind == "score"]
        window, as_of = day_window(unix_s(records[0].ts)), timestamp(unix_s(records[-1].ts) + 1)
        evidence = collect(running.store, MemoryStore(), References(tmp_path), "credit", window, as_of)
        rows = [Row(hash=n, id=one.id, ts=one.ts, values=[]) for n, one in enumerate(records)]
        means = replace(Means(), replayer=lambda: Replayer(running.store, tmp_path))
        told = audit_section(running.store, MemoryStore(), with_rows(evidence, rows), means)
    assert (told.replay.equal, told.replay.left_out, told.replay.cannot) == (20, 0, 0)
    assert {one.replay for one in told.sample.instances} == {"equal"}


def test_the_page_has_words_for_every_reason_and_verdict_of_a_replay() -> None:
    assert set(replay_result.REASONS) <= set(WORDS_OF_REASONS)
    assert get_args(replay_result.Verdict) == get_args(ReplayVerdict)
