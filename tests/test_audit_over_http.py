"""An auditor's work over real HTTP: notes, spot checks, integrity and replay, and the guide's own commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from audit.lookup import find
from tests.platform import Platform, demo_rows

ROOT = Path(__file__).parent.parent
INSTANCES = "/models/wine/instances"
HTML = {"accept": "text/html"}
NOTE = {"author": "R. Okafor", "verdict": "disputed", "comment": "<b>typed</b>\nin twice"}


@pytest.fixture(scope="module")
def audited(platform: Platform) -> Platform:
    """The platform with three scored instances and one that is refused."""
    rows = [row for row, _ in demo_rows("wine")[:3]]
    ids = ["audited-0", "audited-1", "audited-2", "audited-bad"]
    body = {"instances": [*rows, {"alcohol": "strong"}], "ids": ids, "request_id": "audited"}
    platform.client.post("/models/wine/score", json=body).raise_for_status()
    return platform


def look(platform: Platform, **asked: Any) -> dict[str, Any]:
    answer = platform.client.get(INSTANCES, params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_note_is_durable_before_its_answer_and_shown_with_the_instance(audited: Platform) -> None:
    answer = audited.client.post(f"{INSTANCES}/audited-0/notes", json={**NOTE, "request_id": "note-1"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["id"], told["request_id"], answer.headers["x-request-id"]) == ("audited-0", "note-1", "note-1")
    note, position = next(pair for pair in find(audited.stores.log, "audited-0", "wine") if pair[0].kind == "note")
    assert told["note"] == {"ts": note.ts, **(note.y or {})} == {"ts": note.ts, **NOTE}
    assert [(each["blob"], each["sequence"]) for each in told["receipt"]] == [(position.blob, position.sequence)]
    assert note.request == "note-1"
    newest = audited.client.get(f"{INSTANCES}/audited-0").json()["records"][-1]
    assert newest["record"]["y"] == NOTE
    page = audited.client.get(f"{INSTANCES}/audited-0", headers=HTML).text
    assert "&lt;b&gt;typed&lt;/b&gt;\nin twice" in page


def test_a_form_is_answered_with_the_instances_page_and_the_key_is_kept(audited: Platform) -> None:
    sent = {"author": "J. Ito", "verdict": "confirmed", "comment": "één\r\ntwee"}
    with httpx.Client(base_url=audited.url, headers=HTML) as browser:
        answer = browser.post(f"{INSTANCES}/audited-1/notes", params={"code": audited.key}, data=sent)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"{INSTANCES}/audited-1?code={audited.key}#newest"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "één\ntwee" in browser.get(answer.headers["location"]).text
        refused = browser.post(f"{INSTANCES}/audited-1/notes", params={"code": audited.key}, data={"author": "J. Ito"})
    assert refused.status_code == 400
    assert refused.headers["content-type"].startswith("text/html")
    assert "verdict: expected one of confirmed" in refused.text
    assert len([1 for record, _ in find(audited.stores.log, "audited-1") if record.kind == "note"]) == 1


@pytest.mark.parametrize(
    ("path", "content", "kind", "status", "words"),
    [
        ("audited-2", b"{", "", 400, "not JSON"),
        ("audited-2", b"[1]", "", 400, "expected an object"),
        ("audited-2", b'{"author": "A", "verdict": "unclear", "by": "B"}', "", 400, "unknown field 'by'"),
        ("audited-2", b'{"author": "A", "verdict": "fine"}', "", 400, "verdict: expected one of"),
        ("audited-2", b'{"author": "A\\ud800", "verdict": "unclear"}', "", 400, "author: character 2"),
        ("audited-2", b'{"author": "A", "verdict": "unclear"}' + b" " * 70_000, "", 413, "65,536 bytes"),
        ("audited-2", b"author=A&author=B&verdict=unclear", "application/x-www-form-urlencoded", 400, "each once"),
        ("audited-2", b"author=%ff&verdict=unclear", "application/x-www-form-urlencoded; a=b", 400, "UTF-8"),
        ("nobody", b'{"author": "A", "verdict": "unclear"}', "", 404, "no record of 'nobody'"),
        ("a%20b", b'{"author": "A", "verdict": "unclear"}', "", 404, "no record of 'a b'"),
    ],
)
def test_what_is_no_note_is_refused_and_nothing_recorded(
    audited: Platform, path: str, content: bytes, kind: str, status: int, words: str
) -> None:
    headers = {"content-type": kind} if kind else {}
    answer = audited.client.post(f"{INSTANCES}/{path}/notes", content=content, headers=headers)
    assert (answer.status_code, words in answer.json()["error"]) == (status, True), answer.text
    assert not [1 for record, _ in find(audited.stores.log, "audited-2") if record.kind == "note"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "application/json"])
def test_what_a_browser_sends_for_a_page_of_another_site_is_refused(audited: Platform, site: str, kind: str) -> None:
    content = b"author=A&verdict=unclear" if "form" in kind else b'{"author": "A", "verdict": "unclear"}'
    headers = {"content-type": kind, "sec-fetch-site": site}
    path = f"{INSTANCES}/audited-2/notes"
    answer = audited.client.post(path, content=content, headers=headers)
    assert (answer.status_code, "page of another site" in answer.json()["error"]) == (403, True)
    page = audited.client.post(path, content=content, headers=headers | HTML)
    assert (page.status_code, "Nothing was recorded" in page.text) == (403, "form" in kind)
    assert not [1 for record, _ in find(audited.stores.log, "audited-2") if record.kind == "note"]


def test_a_form_of_our_own_page_or_of_an_old_browser_is_taken_and_leads_nowhere_else(audited: Platform) -> None:
    ids = ["-x", "a:b", "..."]
    rows = [row for row, _ in demo_rows("wine")[:3]]
    audited.client.post("/models/wine/score", json={"instances": rows, "ids": ids}).raise_for_status()
    for name, headers in zip(ids, ({"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {}), strict=True):
        params = {"code": "a&b#c\r\nX: y//evil"}
        sent = {"author": "A", "verdict": "unclear"}
        path = f"{INSTANCES}/{name}/notes"
        answer = audited.client.post(path, params=params, data=sent, headers={**HTML, **headers})
        assert answer.status_code == 303
        kept = "a%26b%23c%0D%0AX%3A+y%2F%2Fevil"
        assert answer.headers["location"] == f"{INSTANCES}/{name.replace(':', '%3A')}?code={kept}#newest"
        assert "x" not in answer.headers


def test_a_client_that_takes_no_html_gets_json(audited: Platform) -> None:
    for accepted, is_page in (("TEXT/HTML", True), ("*/*, text/html;q=0.5", True), ("*/*, text/html; q=0", False)):
        answer = audited.client.get(f"{INSTANCES}/audited-0", headers={"accept": accepted})
        assert answer.headers["content-type"].startswith("text/html") == is_page
    assert audited.client.get(f"{INSTANCES}/audited-0?Format=json", headers=HTML).json()["left_out"] == 0


def test_json_that_curl_calls_a_form_is_taken_as_json(audited: Platform) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    content = b' {"author": "A", "verdict": "unclear"}'
    assert audited.client.post(f"{INSTANCES}/audited-bad/notes", content=content, headers=kind).status_code == 200


def test_a_note_of_an_unknown_model_is_a_404_and_without_a_key_a_401(audited: Platform) -> None:
    assert audited.client.post("/models/none/instances/audited-0/notes", json=NOTE).status_code == 404
    assert httpx.post(f"{audited.url}{INSTANCES}/audited-0/notes", json=NOTE).status_code == 401
    assert httpx.get(f"{audited.url}{INSTANCES}").status_code == 401


def test_a_spot_check_gives_what_matches_newest_first_and_says_what_it_looked_at(audited: Platform) -> None:
    found = look(audited, outcome="rejected", reason="wrong_type", limit=1000)
    assert "audited-bad" in [each["record"]["id"] for each in found["records"]]
    assert {each["record"]["outcome"] for each in found["records"]} == {"rejected"}
    times = [each["record"]["ts"] for each in found["records"]]
    assert times == sorted(times, reverse=True)
    assert (found["looked_at"] >= found["matched"], len(times)) == (True, min(found["matched"], 1000))
    assert (found["provisional"], found["hours_left"], found["findings"]) == (True, 0, [])
    assert len(look(audited, limit=2)["records"]) == 2
    assert look(audited, until="2026-01-01")["records"] == []


def test_a_sample_is_the_same_for_its_seed_and_tells_the_seed_it_made(audited: Platform) -> None:
    one, other = (look(audited, kind="score", sample=3, seed=5, until="1m", since="9999d") for _ in range(2))
    assert (one["records"], one["seed"], one["sample"]) == (other["records"], 5, 3)
    drawn = look(audited, kind="score", sample=3)
    again = look(audited, kind="score", sample=3, seed=drawn["seed"])
    assert {each["record"]["id"] for each in again["records"]} == {each["record"]["id"] for each in drawn["records"]}


def test_a_malformed_parameter_is_named_and_a_browser_keeps_its_form(audited: Platform) -> None:
    for asked, words in (({"since": "soon"}, "since: expected"), ({"outcom": "x"}, "unknown parameter 'outcom'")):
        refused = audited.client.get(INSTANCES, params=asked)
        assert (refused.status_code, words in refused.json()["error"]) == (400, True)
    page = audited.client.get(INSTANCES, params={"since": "soon<", "reason": "low_confidence"}, headers=HTML)
    assert page.status_code == 400
    assert 'value="soon&lt;"' in page.text
    assert 'value="low_confidence"' in page.text
    assert audited.client.get(f"{INSTANCES}/audited-0?replay=yes").status_code == 400


def test_a_record_tells_what_the_digests_say_of_its_blob(audited: Platform) -> None:
    (entry, *_) = audited.client.get(f"{INSTANCES}/audited-0").json()["records"]
    assert entry["verified"]
    assert (entry["integrity"]["state"], entry["integrity"]["blob"]) == ("provisional", entry["blob"])
    assert "Not sealed yet" in audited.client.get(f"{INSTANCES}/audited-0", headers=HTML).text


def test_a_replay_is_made_when_it_is_asked_for_and_gives_the_same_bits(audited: Platform) -> None:
    plain = audited.client.get(f"{INSTANCES}/audited-1").json()["records"]
    assert not any("replay" in each for each in plain)
    replayed = audited.client.get(f"{INSTANCES}/audited-1?replay=1").json()["records"]
    assert replayed[0]["replay"]["verdict"] == "equal", replayed[0]["replay"]
    assert replayed[0]["replay"]["recorded"] == replayed[0]["replay"]["replayed"]
    assert [each["replay"] for each in replayed[1:]] == [None] * (len(replayed) - 1)
    never_run = audited.client.get(f"{INSTANCES}/audited-bad?replay=1").json()["records"]
    assert never_run[0]["replay"] is None
    page = audited.client.get(f"{INSTANCES}/audited-1?replay=1", headers=HTML).text
    assert "The same to the last bit" in page


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="curl and bash are not here")
def test_the_guides_commands_work_as_they_stand(audited: Platform, tmp_path: Path) -> None:
    audited.command("audit", "seal")  # as `make run` does, which makes the key
    row, _ = demo_rows("wine")[4]
    audited.client.post("/models/wine/score", json={"instances": [row], "ids": ["bottle-7"]}).raise_for_status()
    guide = (ROOT / "docs" / "auditing.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    python = f'python() {{ "{sys.executable}" "$@"; }}; curl() {{ command curl --fail-with-body "$@" && echo; }}'
    script = "\n".join([f"set -e; {python}; URL={audited.url} KEY={audited.key}", *blocks])
    environment = {**os.environ, **audited.environment, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"verdict":"equal"' in done.stdout.replace(": ", ":")
    assert "everything verifies" in done.stderr


def test_the_guide_explains_every_parameter_and_field() -> None:
    from audit.integrity import Integrity
    from audit.notes import FIELDS
    from audit.spot_check import PARAMETERS

    guide = (ROOT / "docs" / "auditing.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z_.0-9]+)`", "".join(re.findall(r"^\|([^|]*)\|", guide, re.MULTILINE))))
    assert told >= {*PARAMETERS, *FIELDS}
    assert told >= {f"integrity.{field}" for field in Integrity.__struct_fields__ if field != "blob"}
