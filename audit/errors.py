"""What may go wrong in the log, named by what the caller may do about it.

AuditError
├── Unavailable          nothing was recorded: answer 503, the client may send it again
│   ├── QueueFull        too much is waiting already: the same, and slow down
│   └── Ambiguous        it may or may not have been recorded: the same, but say "outcome unknown"
├── Conflict             the blob is not as long as expected: read it to learn why
├── Fenced               nothing can be appended to this blob any more: go on in a new one
├── Exists               a blob of that name is there already
├── NotFound             no blob of that name
├── Refused              what was asked for, or sent, is not what it must be: mend it
└── Tampered             the bytes do not verify: stop, and show the finding to a person
"""

from __future__ import annotations


class AuditError(Exception):
    """Anything that the log has to say no to."""


class Unavailable(AuditError):
    """The store cannot be reached or refuses; nothing was recorded."""


class QueueFull(Unavailable):
    """More bytes wait for the log than it is allowed to hold in memory."""


class Ambiguous(Unavailable):
    """A call's reply was lost: whether it took effect is not known yet."""


class Conflict(AuditError):
    """An append expected another length than the blob has (HTTP 412)."""


class Fenced(AuditError):
    """The blob was closed by somebody else, is gone, or is full: an append to it is not in and never will be."""


class Exists(AuditError):
    """A create-once blob is there already (HTTP 409)."""


class NotFound(AuditError):
    """There is no such blob (HTTP 404)."""


class Refused(AuditError):
    """What was asked for, or sent, cannot be taken; the message names the field and what is expected."""


class Tampered(AuditError):
    """Stored bytes do not agree with their hashes, positions or chain."""
