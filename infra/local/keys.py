"""The local key, in place of Azure's function keys: made once, kept outside git, readable by its owner alone."""

import os
import re
import secrets
import stat
from pathlib import Path

from infra.local.process import LocalError

_ALLOWED = re.compile(r"[A-Za-z0-9_.~=-]{8,256}")


def read_or_make_key(path: Path) -> str:
    """The key in `path`; made on first use, also when two processes start at once. Raises LocalError if unusable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
        return check_key(path.read_text(encoding="utf-8").strip(), f"the key in {path}")
    except OSError as error:
        text = f"The local key cannot be kept in {path} ({error.strerror}): give a folder with --data, or --key."
        raise LocalError(text) from error


def check_key(key: str, name: str) -> str:
    """The key itself when it can stand in a URL and a header as it is, else LocalError."""
    if not _ALLOWED.fullmatch(key):
        raise LocalError(f"{name.capitalize()} must be 8 to 256 letters, digits, '-', '_', '.', '~' or '='.")
    return key


def _make(path: Path) -> None:
    """Write a new key unless the file is there: whole under another name first, so that nobody reads half of one."""
    if path.exists():
        return
    own = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        os.link(own, path)
    except FileExistsError:
        return  # another process was first; its key counts
    finally:
        own.unlink()
