"""From the environment to a service that scores: what one process makes once.

Two things take time at a start, ONNX Runtime with the models and the import of the storage SDK; each gets a thread, so
that a cold start takes as long as the longer of the two. Settings are read at once: one that is missing or malformed
stops the process before anything is started.

The log's blob is opened by the first record, not at the start: a process that only runs timers writes none.
"""

from __future__ import annotations

import asyncio
import logging
import platform
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from audit import settings as audit_settings
from audit.connect import Stores, open_stores, preload
from audit.known_ids import KnownIds
from audit.settings import SettingsError
from audit.writer import LogWriter, new_writer_id
from scoring import __version__
from scoring import settings as scoring_settings
from scoring.errors import NotStarted
from scoring.storage_check import StorageCheck
from scoring.watchdog import WATCHDOG

if TYPE_CHECKING:
    from scoring.service import Readiness, Service

# How long a thread that works on a large request keeps the interpreter when others want it. Python's own 5 ms are paid
# several times by every small request beside it, at each call to the storage; 0.5 ms cost the large one nothing that
# could be measured (0.2 ms cost 4 %). See docs/decisions/0011.
_SWITCH_INTERVAL_S = 0.0005
_LAST_PATIENCE_S = 1.0  # with models that are being loaded when the process ends
_LAST_TRIES = 10
_log = logging.getLogger(__name__)


class Startup:
    """The stores at once, the service as soon as it is there."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Raises `SettingsError` for a setting that cannot be used."""
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        self.audit_settings = audit_settings.from_environ(environ)
        self.scoring_settings = scoring_settings.from_environ(environ)
        self.stores: Stores = open_stores(self.audit_settings)
        self._service: Future[Service | None] = Future()  # None: it could not be made
        self._service.set_running_or_notify_cancel()  # whoever gives up waiting for it must not cancel it
        self._writer: LogWriter | None = None
        self._storage = StorageCheck(self.stores.log)
        threading.Thread(target=self._preload, name="preload-storage", daemon=True).start()
        self._loader = threading.Thread(target=self._make_service, name="load-models", daemon=True)
        self._loader.start()

    async def service(self) -> Service:
        """The service, as soon as it is there. Raises `NotStarted` if it could not be made."""
        made = self._service.result() if self._service.done() else await asyncio.wrap_future(self._service)
        if made is None:
            raise NotStarted()
        return made

    async def readiness(self) -> Readiness:
        """The service's readiness, and the storage's even if nobody sends scores. Raises `NotStarted`."""
        state = (await self.service()).ready()
        if "log" in state.problems or await asyncio.to_thread(self._storage.reachable):
            return state
        problem = {"log": "the storage of the audit log cannot be reached"}
        return replace(state, ready=False, problems=state.problems | problem)

    def close(self) -> None:
        """Finish what is being worked on, record it, end the log's blob. For the end of the process."""
        self._end_loading()
        made = self._service.result() if self._service.done() else None
        if made is not None:
            made.close()
        if self._writer is not None:
            self._writer.close()

    def _end_loading(self) -> None:
        """A model may hang in its first run, and a process that exits in the middle of a run is aborted."""
        for _ in range(_LAST_TRIES):
            self._loader.join(_LAST_PATIENCE_S / _LAST_TRIES)
            if not self._loader.is_alive():
                break
            WATCHDOG.end_runs_in(self._loader.ident)

    def _preload(self) -> None:
        try:
            preload(self.stores)
        except SettingsError as problem:  # the first request meets it again, and answers 503
            _log.error("%s", problem)

    def _make_service(self) -> None:
        try:
            made = self._made()
        except BaseException:  # noqa: BLE001  whatever it is, those who wait for the service must hear of it
            _log.exception("the service could not be started")
            self._service.set_result(None)
        else:
            self._service.set_result(made)

    def _made(self) -> Service:
        from scoring.catalog import Catalog
        from scoring.service import Service

        settings, own = self.audit_settings, self.scoring_settings
        catalog = Catalog.load(own.models, own.redaction_key, own.run_timeout_s)
        self._writer = LogWriter(
            self.stores.log,
            writer_id=new_writer_id(),
            opening=opening() | catalog.policies(),
            queue_bytes=settings.queue_bytes,
            give_up_s=settings.give_up_s,
            resolve_s=settings.resolve_s,
        )
        known = KnownIds(self.stores.log, derived=self.stores.derived)
        return Service(catalog, self._writer, own, known_ids=known, queue_bytes=settings.queue_bytes)


def opening() -> dict[str, str]:
    """What the `open` frame of a blob says of the process: replay needs to know what computed the scores."""
    import onnxruntime

    return {"code": __version__, "cpu": _cpu(), "onnxruntime": str(onnxruntime.__version__)}


def _cpu(info: Path = Path("/proc/cpuinfo")) -> str:
    try:
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine() or "unknown"
