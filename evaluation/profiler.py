"""Frames of a blob in, profiles out: one for each model, version and role. Pure, and vectorised by column.

Reading a record costs its decoding; what is counted once for a request (times, batch size, cold start) is taken from
its row 0, which stands once in the log even when a request's records span frames or blobs. A line that is no record
is counted and left out.
"""

from __future__ import annotations

import gc
import hashlib
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import msgspec
import numpy as np

from audit.records import Record, decode_record
from evaluation.binning import count_columns, count_values, placer
from evaluation.confidence import confidence_of
from evaluation.distinct import merge_sketches, sketch
from evaluation.profile import (
    EXAMPLES,
    NO_VERSION,
    REDACTED,
    Distributions,
    Example,
    Profile,
    merge,
    merge_histograms,
    smallest_examples,
)
from evaluation.time_bins import time_histogram
from scoring.bundle import Baseline, Bundle, Clusters, Histogram, Manifest

CHUNK = 20_000  # records profiled at once: enough for numpy, little for the memory
JUDGED = frozenset({"scored", "abstained", "failed"})
_NUMBERS = frozenset({float, int})
STAGES = ("decode", "judge", "infer", "encode")


class FrameLike(Protocol):
    """What profiling needs of a verified frame."""

    @property
    def kind(self) -> str: ...
    @property
    def append_us(self) -> int: ...
    @property
    def lines(self) -> list[bytes]: ...


class Reference(msgspec.Struct, frozen=True):
    """The parts of a bundle that decide how its records are counted."""

    manifest: Manifest
    baseline: Baseline
    sha256: str


Lookup = Callable[[str, str], Reference | None]  # model, version → its bundle, None when it cannot be read


class BlobProfile(msgspec.Struct, frozen=True, kw_only=True):
    """All of one blob."""

    profiles: list[Profile]
    frames: int
    declared: int  # records by the frames' headers
    unreadable: int  # lines that are no record


def reference_of(bundle: Bundle) -> Reference:
    """The reference in a bundle; raises `BundleError`."""
    return Reference(bundle.manifest, bundle.baseline(), bundle.sha256)


def profile(frames: Iterable[FrameLike], lookup: Lookup, *, until_ts: str | None = None) -> BlobProfile:
    """Profile a blob's frames in order; records later than `until_ts` are left out."""
    profiler = _Profiler(lookup, until_ts)
    with _no_collection():
        for frame in frames:
            profiler.add(frame)
        return profiler.finish()


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the cyclic garbage collector: it takes 40 % of the time here, and decoded JSON forms no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Profiler:
    def __init__(self, lookup: Lookup, until_ts: str | None) -> None:
        self._lookup, self._until = lookup, until_ts
        self._waiting: dict[tuple[str, str, str], list[Record]] = {}
        self._parts: dict[tuple[str, str, str], list[Profile]] = {}
        self._in_last_frame: set[tuple[str, str, str]] = set()
        self._appends: dict[tuple[str, str, str], list[int]] = {}
        self._frames = self._declared = self._unreadable = 0

    def add(self, frame: FrameLike) -> None:
        self._frames += 1
        if frame.append_us > 0:  # how long the append of the frame before took
            for key in self._in_last_frame:
                self._appends.setdefault(key, []).append(frame.append_us)
        self._in_last_frame = set()
        if frame.kind != "records":
            return
        for line in frame.lines:
            self._declared += 1
            self._add_line(line)

    def _add_line(self, line: bytes) -> None:
        try:
            record = decode_record(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._unreadable += 1
            return
        if self._until is not None and record.ts > self._until:
            return
        key = key_of(record)
        self._in_last_frame.add(key)
        waiting = self._waiting.setdefault(key, [])
        waiting.append(record)
        if len(waiting) >= CHUNK:
            self._flush(key)

    def _flush(self, key: tuple[str, str, str]) -> None:
        records = self._waiting.pop(key, [])
        if records:
            reference = None if key[1] == NO_VERSION else self._lookup(key[0], key[1])
            parts = self._parts.setdefault(key, [])
            parts.append(profile_records(records, reference))
            if len(parts) > 1:
                self._parts[key] = [merge(parts)]

    def finish(self) -> BlobProfile:
        for key in list(self._waiting):
            self._flush(key)
        profiles = [
            msgspec.structs.replace(merge(parts), append=time_histogram(self._appends.get(key, [])))
            for key, parts in sorted(self._parts.items())
        ]
        return BlobProfile(profiles=profiles, frames=self._frames, declared=self._declared, unreadable=self._unreadable)


def key_of(record: Record) -> tuple[str, str, str]:
    """Model, version and role under which a record is profiled."""
    if record.kind == "score" and record.version and record.role:
        return record.model, record.version, record.role
    return record.model, NO_VERSION, "-"


def profile_records(records: Sequence[Record], reference: Reference | None) -> Profile:
    """The profile of records of one model, version and role, without append times; at least one record."""
    model, version, role = key_of(records[0])
    times = [record.ts for record in records]
    scores = [record for record in records if record.kind == "score"]
    judged = [record for record in scores if record.outcome in JUDGED]
    errors = [record for record in records if record.kind == "request_error"]
    firsts = [record for record in scores if record.row in (0, None)]
    return Profile(
        model=model,
        version=version,
        role=role,  # type: ignore[arg-type]
        records=len(records),
        first_ts=min(times),
        last_ts=max(times),
        bundles=_count(record.bundle for record in scores if record.bundle),
        outcomes=_count(record.outcome or "failed" for record in scores),
        reasons=_nested((record.outcome or "failed", record.reasons) for record in scores if record.reasons),
        missing=_count(name for record in judged for name in _texts(record.flags.get("missing"))),
        artifacts=_nested(pair for record in judged for pair in _kinds(record.flags.get("artifacts"))),
        artifact_instances=_count(
            name for record in judged for name, kinds in _kinds(record.flags.get("artifacts")) if kinds
        ),
        outside=_nested(pair for record in judged for pair in _kinds(record.flags.get("outside"))),
        redacted=_count(name for record in judged for name in record.redacted),
        policies=_count(record.policies for record in scores if record.policies),
        request_errors=_count(reason for record in errors for reason in record.reasons or ["unknown"]),
        labels=_count(record.outcome or "recorded" for record in records if record.kind == "label"),
        requests=len(firsts) + len(errors),
        request_ids=merge_sketches([sketch(record.request or record.id for record in firsts + errors)]),
        distributions=_distributions(judged, reference),
        **_times_of(firsts),
    )


def _distributions(judged: Sequence[Record], reference: Reference | None) -> dict[str, Distributions]:
    if reference is None:
        return {}
    own = [record for record in judged if record.bundle == reference.sha256 and record.x is not None]
    return {reference.sha256: distributions(own, reference)} if own else {}


def distributions(judged: Sequence[Record], reference: Reference) -> Distributions:
    """Histograms of judged instances in the baseline's bins."""
    manifest, baseline = reference.manifest, reference.baseline
    bins = {
        feature.name: baseline.features[feature.name]
        for feature in manifest.features
        if feature.name in baseline.features and feature.redaction == "none"
    }
    answers = [record.y for record in judged if record.y]
    outputs = {name: count_values(_output(answers, name), bins) for name, bins in baseline.outputs.items() if answers}
    clusters, beyond = _clusters(judged, reference)
    return Distributions(
        n=len(judged),
        features=_features(judged, bins),
        outputs=outputs,
        clusters=clusters,
        beyond=beyond,
        confidence=confidence_of(judged, manifest),
        examples=_examples(judged, bins),
    )


def _examples(judged: Sequence[Record], bins: Mapping[str, Histogram]) -> list[Example]:
    """The instances of smallest id hash, each with the places of its features."""
    digests = b"".join(hashlib.blake2b(record.id.encode(), digest_size=8).digest() for record in judged)
    hashes = np.frombuffer(digests, ">u8") >> 11  # 53 bits, which any reader of JSON keeps
    chosen = np.argsort(hashes, kind="stable")[:EXAMPLES].tolist()
    if len(hashes) > EXAMPLES:  # all that share the last hash, so that the choice does not depend on the order
        chosen = np.flatnonzero(hashes <= hashes[chosen[-1]]).tolist()
    placers = {name: placer(bins[name]) for name in sorted(bins)}
    return smallest_examples(
        Example(hash=int(hashes[row]), id=judged[row].id, places=_places(judged[row], placers)) for row in chosen
    )


def _places(record: Record, placers: Mapping[str, Callable[[Any], int]]) -> list[int]:
    columns = _columns([record], list(placers))
    return [
        REDACTED if name in record.redacted else place(value)
        for (name, place), (value,) in zip(placers.items(), columns, strict=True)
    ]


def _features(judged: Sequence[Record], bins: Mapping[str, Histogram]) -> dict[str, Histogram]:
    """Histograms by feature, each of the records that hold its value in clear."""
    hidden = {name for record in judged for name in record.redacted} & bins.keys()
    found = _histograms(judged, {name: own for name, own in bins.items() if name not in hidden})
    for name in hidden:
        (values,) = _columns([record for record in judged if name not in record.redacted], [name])
        found[name] = count_values(values, bins[name])
    return {name: found[name] for name in bins}


def _histograms(judged: Sequence[Record], bins: Mapping[str, Histogram]) -> dict[str, Histogram]:
    """Histograms by feature. Numbers of instances that lack none of them are binned as one matrix."""
    numbers = [name for name, histogram in bins.items() if histogram.edges is not None]
    categories = [name for name in bins if name not in numbers]
    plain, odd = _split(judged, numbers) if numbers else ([], [])
    found = dict(zip(numbers, count_columns(plain, [bins[name] for name in numbers]), strict=True)) if plain else {}
    for name, values in zip(numbers, _columns(odd, numbers), strict=True) if odd else ():
        rest = count_values(values, bins[name])
        found[name] = merge_histograms([found[name], rest]) if plain else rest
    for name, values in zip(categories, _columns(judged, categories), strict=True):
        found[name] = count_values(values, bins[name])
    return found


def _columns(records: Sequence[Record], names: Sequence[str]) -> Iterator[list[Any]]:
    """The values of each feature, None where the record says that it is missing."""
    instances = [record.x if isinstance(record.x, dict) else {} for record in records]
    gone = [frozenset(_texts(record.flags.get("missing"))) for record in records]
    for name in names:
        yield [None if name in absent else x.get(name) for x, absent in zip(instances, gone, strict=True)]


def _split(judged: Sequence[Record], names: Sequence[str]) -> tuple[list[tuple[float, ...]], list[Record]]:
    """The values of instances that hold a number for every name, and the records of all others."""
    pick = operator.itemgetter(*names, names[0])  # one name more, so that it gives a tuple for a single feature too
    wanted = frozenset(names)
    plain, odd = [], []
    for record in judged:
        try:
            values = pick(record.x)
        except (KeyError, TypeError, IndexError):
            odd.append(record)
            continue
        gone = _texts(record.flags["missing"]) if "missing" in record.flags else ()
        if not _NUMBERS.issuperset(map(type, values)) or not wanted.isdisjoint(gone):
            odd.append(record)
        else:
            plain.append(values)
    return plain, odd


def _output(answers: Sequence[dict[str, Any]], name: str) -> list[Any]:
    """The values of one output: `label`, `value`, `score`, or `probability:<class>`."""
    kind, colon, label = name.partition(":")
    if not colon:
        return [answer.get(kind) for answer in answers]
    shares = [answer.get("probabilities") for answer in answers]
    return [share.get(label) if isinstance(share, dict) else None for share in shares]


def _clusters(judged: Sequence[Record], reference: Reference) -> tuple[Clusters | None, int]:
    before, calibration = reference.baseline.clusters, reference.manifest.calibration
    if before is None:
        return None, 0
    size = len(before.occupancy)
    numbers = [n for n in (record.flags.get("cluster") for record in judged) if type(n) is int and 0 <= n < size]
    placed = (record.flags.get("distance") for record in judged)
    distances = [float(value) for value in placed if isinstance(value, (float, int))]
    beyond = 0 if calibration is None else sum(value > calibration.threshold for value in distances)
    occupancy = np.bincount(np.asarray(numbers, np.int64), minlength=size).tolist()
    return Clusters(occupancy=occupancy, distance=count_values(distances, before.distance)), beyond


def _times_of(firsts: Sequence[Record]) -> dict[str, Any]:
    """What is counted once for a request."""
    stages = {stage: time_histogram([record.us[stage] for record in firsts if stage in record.us]) for stage in STAGES}
    totals = [sum(record.us.get(stage, 0) for stage in STAGES) for record in firsts if record.us]
    sizes = [max(1, record.rows or 1) for record in firsts]
    return {
        "times": {name: times for name, times in (stages | {"total": time_histogram(totals)}).items() if times.n},
        "start": time_histogram([record.us["start"] for record in firsts if record.cold and "start" in record.us]),
        "batches": _count(size.bit_length() - 1 for size in sizes),
        "batch_max": max(sizes, default=0),
        "batch_sum": sum(sizes),
    }


def _count[K: (str, int)](keys: Iterable[K]) -> dict[K, int]:
    return dict(sorted(Counter(keys).items()))


def _nested(pairs: Iterable[tuple[str, list[str]]]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for key, values in pairs:
        counts.setdefault(key, Counter()).update(set(values))
    return {key: dict(sorted(counts[key].items())) for key in sorted(counts)}


def _kinds(flag: Any) -> Iterable[tuple[str, list[str]]]:
    """feature → its kinds, from `{"age": ["a", "b"]}` or `{"age": "above"}`."""
    if not isinstance(flag, dict):
        return
    for name, kinds in flag.items():
        yield name, [kinds] if isinstance(kinds, str) else _texts(kinds)


def _texts(flag: Any) -> list[str]:
    return [text for text in flag if isinstance(text, str)] if isinstance(flag, list) else []
