"""The hour in which a version first scored, for reports on everything since.

Profiles are filed by version, so one listing finds the first hour of those that are stored. An hour before it counts
too when one of its blobs is not profiled yet: such blobs, as a rule those of the last two hours, are read. As champion
is what counts; a version that never was champion is looked for as challenger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

import msgspec

from audit.layout import hour_start_s
from audit.reader import blob_records, listed_blobs
from audit.store import BlobInfo, Store
from evaluation.blob_index import index_name

Progress = Callable[[int, int, str], None]
_ROLES = ("champion", "challenger")
_INDEXES = "profiles/blobs/"


def first_scored(
    log: Store, derived: Store, model: str, version: str, until_s: float, progress: Progress | None = None
) -> str | None:
    """The hour (`2026/11/23/14`) of the version's first record, among hours that begin before `until_s`.

    None if there is none. Raises `Unavailable` when the storage cannot be reached.
    """
    profiled = {
        role: min((hour for hour in _profiled(derived, model, version, role) if _begun(hour, until_s)), default=None)
        for role in _ROLES
    }
    read = _first_read(log, derived, (model, version), profiled["champion"], until_s, progress)
    for role in _ROLES:
        hours = [hour for hour in (profiled[role], read.get(role)) if hour is not None]
        if hours:
            return min(hours)
    return None


def _profiled(derived: Store, model: str, version: str, role: str) -> Iterator[str]:
    """The hours of which there is a profile of the version."""
    folder = f"profiles/model={quote(model, safe='')}/version={quote(version, safe='')}/role={role}/"
    for info in derived.list(folder):
        day, hour, *_ = info.name.removeprefix(folder).split("/")
        yield f"{day.removeprefix('date=').replace('-', '/')}/{hour.removeprefix('hour=')}"


def _begun(hour: str, until_s: float) -> bool:
    start_s = hour_start_s(hour)
    return start_s is not None and start_s < until_s


def _first_read(
    log: Store,
    derived: Store,
    wanted: tuple[str, str],
    before: str | None,
    until_s: float,
    progress: Progress | None,
) -> dict[str, str]:
    """The first hour by role among the blobs without profiles, of hours up to `before`."""
    found: dict[str, str] = {}
    hours = _unprofiled(log, derived, before, until_s)
    for number, (hour, infos) in enumerate(hours.items()):
        if progress:
            progress(number, len(hours), hour)
        for info in infos:
            for role in _roles(log, info.name, *wanted):
                found.setdefault(role, hour)
        if "champion" in found:
            break
    return found


def _unprofiled(log: Store, derived: Store, before: str | None, until_s: float) -> Mapping[str, list[BlobInfo]]:
    known = {info.name for info in derived.list(_INDEXES)}
    left = {}
    for hour, infos in listed_blobs(log, None, until_s).items():
        new = [info for info in infos if index_name(info.name) not in known]
        if new and (before is None or hour < before):
            left[hour] = new
    return left


def _roles(log: Store, blob: str, model: str, version: str) -> set[str]:
    """The roles in which the version scored in one blob, as far as that verifies; one line of each is enough."""
    roles: set[str] = set()
    for record, _ in blob_records(log, blob, msgspec.json.encode(version)):
        if (record.kind, record.model, record.version) == ("score", model, version) and record.role:
            roles.add(record.role)
        if len(roles) == len(_ROLES):
            break
    return roles
