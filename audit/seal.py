"""Sealing an hour: every blob of it gets its `close` frame, if its writer left it without.

A writer that is still alive but believes it is in that hour (a zombie: paused, partitioned, its clock behind) is fenced
by it: its next append expects a length that the blob no longer has. It then goes on in a new blob. Sealing can be
killed and run again, and two may run at once: of all appends to one position exactly one wins.
"""

from __future__ import annotations

import logging

from audit.errors import Ambiguous, Conflict, Fenced, NotFound, Unavailable
from audit.frames import Place, encode_frame
from audit.reader import BlobReader, blobs
from audit.store import Store

SETTLED_S = 295  # an hour is sealed five minutes after its end; a timer may fire some moments early
_ATTEMPTS = 20
_log = logging.getLogger(__name__)


def seal_hour(store: Store, hour: str) -> list[str]:
    """Close every open blob of the hour (`2026/11/23/14`); returns the names of those it closed.

    A blob that does not verify to its end is left alone, for `verify` to report: what is appended behind such bytes
    proves nothing. Raises `Unavailable`; run it again then.
    """
    return [info.name for info in blobs(store, hour) if seal_blob(store, info.name)]


def seal_blob(store: Store, name: str, place: Place | None = None) -> bool:
    """The same for one blob, read from `place` on; whether this call closed it."""
    reader = BlobReader(store, name, place)
    for _ in range(_ATTEMPTS):
        try:
            for _frame in reader:
                continue
            if reader.closed:
                return False
            if reader.finding:
                _log.error("%s cannot be closed, it does not verify: %s", name, reader.finding)
                return False
            place = reader.place
            data, _ = encode_frame("close", name, place.offset, place.sequence, [], place.previous)
            store.append(name, data, at=place.offset)
        except (Conflict, Ambiguous):  # somebody appended meanwhile, or the reply was lost: read on and see
            reader = BlobReader(store, name, reader.place)
        except (NotFound, Fenced) as problem:  # gone since it was listed, or so full that not even `close` fits
            _log.warning("%s cannot be closed: %s", name, problem)
            return False
        else:
            return True
    raise Unavailable(f"{name} could not be closed in {_ATTEMPTS} attempts; its writer is still busy")
