"""The format as audit/README.md tells it, held against the code."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import get_args

import pytest
from cryptography.exceptions import InvalidSignature

import audit
from audit.digest import Digest, DigestedBlob, digest_name, encode_digest
from audit.finding import What
from audit.layout import parse_name
from audit.reader import read_blob
from tests.audit.digests import SIGNER, STRANGER, digest_all
from tests.audit.examples import HOUR, log_of, only_name

README = (Path(audit.__path__[0]) / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_program_that_verifies_by_hand_works_and_finds_what_is_altered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program, _ = PROGRAMS
    program = program.replace('open("a-downloaded-blob.jsonl", "rb").read()', "DATA")
    store = log_of(["a", "b"], ["c"])
    data = store.read(only_name(store))
    exec(program, {"DATA": data})
    assert read_blob(store, only_name(store)).frames[-1].head in capsys.readouterr().out
    altered = data.replace(b'"id":"b"', b'"id":"x"')
    with pytest.raises(AssertionError):
        exec(program, {"DATA": altered})


def test_a_digest_verifies_by_hand_and_another_key_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    _, program = PROGRAMS
    program = program.replace('open("a-downloaded-digest.json", "rb").read()', "DATA")
    program = program.replace('open("digests.pem", "rb").read()', "PEM")
    store = log_of(["a", "b"], ["c"])
    (name,) = digest_all(store, HOUR, 1)
    data = store.read(name)
    exec(program, {"DATA": data, "PEM": SIGNER.public_key_pem})
    shown = capsys.readouterr().out
    (log,) = [info.name for info in store.list("log/")]
    assert f"{log} must have {store.size(log)} bytes" in shown
    assert hashlib.sha256(data).hexdigest() in shown
    with pytest.raises(InvalidSignature):
        exec(program, {"DATA": data, "PEM": STRANGER.public_key_pem})


def test_the_files_that_it_downloads_are_those_that_its_programs_open_and_names_that_there_can_be() -> None:
    (shell,) = re.findall(r"```sh\n(.*?)```", README.split("## Verifying by hand")[1], re.DOTALL)
    opened = {name for program in PROGRAMS for name in re.findall(r'open\("([^"]+)", "rb"\)', program)}
    assert set(re.findall(r"--file (\S+)", shell)) == opened - {"digests.pem"}
    blob, digest = re.findall(r"--name (\S+)", shell)
    hour = digest.removeprefix("digest/v1/").removesuffix(".json")
    parsed = parse_name(blob)
    assert parsed is not None
    assert (digest, parsed.hour) == (digest_name(hour), hour)


def test_every_finding_is_explained() -> None:
    told = re.findall(r"^\| `([a-z ]+)` \|", README.split("## Verifying by hand")[1], re.MULTILINE)
    assert sorted(told) == sorted(get_args(What))


def test_the_parts_of_a_digest_are_told_as_they_are_written() -> None:
    whole = json.loads(encode_digest(Digest(hour=HOUR, ts="x"), SIGNER))
    assert list(whole) == re.findall(r'"(\w+)":"<base64url>"', README)
    entry = "".join(line.strip() for line in README.split("    an entry    ")[1].split("   (no line")[0].splitlines())
    assert re.findall(r'"(\w+)":', entry) == list(DigestedBlob.__struct_fields__)
    payload = README.split("    payload     ")[1].splitlines()[0]
    assert re.findall(r'"(\w+)":', payload) == list(Digest.__struct_fields__)
