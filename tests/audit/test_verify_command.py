"""`python -m audit verify`, with keys, receipts and witnesses, as a person meets it."""

from __future__ import annotations

import contextlib
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import audit.__main__ as command
from audit.connect import Stores
from audit.digest import sha256_of
from audit.display import FINDINGS_SHOWN, SENTENCES_SHOWN, say_first
from audit.memory_store import MemoryStore
from audit.reader import read_blob
from audit.store import Store
from tests.audit.digest_tampering import AT_14, HOURS, NOW_S, digested
from tests.audit.digests import SIGNER, STRANGER
from tests.audit.examples import log_of
from tests.audit.tampering import THIRD, store_of, whole_log

type Run = Callable[..., tuple[int, str, str]]
LOG = digested(whole_log())


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs it before a log, in a folder with `key.pem` and `other.pem`; gives (exit code, output, messages)."""
    (tmp_path / "key.pem").write_bytes(SIGNER.public_key_pem)
    (tmp_path / "other.pem").write_bytes(STRANGER.public_key_pem)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("audit.verify.time.time", lambda: NOW_S)

    def verify(*arguments: str, log: Store | None = None, given: str = "") -> tuple[int, str, str]:
        stores = Stores(log or store_of(LOG), MemoryStore())
        monkeypatch.setattr(command, "open_stores", lambda settings: stores)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = command.main(["verify", *arguments], {"HYPERPLANE_STORAGE": "UseDevelopmentStorage=true"})
        return code, out.getvalue(), err.getvalue()

    return verify


def test_with_the_key_everything_is_checked(run: Run) -> None:
    code, out, err = run("--public-key", "key.pem")
    assert (code, out) == (0, "")
    assert err.splitlines() == ["4 blobs and 3 digests read: everything verifies"]


def test_without_a_key_the_last_line_says_that_no_signature_was_checked_and_how(run: Run) -> None:
    code, _, err = run()
    assert code == 0
    last = err.splitlines()[-1]
    assert "no signature was checked" in last
    assert "--public-key FILE" in last
    assert "no signature was checked" in run("--json")[2]


def test_several_keys_count_together_and_a_stranger_alone_does_not(run: Run) -> None:
    assert run("--public-key", "other.pem", "--public-key", "key.pem")[0] == 0
    code, out, _ = run("--public-key", "other.pem", "--json")
    assert code == 1
    assert {json.loads(line)["what"] for line in out.splitlines()} == {"unknown key"}
    assert len(out.splitlines()) == 3


def test_receipts_and_whole_answers_must_be_in_the_log(run: Run) -> None:
    frame = read_blob(store_of(LOG), THIRD).frames[1]
    receipt = {"blob": THIRD, "sequence": 1, "head": frame.head}
    answers = [receipt, {"results": [], "receipt": [receipt]}, {"parameters": {"receipt": json.dumps([receipt])}}]
    Path("kept.jsonl").write_text("\n".join(map(json.dumps, answers)), encoding="utf-8")
    assert run("--public-key", "key.pem", "--receipts", "kept.jsonl")[0] == 0
    lost: list[dict[str, object]] = [
        receipt | {"head": "0" * 64},
        receipt | {"sequence": 99},
        receipt | {"blob": THIRD.replace("-2.", "-3.")},
        receipt | {"blob": "nonsense\x1b[31m"},
    ]
    code, out, _ = run("--receipts", "-", "--json", given="\n".join(map(json.dumps, lost)))
    found = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert {one["what"] for one in found} == {"receipt"}
    assert Counter(one["blob"] for one in found) == Counter(receipt["blob"] for receipt in lost)
    assert any("no more than 5" in one["detail"] for one in found)


def test_receipts_of_another_time_are_looked_up_all_the_same(run: Run) -> None:
    head = read_blob(store_of(LOG), THIRD).frames[1].head
    for kept, code in ((head, 0), ("0" * 64, 1)):
        receipt = json.dumps({"blob": THIRD, "sequence": 1, "head": kept})
        assert run("--until", "2026-11-23T13:00", "--receipts", "-", given=receipt)[0] == code


def test_heads_that_were_logged_elsewhere_must_be_those_of_the_digests(run: Run) -> None:
    good = {"event": "digest", "hour": HOURS[2], "sha256": sha256_of(LOG[AT_14]), "kid": "x", "blobs": 1}
    lines = [{"event": "verdict", "level": "ok"}, good]
    assert run("--witness", "-", given="\n".join(map(json.dumps, lines)))[0] == 0
    assert run("--witness", "-", given=f"[2026-11-23T15:05:00Z] INFO {json.dumps(good)}")[0] == 0
    bad = [good | {"sha256": "0" * 64}, good | {"hour": "2026/11/23/11"}]
    code, out, _ = run("--witness", "-", "--json", given="\n".join(map(json.dumps, bad)))
    assert code == 1
    assert [json.loads(line)["what"] for line in out.splitlines()] == ["witness", "witness"]
    assert "it is not there" in out


@pytest.mark.parametrize(
    ("arguments", "given", "says"),
    [
        (["--public-key", "absent.pem"], "", "--public-key absent.pem: it cannot be read"),
        (["--public-key", "."], "", "--public-key .: it cannot be read"),
        (["--public-key", "empty"], "", "no `-----BEGIN PUBLIC KEY-----` in it"),
        (["--receipts", "absent"], "", "--receipts absent: it cannot be read"),
        (["--receipts", "-"], "", "nothing in it"),
        (["--receipts", "-"], '{"blob":"a","sequence":0,"head":"x"}', "line 1"),
        (["--receipts", "-"], '\n{"results":[]}', "line 2"),
        (["--receipts", "-"], "[" * 100_000, "line 1 is no JSON"),
        (["--receipts", "-"], "[1]", "line 1 is no JSON object"),
        (["--receipts", "-"], '{"receipt":[{"blob":"a","sequence":-1,"head":"%s"}]}' % ("0" * 64), "line 1"),
        (["--witness", "-"], '{"hour":"2026/13/45/99","sha256":"%s"}' % ("0" * 64), "line 1"),
        (["--witness", "-"], '{"event":"verdict"}', "nothing in it"),
        (["--witness", "-", "--receipts", "-"], "", "cannot both be standard input"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_in_one_line(run: Run, arguments: list[str], given: str, says: str) -> None:
    Path("empty").write_bytes(b"")
    code, out, err = run(*arguments, given=given)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_a_log_without_digests_says_that_no_signature_was_checked_though_a_key_was_given(run: Run) -> None:
    hour_at_hand = log_of(["a"], close=False)
    code, _, err = run("--public-key", "key.pem", "--until", "2026-11-23T13:00", log=hour_at_hand)
    assert code in {0, 1}
    assert "no signature was checked" in err.splitlines()[-1]


def test_a_time_in_which_nothing_lies_is_not_called_verified(run: Run) -> None:
    code, _, err = run("--since", "2099-01-01")
    assert (code, err) == (0, "audit: nothing to verify in that time\n")
    code, _, err = run("--since", "2026-11-23", log=MemoryStore())
    assert code == 1, "whatever the time, a log that holds nothing at all is not well"
    assert "the log is empty" in err


def test_times_that_leave_nothing_are_refused(run: Run) -> None:
    with pytest.raises(SystemExit):
        run("--since", "1h", "--until", "2h")


def test_a_digest_without_blobs_is_something_to_verify(run: Run) -> None:
    only = {name: data for name, data in LOG.items() if name.startswith("digest/")}
    code, _, err = run("--public-key", "key.pem", log=store_of(only))
    assert code == 1
    assert "0 blobs and 3 digests read: 4 findings" in err


def test_a_flood_of_findings_is_printed_in_part_and_counted_and_whole_as_json(run: Run) -> None:
    names = [THIRD.replace("-2.", f"-{number}.") for number in range(3, 453)]
    lost = "\n".join(json.dumps({"blob": name, "sequence": 1, "head": "0" * 64}) for name in names)
    code, out, err = run("--receipts", "-", given=lost)
    assert (code, out.count("receipt  ")) == (1, FINDINGS_SHOWN)
    assert "and more findings: 350 of `receipt`; --json prints all\n" in err
    assert "4 blobs and 3 digests read: 450 findings" in err
    code, out, err = run("--receipts", "-", "--json", given=lost)
    assert (code, len(out.splitlines())) == (1, 450)
    assert "more findings" not in err


def test_what_could_not_be_done_is_said_in_part_and_counted() -> None:
    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        say_first([f"blob {number} is torn" for number in range(50_000)], "; --json lists all")
    lines = err.getvalue().splitlines()
    assert len(lines) == SENTENCES_SHOWN + 1
    assert lines[-1] == "audit: and 49,980 more; --json lists all"
