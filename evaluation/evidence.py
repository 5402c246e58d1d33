"""Reading what a report needs: stored profiles and Parquet for blobs that were indexed, the log itself for the rest.

A blob counts as a whole from its index when its hour had ended by `as_of`; else its frames are read and records later
than `as_of` are left out, so that a report made again for the same moment says the same. Blobs that are still open
are read up to their last verified frame. A blob that cannot be read becomes a finding of the report and costs it
nothing but that blob.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from audit.errors import NotFound, Unavailable
from audit.layout import hour_start_s
from audit.reader import blobs, read_blob
from audit.reader import hours as log_hours
from audit.store import BlobInfo, Store
from evaluation.blob_index import BlobIndex, read_index, read_profiles
from evaluation.label_join import join
from evaluation.profile import NO_VERSION, Profile
from evaluation.profiler import profile
from evaluation.records_table import (
    INSTANCE_COLUMNS,
    LABEL_COLUMNS,
    concatenated,
    instances_of_part,
    labels_of_part,
    tables_of_lines,
)
from evaluation.references import References
from evaluation.report import BlobFacts, Evidence
from evaluation.report_format import Finding, Window
from evaluation.windows import DAY_S, HOUR_S, at, hour_start, hours_of

LABELS_BEFORE_S = DAY_S  # labels may come before their instance, by at most this much

Progress = Callable[[int, int, str], None]
_log = logging.getLogger(__name__)


@dataclass
class _Read:
    """One blob as far as it was read."""

    facts: BlobFacts
    profiles: list[Profile]
    index: BlobIndex | None = None
    instances: pd.DataFrame | None = None
    labels: pd.DataFrame | None = None


@dataclass
class _Blobs:
    """Reads blobs for one model, each at most once."""

    log: Store
    derived: Store
    references: References
    model: str
    as_of: str
    findings: list[Finding] = field(default_factory=list)
    read: dict[str, _Read] = field(default_factory=dict)

    def of(self, hour: str) -> list[_Read]:
        """The blobs of an hour, in the order of their names."""
        found = []
        for info in blobs(self.log, hour):
            if info.name not in self.read:
                self._add(info, hour)
            if info.name in self.read:
                found.append(self.read[info.name])
        return found

    def _add(self, info: BlobInfo, hour: str) -> None:
        try:
            self.read[info.name] = self._from_index(info, hour) or self._from_log(info.name)
        except Unavailable:
            raise
        except Exception as problem:  # noqa: BLE001 - whatever is wrong with one blob must not cost the whole report
            _log.exception("%s cannot be read", info.name)
            self.findings.append(Finding(blob=info.name, what=f"cannot be read: {type(problem).__name__}: {problem}"))

    def _from_index(self, info: BlobInfo, hour: str) -> _Read | None:
        if (hour_start_s(hour) or 0) + HOUR_S > at(self.as_of):
            return None
        index = read_index(self.derived, info, self.references)
        if index is None:
            return None
        try:
            profiles = read_profiles(self.derived, index, self.model)
        except (NotFound, ValueError):
            return None
        facts = BlobFacts(
            name=info.name,
            closed=True,
            frames=index.frames,
            declared=index.declared,
            read=index.read,
            unreadable=index.unreadable,
            finding=index.finding,
        )
        return _Read(facts, profiles, index)

    def _from_log(self, name: str) -> _Read:
        reading = read_blob(self.log, name)
        found = profile(reading.frames, self.references.get, until_ts=self.as_of)
        lines = (line for frame in reading.frames if frame.kind == "records" for line in frame.lines)
        instances, labels = tables_of_lines(lines, self.model, self.as_of)
        facts = BlobFacts(
            name=name,
            closed=reading.state == "closed",
            frames=found.frames,
            declared=found.declared,
            read=found.declared - found.unreadable,
            unreadable=found.unreadable,
            finding=reading.finding,
        )
        own = [one for one in found.profiles if one.model == self.model]
        return _Read(facts, own, None, instances, labels)

    def labels(self, read: _Read) -> pd.DataFrame | None:
        """The blob's labels, None without any."""
        if read.index is None:
            return read.labels
        part = read.index.parts.get(self.model)
        if part is None or not read.index.labels.get(self.model):
            return None
        found = self._of_part(part, lambda data: labels_of_part(data, self._until()))
        return self._read_anew(read).labels if found is None else found

    def instances(self, read: _Read, labelled: set[str]) -> pd.DataFrame | None:
        """The blob's instances, with answers at least for labelled ids."""
        if read.index is None:
            return read.instances
        part = read.index.parts.get(self.model)
        if part is None or not any(one.role != "-" for one in read.profiles):
            return None
        found = self._of_part(part, lambda data: instances_of_part(data, labelled, self._until()))
        return self._read_anew(read).instances if found is None else found

    def _of_part(self, part: str, table: Callable[[bytes], pd.DataFrame]) -> pd.DataFrame | None:
        """A table of a stored Parquet part, which is derived; None if that is gone or damaged."""
        try:
            return table(self.derived.read(part))
        except Unavailable:
            raise
        except Exception as problem:  # noqa: BLE001 - whatever pyarrow says of damaged bytes
            _log.warning("%s cannot be used, the log is read instead: %s: %s", part, type(problem).__name__, problem)
            return None

    def _read_anew(self, read: _Read) -> _Read:
        """The blob from the log, as if it had not been indexed."""
        again = self._from_log(read.facts.name)
        read.index, read.instances, read.labels = None, again.instances, again.labels
        return read

    def _until(self) -> np.datetime64:
        return np.datetime64(self.as_of.removesuffix("Z"), "us")


def collect(
    log: Store,
    derived: Store,
    references: References,
    model: str,
    window: Window,
    as_of: str,
    progress: Progress | None = None,
) -> Evidence:
    """Everything that a report needs. Raises `Unavailable` when the storage cannot be reached."""
    reader = _Blobs(log, derived, references, model, as_of)
    begun = [hour for hour in hours_of(window) if hour_start(hour)[:19] < as_of[:19]]
    used = set(log_hours(log, at(window.since) - LABELS_BEFORE_S, max(at(as_of), at(window.since)) + 1))
    own: dict[str, list[_Read]] = {hour: [] for hour in begun}
    others: list[_Read] = []
    for number, hour in enumerate(sorted(used)):
        if progress:
            progress(number, len(used), hour)
        own.get(hour, others).extend(reader.of(hour))
    inside = [read for hour in begun for read in own[hour]]
    labels = _labels(reader, sorted(inside + others, key=lambda read: read.facts.name))
    instances = _instances(reader, inside, set(labels["id"]))
    hours = {hour_start(hour): [one for read in own[hour] for one in read.profiles] for hour in begun}
    return _evidence(reader, window, hours, inside, instances, labels)


def _labels(reader: _Blobs, reads: Sequence[_Read]) -> pd.DataFrame:
    parts = [reader.labels(read) for read in reads]
    return concatenated([part for part in parts if part is not None], LABEL_COLUMNS)


def _instances(reader: _Blobs, reads: Sequence[_Read], labelled: set[str]) -> pd.DataFrame:
    parts = [reader.instances(read, labelled) for read in reads]
    return concatenated([part for part in parts if part is not None], INSTANCE_COLUMNS)


def _evidence(
    reader: _Blobs,
    window: Window,
    hours: dict[str, list[Profile]],
    inside: Sequence[_Read],
    instances: pd.DataFrame,
    labels: pd.DataFrame,
) -> Evidence:
    model, references = reader.model, reader.references
    seen = {one.version for profiles in hours.values() for one in profiles if one.version != NO_VERSION}
    versions = sorted(seen | set(references.versions(model)))
    found = {version: reference for version in versions if (reference := references.get(model, version))}
    newest = labels["ts"].max() if len(labels) else None
    return Evidence(
        model=model,
        window=window,
        as_of=reader.as_of,
        hours=hours,
        blobs=[read.facts for read in inside],
        joined=join(instances, labels, np.datetime64(window.since.removesuffix("Z"), "us")),
        labels_until=None if newest is None else f"{np.datetime64(newest, 'us')}Z",
        references=found,
        problems={version: why for (name, version), why in references.problems.items() if name == model},
        findings=reader.findings,
    )
