"""What the hourly timer does for the log: close the hours that are over and write their digests.

Nothing that goes wrong here keeps what the timer does next from being done: a key that cannot be used is said once a
run, and the next run writes what this one could not.
"""

from __future__ import annotations

import logging

from audit.errors import AuditError, Unavailable
from audit.settings import AuditSettings, SettingsError
from audit.store import Store

_log = logging.getLogger("hyperplane.audit")


def write_due_digests(log: Store, settings: AuditSettings, now_s: float) -> None:
    """Write the digests that are due and log what was written or why none was; raises nothing."""
    try:
        from audit.digest_writer import write_digests
        from audit.keys import open_signer

        written = write_digests(log, open_signer(settings), now_s)
    except Unavailable as problem:
        _log.error("digests, to be tried again: %s", problem)
    except (AuditError, SettingsError) as problem:
        _log.error("no digest: %s", problem)
    except Exception:  # noqa: BLE001 - a defect here must not cost the reports that are made next
        _log.exception("no digest; to be tried again")
    else:
        _log.info("digests: %d written", len(written))
