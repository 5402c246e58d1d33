"""What vouches for the log and for single instances, as `report.json` has it.

Only reports on production have it: before production there is no log to vouch for.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from evaluation.format.figures import Count, Finding, Verdict

ReplayVerdict = Literal["equal", "different", "other hardware", "cannot"]


class BlobStates(msgspec.Struct, frozen=True, kw_only=True):
    """The log's blobs in the hours of the window that had begun, each in one state."""

    verified: int = 0  # read to its last byte for this report: as a digest lists it
    listed: int = 0  # as long as a digest lists it; its bytes were not read again for this report
    sealed: int = 0  # read: closed, and every frame verifies; no digest lists it yet
    open: int = 0  # not closed, or of an hour that was not over
    damaged: int = 0  # not as it should be; `findings` say how
    unread: int = 0  # listed by no digest yet, and not read again for this report


class DigestStates(msgspec.Struct, frozen=True, kw_only=True):
    """The hours of the window that were over at `as_of`, by their digests."""

    hours: int = 0
    valid: int = 0  # there, and signed by a key that is known here
    not_checked: int = 0  # there; there was no public key to check its signature with
    unknown_key: int = 0  # there, and signed by a key that is not known here
    bad_signature: int = 0  # there, and not signed by the key that it names
    unreadable: int = 0  # there, and no digest as it would have been written
    missing: int = 0  # not there, though the log has older ones
    before_first: int = 0  # not there: older than the log's first digest, or there is none at all
    newest: str | None = None  # start of the newest hour of the window that has one


class LogIntegrity(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the log of the window is what it was when it was written."""

    sentence: str = ""
    blobs: BlobStates = BlobStates()
    digests: DigestStates = DigestStates()
    stored_bytes: int = 0  # of the blobs of hours that were over
    read_bytes: int = 0  # of these, read again for this report
    findings: list[Finding] = []  # the first 20
    findings_total: int = 0


class AuditedInstance(msgspec.Struct, frozen=True, kw_only=True):
    """One instance to look at. Texts are cut to 60 characters, ids to 200."""

    id: str
    ts: str
    version: str | None = None  # that and the next two: null when its record was not found in the log
    outcome: str | None = None
    answer: str | None = None  # label or value
    truth: str | None = None  # its newest label, if one has come and it was scored
    measure: float | None = None  # why it is in its list: see `ChosenInstances.measure`
    replay: ReplayVerdict | None = None


class ChosenInstances(msgspec.Struct, frozen=True, kw_only=True):
    """Instances that were chosen to be looked at, the strangest first."""

    name: Literal["farthest", "least_confident", "wrong"]
    title: str
    measure: Literal["distance", "confidence", "score", "error"]
    sentence: str
    instances: list[AuditedInstance] = []  # at most 10


class InstanceSample(msgspec.Struct, frozen=True, kw_only=True):
    """A random sample for spot checks: those whose lot, the hash of seed and id, is lowest."""

    sentence: str
    seed: str = ""
    of: int = 0  # judged instances of the window
    instances: list[AuditedInstance] = []  # at most 20


class ReplayedInstance(msgspec.Struct, frozen=True, kw_only=True):
    """A replay that did not give the recorded answer again."""

    id: str
    verdict: ReplayVerdict
    sentence: str


class SampleReplay(msgspec.Struct, frozen=True, kw_only=True):
    """The sample's instances, run again with the recorded bundle and compared bit by bit."""

    sentence: str
    equal: int = 0
    different: int = 0
    other_hardware: int = 0
    cannot: int = 0
    left_out: int = 0  # of the sample: runs too large, no time left, or records that were not found
    reasons: list[Count] = []  # of `cannot` and of `left_out`
    differing: list[ReplayedInstance] = []  # the first 10


class AuditorNote(msgspec.Struct, frozen=True, kw_only=True):
    """What an auditor wrote about an instance."""

    id: str
    ts: str
    verdict: str
    author: str
    comment: str = ""  # cut to 500 characters


class AuditorNotes(msgspec.Struct, frozen=True, kw_only=True):
    """Notes that were written in the window, on whichever instance of the model."""

    confirmed: int = 0
    disputed: int = 0
    unclear: int = 0
    newest: list[AuditorNote] = []  # at most 20, the newest first
    hours_left: int = 0  # hours with notes that were not read, since there are too many


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What vouches for this report's instances, and which of them to look at."""

    verdict: Verdict
    integrity: LogIntegrity
    sample: InstanceSample
    strangest: list[ChosenInstances] = []
    replay: SampleReplay
    notes: AuditorNotes = AuditorNotes()
