"""Frames of a blob in, profiles out: one for each model, version and role. Pure, and vectorised by column.

Reading a record costs its decoding; what is counted once for a request (times, batch size, cold start) is taken from
its row 0, which stands once in the log even when a request's records span frames or blobs. A line that is no record
is counted and left out.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from audit.records import Record, decode_record
from evaluation.bin_examples import NOT_THERE, OUTPUT, Places, each_of, examples_of, pool
from evaluation.binning import places_of, places_of_numbers, tally
from evaluation.confidence import confidence_of as confidence_in_bins
from evaluation.distinct import merge_sketches, sketch
from evaluation.kept_rows import (
    FARTHEST,
    LEAST_CONFIDENT,
    LONGEST_ID,
    ROWS,
    Hashes,
    Row,
    farthest,
    hashes_of,
    least_confident,
    places_of_first,
    row_of,
    sampled,
)
from evaluation.places import columns, confidence_of, feature_places, numbers_of, outputs_of, texts
from evaluation.profile import NO_VERSION, Distributions, Profile, merge
from evaluation.time_bins import time_histogram
from evaluation.training_sample import TrainingSample, read_sample
from scoring.bundle import Baseline, Bundle, Clusters, Manifest

Floats = NDArray[np.float64]
CHUNK = 20_000  # records profiled at once: enough for numpy, little for the memory
JUDGED = frozenset({"scored", "abstained", "failed"})
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
    sample: TrainingSample | None = None  # rows of the training data, to draw beside the instances


Lookup = Callable[[str, str], Reference | None]  # model, version → its bundle, None when it cannot be read


class BlobProfile(msgspec.Struct, frozen=True, kw_only=True):
    """All of one blob."""

    profiles: list[Profile]
    frames: int
    declared: int  # records by the frames' headers
    unreadable: int  # lines that are no record


def reference_of(bundle: Bundle) -> Reference:
    """The reference in a bundle; raises `BundleError`."""
    return Reference(bundle.manifest, bundle.baseline(), bundle.sha256, read_sample(bundle))


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
        missing=_count(name for record in judged for name in texts(record.flags.get("missing"))),
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
    """Histograms of judged instances in the baseline's bins, and the instances that are kept."""
    baseline = reference.baseline
    bins = {
        feature.name: baseline.features[feature.name]
        for feature in reference.manifest.features
        if feature.name in baseline.features and feature.redaction == "none"
    }
    answered = np.array([bool(record.y) for record in judged], bool)
    outputs = outputs_of(judged, list(baseline.outputs)) if answered.any() else {}
    places = feature_places(judged, bins)
    answers = {name: places_of(values, baseline.outputs[name]) for name, values in outputs.items()}
    distance = numbers_of([record.flags.get("distance") for record in judged])
    each = each_of([*(bins[name] for name in places), *baseline.outputs.values()])
    clusters, beyond = _clusters(judged, distance[~np.isnan(distance)], reference)
    confidence = np.full(len(judged), np.nan)
    confidence[answered] = confidence_of(outputs, int(answered.sum()))
    hashes = hashes_of([record.id for record in judged])
    rows = _rows(judged, hashes, sorted(bins), distance, confidence)
    return Distributions(
        n=len(judged),
        features={name: tally(column, bins[name]) for name, column in places.items()},
        outputs={name: tally(column, baseline.outputs[name]) for name, column in answers.items()},
        clusters=clusters,
        beyond=beyond,
        each=each,
        examples=examples_of(
            [record.id for record in judged], hashes, _columns(places, answers, answered, baseline), each
        ),
        rows=sampled(rows),
        farthest=farthest(rows),
        least_confident=least_confident(rows),
        confidence=confidence_in_bins(judged, reference.manifest),
    )


def _columns(
    places: Mapping[str, Places], answers: Mapping[str, Places], answered: NDArray[np.bool_], baseline: Baseline
) -> dict[str, Places]:
    """Pooled places by feature and by output, in the order of `Example.places`."""
    found: dict[str, Places] = {}
    for name in sorted(places):
        found[name] = pool(baseline.features[name])[places[name]]
        found[name][places[name] < 0] = NOT_THERE
    for name in sorted(baseline.outputs):
        own = found[f"{OUTPUT}{name}"] = np.full(len(answered), NOT_THERE, np.int32)
        if name in answers:
            own[answered] = pool(baseline.outputs[name])[answers[name]]
    return found


def _rows(
    judged: Sequence[Record], hashes: Hashes, names: Sequence[str], distance: Floats, confidence: Floats
) -> list[Row]:
    """Every row that may be kept: of the sample, of the farthest, of the least confident."""
    usable = np.where([len(record.id) <= LONGEST_ID for record in judged], 0.0, np.nan)
    distance = np.where(np.isfinite(distance), distance, np.nan)
    confidence = np.where(np.isfinite(confidence), confidence, np.nan)
    by_hash = hashes.astype(np.float64) + usable
    orders = [(ROWS, by_hash), (FARTHEST, usable - distance), (LEAST_CONFIDENT, usable + confidence)]
    wanted = sorted({place for most, order in orders for place in places_of_first(order, hashes, most)})
    table = zip(*columns([judged[place] for place in wanted], names), strict=True) if names else ([] for _ in wanted)
    rows = []
    for place, values in zip(wanted, table, strict=True):
        hidden = judged[place].redacted
        clear = [None if name in hidden else value for name, value in zip(names, values, strict=True)]
        own = row_of(judged[place], clear, int(hashes[place]), float(distance[place]), float(confidence[place]))
        rows.append(own)
    return rows


def _clusters(judged: Sequence[Record], distances: Floats, reference: Reference) -> tuple[Clusters | None, int]:
    before, calibration = reference.baseline.clusters, reference.manifest.calibration
    if before is None:
        return None, 0
    size = len(before.occupancy)
    numbers = [n for n in (record.flags.get("cluster") for record in judged) if type(n) is int and 0 <= n < size]
    beyond = 0 if calibration is None else int((distances > calibration.threshold).sum())
    occupancy = np.bincount(np.asarray(numbers, np.int64), minlength=size).tolist()
    return Clusters(
        occupancy=occupancy, distance=tally(places_of_numbers(distances, before.distance), before.distance)
    ), beyond


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
        yield name, [kinds] if isinstance(kinds, str) else texts(kinds)
