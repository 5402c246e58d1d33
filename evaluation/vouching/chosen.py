"""Which instances of a window an auditor is shown: a sample, and the strangest. Pure: profiles and pairs in, ids out.

The sample. Each row that a profile keeps is one of the 500 of smallest id hash, so the 500 smallest of several profiles
are a sample of all their instances, whatever the order of merging. Of these the 20 of lowest lot are drawn, a lot being
the BLAKE2b of the text `{seed}:{id}` and the seed the model and the window: anybody draws the same again. (Bottom-k
sampling: E. Cohen, H. Kaplan, PODC 2007, https://doi.org/10.1145/1281100.1281133.) Not promised: that nobody foresees
it, since whoever chooses ids knows their hashes; `python -m audit sample` draws with a seed of the auditor's own.

The strangest. Farthest from any training centre and least confident are what the profiles keep; ties go to the
smallest hash. Wrong with high confidence are the labelled instances whose truth is another class, by their largest
probability (by the size of their score where the model gives no probabilities); of a regression those of largest error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from evaluation.kept_rows import sampled
from evaluation.label_indices import recorded_places
from evaluation.label_join import Joined
from evaluation.profile import Profile, Row
from scoring.bundle import Manifest

SAMPLE = 20
STRANGEST = 10

Measure = Literal["distance", "confidence", "score", "error"]


@dataclass(frozen=True)
class Chosen:
    """An instance by its id and server time, and the number by which it was chosen."""

    id: str
    ts: str
    measure: float | None = None


@dataclass(frozen=True)
class Wrong:
    """Labelled instances that the model was wrong about."""

    measure: Measure
    labelled: int
    wrong: int  # of a regression, those with an error at all
    chosen: list[Chosen]


def champions(profiles: Iterable[Profile]) -> list[Profile]:
    """The profiles that instances are chosen from."""
    return [profile for profile in profiles if profile.role == "champion"]


def sample(profiles: Iterable[Profile], seed: str, count: int = SAMPLE) -> list[Chosen]:
    """Instances drawn at random, in the order of their lots; each id once."""
    by_id = {row.id: row for row in reversed(sampled(_kept(profiles, "rows")))}
    drawn = sorted(by_id.values(), key=lambda row: (lot(seed, row.id), row.id))[:count]
    return [Chosen(row.id, row.ts) for row in drawn]


def lot(seed: str, instance_id: str) -> bytes:
    """An id's lot.

    >>> lot("wine:2026-11-23T00:00:00Z:2026-11-24T00:00:00Z", "bottle-7").hex()[:16]
    '919a2e8c0967c450'
    """
    return hashlib.blake2b(f"{seed}:{instance_id}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def farthest(profiles: Iterable[Profile]) -> list[Chosen]:
    """The instances of largest distance to any training centre."""
    return _strangest(profiles, "farthest", lambda row: row.distance, largest=True)


def least_confident(profiles: Iterable[Profile]) -> list[Chosen]:
    """The instances of smallest confidence."""
    return _strangest(profiles, "least_confident", lambda row: row.confidence, largest=False)


def wrong(joined: Joined, manifests: Mapping[str, Manifest], task: str | None) -> Wrong:
    """The labelled instances that a champion was most wrong about, of versions whose bundle can be read."""
    parts = [
        (_errors if manifests[version].task == "regression" else _misses)(rows, manifests[version])
        for (version, role), rows in sorted(joined.pairs.items())
        if role == "champion" and version in manifests and len(rows)
    ]
    measure: Measure = "error" if task == "regression" else "confidence"
    if not parts:
        return Wrong(measure, 0, 0, [])
    found = pd.concat([part for part, _, _ in parts], ignore_index=True)
    if any(own == "score" for _, _, own in parts):
        measure = "score"
    top = found[found["measure"] >= found["measure"].nlargest(STRANGEST).min()]
    top = top.sort_values(["measure", "id", "ts"], ascending=[False, True, True], kind="stable")[:STRANGEST]
    times = [f"{ts}Z" for ts in top["ts"].to_numpy("datetime64[us]").astype(str)]
    chosen = [
        Chosen(name, ts, value)
        for name, ts, value in zip(top["id"].tolist(), times, top["measure"].tolist(), strict=True)
    ]
    return Wrong(measure, sum(usable for _, usable, _ in parts), len(found), chosen)


def _kept(profiles: Iterable[Profile], name: str) -> list[Row]:
    return [row for one in profiles for kept in one.distributions.values() for row in getattr(kept, name)]


def _strangest(
    profiles: Iterable[Profile], name: str, measure: Callable[[Row], float | None], *, largest: bool
) -> list[Chosen]:
    rows = [(value, row) for row in _kept(profiles, name) if (value := measure(row)) is not None and np.isfinite(value)]
    rows.sort(key=lambda pair: (-pair[0] if largest else pair[0], pair[1].hash, pair[1].id, pair[1].ts))
    return [Chosen(row.id, row.ts, float(value)) for value, row in rows[:STRANGEST]]


Part = tuple[pd.DataFrame, int, Measure]  # the instances that were wrong, how many could be judged, by what they rank


def _errors(rows: pd.DataFrame, _manifest: Manifest) -> Part:
    """How far a regression was off."""
    off = np.abs(rows["value"].to_numpy(np.float64) - rows["truth_value"].to_numpy(np.float64))
    usable = np.isfinite(off)
    found = rows[["id", "ts"]].assign(measure=off)[usable & (off > 0)]
    return found, int(usable.sum()), "error"


def _misses(rows: pd.DataFrame, manifest: Manifest) -> Part:
    """Instances of another class than was said, by how sure the model was."""
    places = recorded_places(manifest.classes)
    truth = rows["truth_label"].map(places).fillna(-1).to_numpy(np.int64)
    said = rows["label"].map(places).fillna(-1).to_numpy(np.int64)
    usable = (truth >= 0) & (said >= 0)
    missed = rows[usable & (truth != said)]
    by_score = manifest.output.probabilities is None
    sure = missed["score"].abs().to_numpy(np.float64) if by_score else _confidences(missed["probabilities"].tolist())
    found = missed[["id", "ts"]].assign(measure=sure)[np.isfinite(sure)]
    return found, int(usable.sum()), "score" if by_score else "confidence"


def _confidences(given: Sequence[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The largest probability of each answer, NaN where there is none."""
    shares = [[p for p in one.values() if isinstance(p, float | int)] if isinstance(one, dict) else [] for one in given]
    return np.array([max(row, default=np.nan) for row in shares], np.float64)
