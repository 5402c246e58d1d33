"""`python -m audit seal`, `digests` and `public-key`, as a person meets them."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from audit.__main__ import main
from audit.connect import open_stores
from audit.digest import digest_name
from audit.digest_log import read_digest
from audit.layout import HOUR_S, hour_of, hour_start_s
from audit.settings import from_environ
from audit.signing import LocalSigner, PublicKeys
from audit.store import Store
from infra.local.azurite import Azurite
from tests.audit.examples import Clock, appender, lines


@dataclass(frozen=True)
class Shell:
    environ: dict[str, str]
    store: Store
    key: Path
    hour: str  # of the records
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = main(arguments, self.environ)
        return code, *self.capture.readouterr()


@pytest.fixture
def shell(azurite: Azurite, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A log with two records in an hour that ended three hours ago, and a key that is not made yet."""
    environ = {
        "HYPERPLANE_STORAGE": azurite.connection_string,
        "HYPERPLANE_AUDIT_CONTAINER": f"commands-{uuid.uuid4().hex}",
        "HYPERPLANE_SIGNING_KEY": str(tmp_path / "key.pem"),
    }
    store = open_stores(from_environ(environ)).log
    hour = hour_of(time.time() - 4 * HOUR_S)
    appender(store, clock=Clock(hour_start_s(hour) or 0)).append(lines("a", "b"))
    return Shell(environ, store, tmp_path / "key.pem", hour, capsys)


def test_seal_writes_what_is_due_and_digests_lists_it(shell: Shell) -> None:
    assert shell("digests") == (1, "", "audit: the log has no digest; `python -m audit seal` writes what is due\n")
    first, second = shell.hour, hour_of((hour_start_s(shell.hour) or 0) + HOUR_S)
    code, out, err = shell("seal", "--until", f"{second.replace('/', '-')[:10]}T{second[11:]}:00")
    assert (code, err) == (0, "1 digest written\n")
    signed = read_digest(shell.store, first)
    assert signed is not None
    assert out == f"{first}       1 blob          2 records  {signed.sha256}  {signed.kid}\n"
    assert shell("digests") == (0, out, "")
    code, out, _ = shell("seal", "--json")
    assert (code, json.loads(out.splitlines()[0])["hour"]) == (0, second)
    assert shell("seal")[1:] == ("", "0 digests written; an hour's is due five minutes after its end\n")
    code, out, _ = shell("digests", "--json", "--until", f"{second.replace('/', '-')[:10]}T{second[11:]}:00")
    expected = {"hour": first, "blobs": 1, "late": 0, "records": 2, "sha256": signed.sha256, "kid": signed.kid}
    assert [json.loads(line) for line in out.splitlines()] == [expected]


def test_a_digest_that_cannot_be_read_stands_in_the_list(shell: Shell) -> None:
    shell.store.put(digest_name(shell.hour), b'{"payload":"\x1b[31m"}', overwrite=False)
    code, out, _ = shell("digests")
    assert (code, out.startswith(f"{shell.hour}  no digest: ")) == (1, True)
    assert "\x1b" not in out
    assert json.loads(shell("digests", "--json")[1])["problem"].startswith("no digest: ")


def test_the_public_key_checks_what_the_private_one_signs(shell: Shell) -> None:
    code, out, err = shell("public-key")
    assert (code, out) == (2, "")
    assert f"there is no key at {shell.key}" in err
    assert shell("seal")[0] == 0
    code, pem, err = shell("public-key")
    signer = LocalSigner.of_file(shell.key)
    assert (code, err) == (0, f"kid {signer.kid}\n")
    PublicKeys.of_pem(pem.encode()).check(signer.kid, b"data", signer.sign(b"data"))
    assert json.loads(shell("public-key", "--json")[1]) == {"kid": signer.kid, "pem": pem}
    assert "PRIVATE" not in pem


def test_a_key_that_cannot_be_used_is_named_and_nothing_is_written(shell: Shell) -> None:
    shell.key.write_text("no key")
    for command in ("seal", "public-key"):
        code, out, err = shell(command)
        assert (code, out) == (2, "")
        assert f"audit: {shell.key} holds no private key in PEM form" in err
    del shell.environ["HYPERPLANE_SIGNING_KEY"]
    shell.environ["WEBSITE_SITE_NAME"] = "scores"
    code, out, err = shell("seal")
    assert (code, out) == (2, "")
    assert "HYPERPLANE_SIGNING_KEY is not set" in err
    assert shell("digests")[0] == 1
