"""A profile: what one closed blob, or any number of them, says of one model, version and role, in bounded space.

Everything in it is a count, a sum of whole numbers, a maximum, or a sketch, and its bins come from the baseline and
never move. So `merge` is exact, associative and commutative, an hour is the merge of its blobs and a day of its
hours, and a report on a year costs the merge of its hours, not a read of its records.

Request errors and labels have no version and no role: they stand in a profile of version `-` and role `-`.

Instances count for distributions when they were judged to be something that the model can take: outcome `scored`,
`abstained` or `failed`. What a rejected instance holds may be anything, and is not in any histogram. Distributions
are kept by bundle, since bins belong to a bundle; records of a bundle that could not be read have none. A value that
the log does not hold in clear is in no histogram: it is neither missing nor unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np

from evaluation.bin_examples import Example as Example
from evaluation.bin_examples import kept_examples
from evaluation.confidence import Confidence, merge_confidence
from evaluation.distinct import Sketch, merge_sketches
from evaluation.kept_rows import Row as Row
from evaluation.kept_rows import farthest, least_confident, sampled
from evaluation.time_bins import TimeHistogram, merge_times
from scoring.bundle import Clusters, Histogram

SCHEMA = 3
NO_VERSION = "-"

Role = Literal["champion", "challenger", "-"]


class Distributions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Histograms in one bundle's bins; the histograms of `n` instances."""

    n: int
    features: dict[str, Histogram] = {}
    outputs: dict[str, Histogram] = {}
    clusters: Clusters | None = None
    beyond: int = 0  # instances farther from any centre than the threshold
    each: int = 0  # instances that each bin keeps, by how many bins there are
    examples: list[Example] = []  # those of smallest hash in each bin
    confidence: Confidence | None = None  # of scored instances, classifiers with probabilities only
    rows: list[Row] = []  # the 500 of smallest hash
    farthest: list[Row] = []  # the 50 of largest distance, ties by hash
    least_confident: list[Row] = []  # the 50 of smallest confidence, ties by hash


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counts of one model, version and role; see the module."""

    schema: int = SCHEMA
    model: str
    version: str
    role: Role
    records: int = 0
    first_ts: str | None = None
    last_ts: str | None = None
    bundles: dict[str, int] = {}  # SHA-256 → instances
    outcomes: dict[str, int] = {}
    reasons: dict[str, dict[str, int]] = {}  # outcome → reason → instances
    missing: dict[str, int] = {}  # feature → judged instances
    artifacts: dict[str, dict[str, int]] = {}  # feature → kind → judged instances
    artifact_instances: dict[str, int] = {}  # feature → judged instances with an artifact of any kind
    outside: dict[str, dict[str, int]] = {}  # feature → side → judged instances
    redacted: dict[str, int] = {}  # feature → judged instances whose value the log does not hold in clear
    policies: dict[str, int] = {}  # fingerprint of policies beside the bundle's → instances
    request_errors: dict[str, int] = {}  # reason → requests
    labels: dict[str, int] = {}  # outcome of the label → records
    requests: int = 0  # of instances: records of row 0; of errors: their records
    request_ids: Sketch = b""
    distributions: dict[str, Distributions] = {}  # by bundle
    times: dict[str, TimeHistogram] = {}  # stage → of requests
    append: TimeHistogram = TimeHistogram()  # of the frames that carried its records
    start: TimeHistogram = TimeHistogram()  # of cold starts
    batches: dict[int, int] = {}  # b → requests with from 2^b to 2^(b + 1) − 1 instances
    batch_max: int = 0
    batch_sum: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        """Model, version, role."""
        return self.model, self.version, self.role

    @property
    def instances(self) -> int:
        """Score records."""
        return sum(self.outcomes.values())


_decoder = msgspec.json.Decoder(Profile)


def merge(profiles: Sequence[Profile]) -> Profile:
    """One profile of all their records; raises `ValueError` without any, or when they speak of different things."""
    if not profiles:
        raise ValueError("nothing to merge: at least one profile is needed")
    if len({profile.key for profile in profiles}) > 1:
        raise ValueError(f"profiles of different models, versions or roles: {sorted({p.key for p in profiles})}")
    first = profiles[0]
    if len(profiles) == 1:
        return first
    return Profile(
        model=first.model,
        version=first.version,
        role=first.role,
        records=sum(p.records for p in profiles),
        first_ts=min((p.first_ts for p in profiles if p.first_ts), default=None),
        last_ts=max((p.last_ts for p in profiles if p.last_ts), default=None),
        bundles=_add(p.bundles for p in profiles),
        outcomes=_add(p.outcomes for p in profiles),
        reasons=_by_key([p.reasons for p in profiles], _add),
        missing=_add(p.missing for p in profiles),
        artifacts=_by_key([p.artifacts for p in profiles], _add),
        artifact_instances=_add(p.artifact_instances for p in profiles),
        outside=_by_key([p.outside for p in profiles], _add),
        redacted=_add(p.redacted for p in profiles),
        policies=_add(p.policies for p in profiles),
        request_errors=_add(p.request_errors for p in profiles),
        labels=_add(p.labels for p in profiles),
        requests=sum(p.requests for p in profiles),
        request_ids=merge_sketches(p.request_ids for p in profiles),
        distributions=_by_key([p.distributions for p in profiles], _merge_distributions),
        times=_by_key([p.times for p in profiles], merge_times),
        append=merge_times([p.append for p in profiles]),
        start=merge_times([p.start for p in profiles]),
        batches=_add(p.batches for p in profiles),
        batch_max=max(p.batch_max for p in profiles),
        batch_sum=sum(p.batch_sum for p in profiles),
    )


def merge_by_key(profiles: Iterable[Profile]) -> dict[tuple[str, str, str], Profile]:
    """One merged profile for each model, version and role."""
    groups: dict[tuple[str, str, str], list[Profile]] = {}
    for profile in profiles:
        groups.setdefault(profile.key, []).append(profile)
    return {key: merge(groups[key]) for key in sorted(groups)}


def encode_profile(profile: Profile) -> bytes:
    """The profile as JSON."""
    return msgspec.json.encode(profile)


def decode_profile(data: bytes) -> Profile:
    """Read a stored profile; raises `msgspec.DecodeError`, or `ValueError` for another version of the format."""
    profile = _decoder.decode(data)
    if profile.schema != SCHEMA:
        raise ValueError(f"profile of schema {profile.schema}, this code reads {SCHEMA}; profile its blob again")
    return profile


def _add[K: (str, int)](parts: Iterable[Mapping[K, int]]) -> dict[K, int]:
    total: dict[K, int] = {}
    for part in parts:
        for key, count in part.items():
            total[key] = total.get(key, 0) + count
    return dict(sorted(total.items()))


def _by_key[T](parts: Sequence[Mapping[str, T]], merge_values: Callable[[list[T]], T]) -> dict[str, T]:
    keys = sorted({key for part in parts for key in part})
    return {key: merge_values([part[key] for part in parts if key in part]) for key in keys}


def _merge_distributions(parts: Sequence[Distributions]) -> Distributions:
    return Distributions(
        n=sum(p.n for p in parts),
        features=_by_key([p.features for p in parts], merge_histograms),
        outputs=_by_key([p.outputs for p in parts], merge_histograms),
        clusters=_merge_clusters([p.clusters for p in parts if p.clusters]),
        beyond=sum(p.beyond for p in parts),
        each=max(p.each for p in parts),
        examples=kept_examples((example for part in parts for example in part.examples), max(p.each for p in parts)),
        rows=sampled(row for part in parts for row in part.rows),
        farthest=farthest(row for part in parts for row in part.farthest),
        least_confident=least_confident(row for part in parts for row in part.least_confident),
        confidence=merge_confidence([p.confidence for p in parts]),
    )


def _merge_clusters(parts: Sequence[Clusters]) -> Clusters | None:
    if not parts:
        return None
    return Clusters(
        occupancy=np.sum([p.occupancy for p in parts], axis=0).tolist(),
        distance=merge_histograms([p.distance for p in parts]),
    )


def merge_histograms(parts: Sequence[Histogram]) -> Histogram:
    """The histogram of all their values; raises `ValueError` when the bins differ."""
    first = parts[0]
    if any((p.edges, p.categories) != (first.edges, first.categories) for p in parts[1:]):
        raise ValueError("histograms with different bins cannot be merged")
    return Histogram(
        edges=first.edges,
        categories=first.categories,
        counts=np.sum([p.counts for p in parts], axis=0).tolist(),
        missing=sum(p.missing for p in parts),
        unseen=sum(p.unseen for p in parts),
    )
