"""Whatever somebody does to the log, `verify` and a second verifier say the same; what neither can see is listed."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.frames import MAX_OPENING_BYTES, ZERO_HEAD, encode_frame
from audit.verify import Finding, verify, verify_blobs
from tests.audit import second_link_verifier, second_verifier
from tests.audit.digest_tampering import NOW_S, Scenario, digested, scenarios
from tests.audit.digests import KEYS, SIGNER
from tests.audit.examples import NOON_S, lines
from tests.audit.tampering import FIRST, LATER_S, OTHER, THIRD, Log, frames_of, seen, store_of, unseen, whole_log

WHOLE = whole_log()
SEEN = dict(seen(WHOLE))
UNSEEN = dict(unseen(WHOLE))
DIGESTED = digested(WHOLE)
SCENARIOS = dict(scenarios())

type Found = set[tuple[str, str]]


def findings(log: Log, now_s: float = LATER_S) -> Found:
    """(blob, finding) of a log without digests, of which both verifiers must say the same."""
    found: Found = {(finding.blob, finding.what) for finding in verify_blobs(store_of(log), now_s=now_s)}
    assert second_link_verifier.check(log, now_s) == found
    return found


def all_findings(log: Log, now_s: float = NOW_S) -> Found:
    """(blob or digest, finding) of a log with digests, of which the others must say the same."""
    found: Found = {(finding.blob, finding.what) for finding in verify(store_of(log), keys=KEYS, now_s=now_s)}
    compare(found, log, now_s)
    return found


def compare(found: Found, log: Log, now_s: float) -> None:
    """The second verifier says of each blob and digest the first thing that is wrong; the other one knows the links."""
    others = second_verifier.check(log, datetime.fromtimestamp(now_s, UTC), SIGNER.public_key_pem)
    missing = {(name, what) for name, what in others if what == "missing"}
    blobs = {name: data for name, data in log.items() if name.startswith("log/v1/")}
    others |= second_link_verifier.check(blobs, now_s, missing)
    assert others <= found
    assert {name for name, _ in others} == {name for name, _ in found}
    assert {pair for pair in others if pair[0] in log} >= {pair for pair in found if pair[0] in blobs}


def details(log: Log) -> list[Finding]:
    return verify_blobs(store_of(log), now_s=LATER_S)


@pytest.mark.parametrize("what", SCENARIOS)
def test_it_is_named(what: str) -> None:
    scenario: Scenario = SCENARIOS[what]
    assert all_findings(scenario.log) == scenario.found


@pytest.mark.parametrize("what", SEEN | UNSEEN)
def test_with_digests_whatever_was_done_to_blobs_is_found(what: str) -> None:
    tampered = (SEEN | UNSEEN)[what]
    digests = {name: data for name, data in DIGESTED.items() if name.startswith("digest/")}
    assert all_findings(tampered | digests)


def test_both_find_nothing_in_a_whole_log() -> None:
    assert findings(WHOLE) == set()
    assert findings({}) == set()
    assert all_findings({}) == set()


@pytest.mark.parametrize("what", SEEN)
def test_it_is_found(what: str) -> None:
    assert SEEN[what] != WHOLE
    assert findings(SEEN[what])


@pytest.mark.parametrize("what", UNSEEN)
def test_hashes_inside_the_log_cannot_show_it(what: str) -> None:
    assert UNSEEN[what] != WHOLE
    assert findings(UNSEEN[what]) == set()


def test_every_single_bit_counts() -> None:
    """All bits of a newest blob, one by one: nothing covers the last header's `append_us`, which is on the list."""
    name, data = OTHER, WHOLE[OTHER]
    last = frames_of(WHOLE, name)[-1]
    digits = data.rindex(b'"append_us":', last.offset) + len(b'"append_us":')
    unseen_at = set()
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            if not findings({name: bytes(changed)}):
                unseen_at.add(at)
    assert unseen_at <= set(range(digits, len(data) - len("}\n")))


def test_a_bit_of_the_last_header_is_found_by_the_writers_next_blob() -> None:
    last = frames_of(WHOLE, FIRST)[-1]
    for at in range(last.offset, last.end):
        changed = bytearray(WHOLE[FIRST])
        changed[at] ^= 1
        assert findings(WHOLE | {FIRST: bytes(changed)}), at


def test_a_blob_cut_off_anywhere_is_found() -> None:
    for name, step in ((FIRST, 5), (THIRD, 1)):  # two closed blobs: every byte of one is enough
        for length in range(0, len(WHOLE[name]), step):
            assert name in {blob for blob, _ in findings(WHOLE | {name: WHOLE[name][:length]})}, length


def test_a_space_in_the_last_header_is_found_though_no_hash_covers_it() -> None:
    last = frames_of(WHOLE, THIRD)[-1]
    data = WHOLE[THIRD]
    spaced = data[: last.offset] + data[last.offset :].replace(b'"v":1', b'"v": 1').replace(
        b'"length":0', b'"length":0 '
    )
    assert findings(WHOLE | {THIRD: spaced}) == {(THIRD, "altered")}


def test_a_flood_of_lines_that_are_no_records_is_a_few_findings() -> None:
    """A frame of nothing but newlines verifies; its lines are neither all kept in memory nor all looked at."""
    opening, head = encode_frame("open", FIRST, 0, 0, [b'{"writer":"x"}'], ZERO_HEAD)
    flood, _ = encode_frame("records", FIRST, len(opening), 1, [b""] * 5_000_000, head)
    found = [one for one in details({FIRST: opening + flood}) if one.what == "unreadable"]
    assert 2 < len(found) < 30
    assert any("no more were looked at" in one.detail for one in found)


def test_what_a_hostile_log_says_is_cut_short() -> None:
    long = "x" * (MAX_OPENING_BYTES - 100)
    opening, head = encode_frame("open", FIRST, 0, 0, [b'{"writer":"%s"}' % long.encode()], ZERO_HEAD)
    odd = lines("a")[0].replace(b'"score"', b'"%s"' % long.encode())
    frame, _ = encode_frame("records", FIRST, len(opening), 1, [odd], head)
    found = details({FIRST: opening + frame})
    assert {one.what for one in found} == {"moved", "unreadable", "not closed"}
    assert max(len(one.detail) for one in found) < 1000
    whole, _ = encode_frame("open", FIRST, 0, 0, [b'{"writer":"%s"}' % (b"x" * MAX_OPENING_BYTES)], ZERO_HEAD)
    assert [one.what for one in details({FIRST: whole})] == ["altered"]


def test_a_header_that_announces_more_than_there_is_costs_nothing() -> None:
    for length in (10**5, 104_849_408, 2**53, 2**64, 10**30):
        header = frames_of(WHOLE, THIRD)[1]
        announced = WHOLE[THIRD].replace(b'"length":%d' % header.length, b'"length":%d' % length, 1)
        assert {what for _, what in findings(WHOLE | {THIRD: announced})} <= {"torn", "altered"}


def test_very_many_tiny_frames_verify() -> None:
    data, head = encode_frame("open", THIRD, 0, 0, [WHOLE[THIRD].split(b"\n")[1]], ZERO_HEAD)
    parts, at = [data], len(data)
    for sequence in range(1, 20_000):
        frame, head = encode_frame("records", THIRD, at, sequence, [], head)
        parts.append(frame)
        at += len(frame)
    assert findings(WHOLE | {THIRD: b"".join(parts)}) == {(THIRD, "not closed")}


def test_the_second_verifier_is_a_short_program_of_its_own(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(SIGNER.public_key_pem)
    for name, data in (DIGESTED | {THIRD: DIGESTED[THIRD][:-2]}).items():
        path = tmp_path / "log" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    program = Path(second_verifier.__file__)
    source = program.read_text(encoding="utf-8")
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [])
        + ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [])
        if name
    }
    assert imported <= sys.stdlib_module_names | {"cryptography"}
    assert len(source.splitlines()) < 150
    command = [sys.executable, str(program), str(tmp_path / "log"), str(key)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"torn  {THIRD}" in done.stderr.splitlines()


def test_an_hour_that_is_not_over_may_be_open() -> None:
    still_open = {name: b"".join(WHOLE[name].splitlines(keepends=True)[:-1]) for name in (THIRD,)}
    assert findings(WHOLE | still_open, now_s=NOON_S + 2.5 * 3600) == set()
    assert findings(WHOLE | still_open) == {(THIRD, "not closed")}
