"""Keys are asked for seldom, and their absence fails nobody."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from audit.errors import AuditError
from audit.key_ring import KeyRing
from audit.settings import SettingsError
from audit.signing import PublicKeys, SigningError
from tests.audit.examples import Clock


class Vault:
    """Counts who asks, and fails when told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.problem: AuditError | SettingsError | None = None

    def __call__(self) -> PublicKeys:
        self.asked += 1
        if self.problem is not None:
            raise self.problem
        return PublicKeys([ec.generate_private_key(ec.SECP256R1()).public_key()])


def test_keys_are_kept_for_their_time_and_then_read_again() -> None:
    vault, clock = Vault(), Clock(0.0)
    ring = KeyRing(vault, keep_s=100, retry_s=10, clock=clock)
    first = ring.keys()
    assert first is ring.keys() is not None
    assert vault.asked == 1
    clock.now_s = 100.0
    assert ring.keys() not in (None, first)
    assert vault.asked == 2


@pytest.mark.parametrize("problem", [SigningError("the vault does not answer"), SettingsError("no such file")])
def test_while_they_cannot_be_read_there_are_none_and_the_log_says_why(
    problem: AuditError | SettingsError, caplog: pytest.LogCaptureFixture
) -> None:
    vault, clock = Vault(), Clock(0.0)
    vault.problem = problem
    ring = KeyRing(vault, keep_s=100, retry_s=10, clock=clock)
    assert ring.keys() is None
    assert ring.keys() is None
    assert vault.asked == 1
    assert str(problem) in caplog.text
    clock.now_s, vault.problem = 10.0, None
    assert ring.keys() is not None


def test_keys_that_were_read_once_outlive_a_vault_that_is_away() -> None:
    vault, clock = Vault(), Clock(0.0)
    ring = KeyRing(vault, keep_s=100, retry_s=10, clock=clock)
    kept = ring.keys()
    clock.now_s, vault.problem = 100.0, SigningError("away")
    assert ring.keys() is kept
    assert ring.keys() is kept
    assert vault.asked == 2
