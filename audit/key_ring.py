"""The public keys that a serving process checks digests with: read when first asked for, and kept for a while.

A page must not wait for a Key Vault each time, nor fail because one does not answer: then there are no keys, and what
they would have checked is shown as not checked. `keep_s` also bounds how long a key that was replaced goes unseen.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from audit.errors import AuditError
from audit.settings import AuditSettings, SettingsError

if TYPE_CHECKING:
    from audit.signing import PublicKeys

_log = logging.getLogger(__name__)


def trusted(settings: AuditSettings) -> PublicKeys:
    """`audit.keys.trusted_keys`, imported by the first who asks."""
    from audit.keys import trusted_keys

    return trusted_keys(settings)


class KeyRing:
    """Keeps what `read` gave; asks again after `keep_s`, and after `retry_s` if it raised. Threads may share it."""

    def __init__(
        self,
        read: Callable[[], PublicKeys],
        *,
        keep_s: float = 3600.0,
        retry_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._keep_s = keep_s
        self._retry_s = retry_s
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: PublicKeys | None = None
        self._due_s = float("-inf")

    def keys(self) -> PublicKeys | None:
        """The keys; `None` while they cannot be read, and the log says why. Keys once read outlive a failure."""
        with self._lock:
            if self._clock() >= self._due_s:
                self._ask()
            return self._keys

    def _ask(self) -> None:
        try:
            self._keys = self._read()
        except (AuditError, SettingsError) as problem:
            _log.warning("the public keys of the digests cannot be read: %s", problem)
            self._due_s = self._clock() + self._retry_s
        else:
            self._due_s = self._clock() + self._keep_s
