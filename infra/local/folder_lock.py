"""One process at a time on a folder: two Azurites on one folder destroy its index, two hosts run each timer twice."""

import contextlib
import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from infra.local.process import LocalError

FREE_BYTES = 64 * 1024 * 1024
PATIENCE_S = 3.0  # one whose parent was killed needs a moment to save and leave


@contextlib.contextmanager
def locked(folder: Path, who: str) -> Iterator[int]:
    """Make `folder` and hold its lock, a file descriptor that a child may inherit and so keep while it runs.

    Raises LocalError when the folder cannot be written, its disk is full, or another `who` holds the lock.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / f"{who.lower().replace(' ', '-')}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise LocalError(f"{who} cannot write to {folder} ({error.strerror}): choose another folder.") from error
    try:
        if free < FREE_BYTES:
            raise LocalError(f"The disk of {folder} is full ({free // 2**20} MiB left): free some space.")
        _wait_for(lock, folder, who)
        yield lock
    finally:
        os.close(lock)


def _wait_for(lock: int, folder: Path, who: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EWOULDBLOCK, errno.EACCES} or time.monotonic() > deadline:
                text = f"{who} runs on {folder} already: stop that one, or choose another folder."
                raise LocalError(text) from error
            time.sleep(0.05)
        else:
            return
