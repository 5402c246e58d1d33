"""Whether the log's storage can be reached, for readiness while nobody sends scores.

The log's writer knows it from its appends; a process that has nothing to write would say "ready" until a client finds
out. So readiness asks the storage itself, for a blob that is not there, and at most once in a few seconds, however many
ask. Nothing is written, and no answer to a score waits for this.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from audit.errors import AuditError, NotFound
from audit.settings import SettingsError
from audit.store import Store

_KEPT_S = 5.0  # how long an answer stands
_KEPT_DOWN_S = 0.5  # the same while the storage is down, so that its return is seen soon
_NOBODY = "readiness"  # no blob has this name

_log = logging.getLogger(__name__)


class StorageCheck:
    """Asks one store. Threads may share it; a call may block as long as the store's timeout."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._reachable = True
        self._until_s: float | None = None

    def reachable(self) -> bool:
        """Whether the store answered, now or a few seconds ago.

        >>> from audit.memory_store import MemoryStore
        >>> StorageCheck(MemoryStore()).reachable()
        True
        """
        with self._lock:
            if self._until_s is None or self._clock() >= self._until_s:
                self._reachable = self._ask()
                self._until_s = self._clock() + (_KEPT_S if self._reachable else _KEPT_DOWN_S)
            return self._reachable

    def _ask(self) -> bool:
        try:
            self._store.size(_NOBODY)
        except NotFound:
            return True
        except (AuditError, SettingsError) as problem:
            _log.warning("the storage does not answer: %s", problem)
            return False
        return True
