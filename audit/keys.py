"""From settings to keys: who signs the digests here, and whose signatures count.

Imports cryptography, and the Key Vault's SDK if a key lies there, so it is imported by what signs or checks, and only
when that is called for.
"""

from __future__ import annotations

from pathlib import Path

from audit.settings import SIGNING_KEY, AuditSettings, SettingsError
from audit.signing import LocalSigner, PublicKeys, Signer, SigningError


def open_signer(settings: AuditSettings, *, make: bool = True) -> Signer:
    """The signer of HYPERPLANE_SIGNING_KEY, its key made if it is a file that is not there, unless `make` is false: who
    only shows or checks would show a key that signed nothing. Raises `SigningError`."""
    key = settings.signing_key
    if key is None:
        raise SigningError(
            f"{SIGNING_KEY} is not set, so no digest is signed and none is written: set it to a key of a Key Vault, "
            "https://{vault}.vault.azure.net/keys/{name}; a file of this machine is gone with it"
        )
    if key.startswith("https://"):
        from audit.key_vault import open_key_vault_signer

        return open_key_vault_signer(key, settings.client_id)
    path = Path(key)
    if not make and not path.exists():
        raise SigningError(
            f"{SIGNING_KEY}: there is no key at {path}. The first digest makes it (`python -m audit seal`). Is this "
            "the machine, and the folder, in which the service signs?"
        )
    return LocalSigner.of_file(path)


def trusted_keys(settings: AuditSettings) -> PublicKeys:
    """The keys of HYPERPLANE_PUBLIC_KEYS, else the signer's own. Raises `SettingsError` and `SigningError`.

    Reads a file or asks the Key Vault each time; keep what it returns.
    """
    if settings.public_keys is None:
        return PublicKeys.of_pem(open_signer(settings, make=False).public_key_pem)
    try:
        return PublicKeys.of_file(Path(settings.public_keys))
    except OSError as problem:
        raise SettingsError(f"HYPERPLANE_PUBLIC_KEYS: the file cannot be read: {problem.strerror}") from None
    except SigningError as problem:
        raise SettingsError(f"HYPERPLANE_PUBLIC_KEYS: {problem}") from None
