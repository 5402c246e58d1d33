"""An instance's trail: what the digests say, with keys and without, and how much one request may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.connect import Stores
from audit.errors import Refused
from audit.key_ring import KeyRing
from audit.memory_store import MemoryStore
from audit.records import encode_record, timestamp
from audit.signing import PublicKeys, SigningError
from evaluation.pages.instance import instance_page
from evaluation.pages.trail import trail_of
from scoring.settings import ScoringSettings
from scoring.trail import BLOBS, RECORDS, REPLAYS, Trails, asks_for_replay
from tests.audit.digests import KEYS, STRANGER, digest_all
from tests.audit.examples import HOUR, NOON_S, appender, log_of, score
from tests.scoring.bundles import manifest, write_bundle
from tests.scoring.services import line


def no_keys() -> PublicKeys:
    raise SigningError("the vault does not answer")


def trails(store: object, keys: object = lambda: KEYS, models: Path = Path("nowhere")) -> Trails:
    return Trails(Stores(store, MemoryStore()), KeyRing(keys), ScoringSettings(models=models))  # type: ignore[arg-type]


def test_a_sealed_blob_is_vouched_for_by_a_signature_that_the_keys_know() -> None:
    store = log_of(["a", "b"])
    digest_all(store, HOUR, 1)
    trail = trails(store).read("wine", "a", replay=False)
    assert trail is not None
    (entry,) = trail.entries
    assert entry.integrity is not None
    assert (entry.integrity.state, entry.integrity.signature) == ("sealed", "valid")
    (told,) = trail.told()["records"]
    assert (told["verified"], told["integrity"], told["record"].id) == (True, entry.integrity, "a")
    assert "replay" not in told


def test_without_keys_the_trail_is_there_and_says_that_no_signature_was_checked() -> None:
    store = log_of(["a"])
    digest_all(store, HOUR, 1)
    trail = trails(store, no_keys).read("wine", "a", replay=False)
    assert trail is not None
    integrity = trail.entries[0].integrity
    assert integrity is not None
    assert (integrity.state, integrity.signature) == ("sealed", "not checked")
    assert "not checked" in integrity.sentence


def test_a_strangers_signature_is_told_apart() -> None:
    store = log_of(["a"])
    digest_all(store, HOUR, 1, signer=STRANGER)
    trail = trails(store).read("wine", "a", replay=False)
    assert trail is not None
    assert trail.entries[0].integrity is not None
    assert trail.entries[0].integrity.signature == "unknown key"


def test_of_very_many_blobs_the_first_are_looked_up() -> None:
    store = log_of(["a"])
    for number in range(BLOBS + 1):
        writer = appender(store, writer=f"w{number}")
        writer.append([encode_record(score("a"))])
        writer.leave()
    trail = trails(store).read("wine", "a", replay=False)
    assert trail is not None
    assert [entry.integrity is None for entry in trail.entries].count(True) == 2


@pytest.mark.parametrize("name", ["nobody", "a b", "", "x" * 200, "a\n"])
def test_an_id_without_records_or_that_is_none_has_no_trail(name: str) -> None:
    store = log_of(["a"])
    assert trails(store).read("wine", name, replay=True) is None
    assert not trails(store).has("wine", name)
    assert not trails(store).has("diabetes", "a")
    assert trails(store).has("wine", "a")


def test_replays_are_made_of_what_was_run_and_of_no_more_than_a_few(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest())
    good = {"age": 40.0, "income": 500, "member": True}
    with line(tmp_path) as started:
        for _ in range(REPLAYS + 2):
            started.score({"instances": [good], "ids": ["again"]})
        started.score({"instances": [{"age": "x"}], "ids": ["again"]})
        started.label({"labels": [{"id": "again", "label": "bad"}]})
        trail = trails(started.store, models=tmp_path).read("credit", "again", replay=True)
    assert trail is not None
    made = [entry.replay for entry in trail.entries if entry.replay is not None]
    assert [replay.verdict for replay in made] == ["equal"] * REPLAYS
    assert (trail.not_replayed, len(trail.entries)) == (2, REPLAYS + 4)
    assert all("replay" in told for told in trail.told()["records"])


def test_of_very_many_records_the_oldest_and_the_newest_are_told_and_how_many_lie_between() -> None:
    store = log_of(["a"])
    writer = appender(store, writer="w1")
    writer.append([encode_record(score("a", at_s=NOON_S + 1 + place)) for place in range(RECORDS + 30)])
    trail = trails(store).read("wine", "a", replay=False)
    assert trail is not None
    assert (len(trail.entries), trail.left_out, trail.told()["left_out"]) == (RECORDS, 31, 31)
    times = [entry.record.ts for entry in trail.entries]
    assert times == sorted(times)
    assert (times[0], times[-1]) == (timestamp(NOON_S), timestamp(NOON_S + RECORDS + 30))
    page = instance_page(trail_of(trail, None))
    assert f"{RECORDS + 31:,} records" in page
    assert "831 between them are too many for one answer" in page


def test_whether_there_is_a_record_is_known_by_the_first() -> None:
    store = log_of(["a"], ["a"], ["b"])
    looked = trails(store)
    found = iter([(score("a"), None), None])
    looked._search = lambda model, name: found  # type: ignore[assignment, method-assign, return-value]
    assert looked.has("wine", "a")
    assert next(found) is None  # the second was not looked for


def test_only_1_asks_for_a_replay() -> None:
    assert asks_for_replay({"replay": "1"})
    assert asks_for_replay({"Replay": "1"})
    assert not asks_for_replay({"replay": ""})
    with pytest.raises(Refused, match="replay: expected 1"):
        asks_for_replay({"replay": "true"})
