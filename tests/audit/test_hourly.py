"""The timer's part in the log: whatever goes wrong is said, and stops nothing."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from audit import keys
from audit.errors import Unavailable
from audit.hourly import write_due_digests
from audit.settings import AuditSettings, from_environ
from audit.signing import LocalSigner, PublicKeys
from tests.audit.digested import after, hour, log_of_hours
from tests.audit.faulty_store import FaultyStore


def settings(**environ: str) -> AuditSettings:
    return from_environ({"HYPERPLANE_STORAGE": "memory://"} | environ)


def test_what_is_due_is_written_with_the_settings_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from audit.digest_log import read_digest

    caplog.set_level(logging.INFO, "hyperplane.audit")
    store, _ = log_of_hours(0)
    write_due_digests(store, settings(HYPERPLANE_SIGNING_KEY=str(tmp_path / "key.pem")), after(1))
    signed = read_digest(store, hour(1))
    assert signed is not None
    public = LocalSigner.of_file(tmp_path / "key.pem").public_key_pem
    PublicKeys.of_pem(public).check(signed.kid, signed.signed, signed.signature)
    assert "digests: 2 written" in caplog.text


def test_in_azure_without_a_key_the_timer_says_so_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    store, _ = log_of_hours(0)
    write_due_digests(store, settings(WEBSITE_SITE_NAME="scores"), after(1))
    (line,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "no digest: HYPERPLANE_SIGNING_KEY is not set" in line.getMessage()
    assert not list(store.list("digest/"))


def test_a_storage_that_is_away_and_a_defect_are_logged_and_raise_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner, _ = log_of_hours(0)
    store = FaultyStore(inner)
    store.outage = True
    ours = settings(HYPERPLANE_SIGNING_KEY=str(tmp_path / "key.pem"))
    write_due_digests(store, ours, after(1))
    assert "to be tried again: outage" in caplog.text
    store.outage = False
    for problem in (RuntimeError("nobody expected this"), Unavailable("the store")):
        monkeypatch.setattr(keys, "open_signer", lambda _settings, raised=problem: (_ for _ in ()).throw(raised))
        caplog.clear()
        write_due_digests(store, ours, after(1))
        assert str(problem) in caplog.text
    assert not list(inner.list("digest/"))
