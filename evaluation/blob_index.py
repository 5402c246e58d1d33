"""What evaluation made of one closed blob, and where it put it.

    profiles/blobs/date=2026-11-23/hour=14/{writer}-{n}.json                                        the index
    profiles/model=…/version=…/role=…/date=2026-11-23/hour=14/{writer}-{n}.json                     its profiles
    curated/model=…/date=2026-11-23/hour=14/{writer}-{n}.parquet                                    its Parquet parts
    index/v1/2026/11/23/{segment}.json, {segment}/000000.ids               where its ids are: audit/id_index.py

The unit of work is one closed blob, which never changes again. Its profiles and parts are written first and its index
last, so an index that is there says that all of it is. A worker that is killed leaves no index, and the next one does
the same work to the same bytes. An index is stale when a bundle that its profiles had to do without can be read now,
or is another one.
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from audit.compact import compact_blob, part_name
from audit.errors import NotFound
from audit.id_building import index_blob as index_ids
from audit.layout import parse_name
from audit.reader import BlobReading
from audit.store import BlobInfo, Store
from evaluation.profile import SCHEMA, Profile, decode_profile, encode_profile
from evaluation.profiler import profile
from evaluation.references import References

JSON = "application/json"
PARQUET = "application/vnd.apache.parquet"


class BlobIndex(msgspec.Struct, frozen=True, kw_only=True):
    """One closed blob."""

    schema: int
    blob: str
    size_bytes: int
    frames: int
    declared: int
    read: int
    unreadable: int
    finding: str | None
    profiles: dict[str, list[str]]  # model → names
    parts: dict[str, str]  # model → name of its Parquet part
    labels: dict[str, int]  # model → label records
    bundles: dict[str, dict[str, str | None]]  # model → version → SHA-256 of the bundle it was profiled with


_decoder = msgspec.json.Decoder(BlobIndex)


def index_blob(derived: Store, reading: BlobReading, references: References) -> BlobIndex:
    """Compact and profile a closed blob and store all of it, the index last; its ids can be found from then on."""
    index_ids(derived, reading)
    parts = {}
    for model, data in compact_blob(reading).items():
        parts[model] = part_name(reading.name, model)
        derived.put(parts[model], data, overwrite=True, content_type=PARQUET)
    found = profile(reading.frames, references.get)
    names: dict[str, list[str]] = {}
    for one in found.profiles:
        name = profile_name(reading.name, one)
        derived.put(name, encode_profile(one), overwrite=True, content_type=JSON)
        names.setdefault(one.model, []).append(name)
    index = BlobIndex(
        schema=SCHEMA,
        blob=reading.name,
        size_bytes=reading.size_bytes,
        frames=found.frames,
        declared=found.declared,
        read=found.declared - found.unreadable,
        unreadable=found.unreadable,
        finding=reading.finding,
        profiles=names,
        parts=parts,
        labels=_labels(found.profiles),
        bundles=_bundles(found.profiles, references),
    )
    derived.put(index_name(reading.name), msgspec.json.encode(index), overwrite=True, content_type=JSON)
    return index


def read_index(derived: Store, info: BlobInfo, references: References) -> BlobIndex | None:
    """The blob's index, if there is one that still holds."""
    try:
        index = _decoder.decode(derived.read(index_name(info.name)))
    except (NotFound, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if index.schema != SCHEMA or index.blob != info.name or index.size_bytes != info.size_bytes:
        return None
    for model, versions in index.bundles.items():
        for version, sha256 in versions.items():
            if references.sha256(model, version) not in (sha256, None):
                return None
    return index


def read_profiles(derived: Store, index: BlobIndex, model: str) -> list[Profile]:
    """The stored profiles of one model; raises `NotFound`, or `ValueError` when they are of another format."""
    try:
        return [decode_profile(derived.read(name)) for name in index.profiles.get(model, [])]
    except RecursionError:
        raise ValueError("a profile that is nested more deeply than any of ours") from None


def day_prefix(day: str) -> str:
    """Where the indexes of a day's blobs are stored.

    >>> day_prefix("2026-11-23")
    'profiles/blobs/date=2026-11-23/'
    """
    return f"profiles/blobs/date={day}/"


def index_name(blob: str) -> str:
    """Where a blob's index is stored.

    >>> index_name("log/v1/2026/11/23/14/20261123T140506-3f9c2a71-0.jsonl")
    'profiles/blobs/date=2026-11-23/hour=14/20261123T140506-3f9c2a71-0.json'
    """
    return f"profiles/blobs/{_filed(blob)}.json"


def profile_name(blob: str, one: Profile) -> str:
    """Where one of its profiles is stored."""
    model, version = quote(one.model, safe=""), quote(one.version, safe="")
    return f"profiles/model={model}/version={version}/role={one.role}/{_filed(blob)}.json"


def _filed(blob: str) -> str:
    name = parse_name(blob)
    if name is None:
        raise ValueError(f"{blob!r} is no blob of the log")
    year, month, day, hour = name.hour.split("/")
    return f"date={year}-{month}-{day}/hour={hour}/{name.writer}-{name.n}"


def _labels(profiles: list[Profile]) -> dict[str, int]:
    counts = {one.model: sum(one.labels.values()) for one in profiles if one.labels}
    return {model: count for model, count in sorted(counts.items()) if count}


def _bundles(profiles: list[Profile], references: References) -> dict[str, dict[str, str | None]]:
    used: dict[str, dict[str, str | None]] = {}
    for one in profiles:
        if one.role != "-":
            used.setdefault(one.model, {})[one.version] = references.sha256(one.model, one.version)
    return used
