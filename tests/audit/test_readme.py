"""The format as audit/README.md tells it, held against the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import audit
from audit import verify
from audit.reader import read_blob
from tests.audit.examples import log_of, only_name

README = (Path(audit.__path__[0]) / "README.md").read_text(encoding="utf-8")


def test_the_program_that_verifies_by_hand_works_and_finds_what_is_altered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    program = program.replace('open("a-downloaded-blob.jsonl", "rb").read()', "DATA")
    store = log_of(["a", "b"], ["c"])
    data = store.read(only_name(store))
    exec(program, {"DATA": data})
    assert read_blob(store, only_name(store)).frames[-1].head in capsys.readouterr().out
    altered = data.replace(b'"id":"b"', b'"id":"x"')
    with pytest.raises(AssertionError):
        exec(program, {"DATA": altered})


def test_every_finding_is_explained() -> None:
    told = set(re.findall(r"^\| `([a-z ]+)` \|", README.split("## Verifying by hand")[1], re.MULTILINE))
    source = Path(verify.__file__).read_text(encoding="utf-8")
    raised = set(re.findall(r'Finding\(\s*[^"]*?, "([a-z ]+)"', source)) | set(
        re.findall(r'^\s+"([a-z ]+)",$', source, re.M)
    )
    assert told == raised | {"altered", "torn", "after close"}
