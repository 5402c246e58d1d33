"""Predictions meet the truth: which record of an id counts, which label counts, and what is left over.

- Performance takes the newest record of an id, among the champion's records in the window (a `duplicate_id` record is
  none: it repeats an id within one request); coverage counts every call, so it is not made from this.
- The newest label by server time counts; ties go to the later blob, then to the later position. Rejected labels never
  count. `unmatched` ones count like any other once their instance is there.
- An id whose newest record has no score never enters performance, and is counted by its outcome.
- A challenger is joined by itself: the newest record of an id in each challenger version.
- Labels that came before the window are read too, because a label may precede its instance; they are counted only
  where they speak of an instance of the window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.report_format import Count, LabelArrival
from evaluation.wording import share

Key = tuple[str, str]  # version, role


@dataclass(frozen=True)
class Joined:
    """Scored instances beside their truth, by version and role, and how the labels came.

    Each table has the instances' columns, `truth_label` (JSON text) and `truth_value`.
    """

    pairs: dict[Key, pd.DataFrame]
    arrival: LabelArrival
    instances: int  # the champion's, one for each call
    repeated_ids: int
    conflicting_ids: int


def join(instances: pd.DataFrame, labels: pd.DataFrame, since: np.datetime64) -> Joined:
    """Join tables made by `evaluation.records_table`, both numbered by `position`; `since` is the window's start."""
    champion = instances[instances["role"] == "champion"]
    newest = _newest(champion[~champion["repeat"]])
    labels = labels[(labels["ts"] >= since) | labels["id"].isin(instances["id"])]
    counting = labels[labels["outcome"] != "rejected"]
    truth = _truth(counting)
    pairs = {key: _pair(part, truth) for key, part in _by_version(newest)}
    challengers = instances[(instances["role"] == "challenger") & ~instances["repeat"]]
    pairs |= {key: _pair(_newest(part), truth) for key, part in _by_version(challengers)}
    return Joined(
        pairs=pairs,
        arrival=_arrival(newest, labels, counting, truth),
        instances=len(champion),
        repeated_ids=len(champion) - champion["id"].nunique(),
        conflicting_ids=int((champion.groupby("id")["x_hash"].nunique() > 1).sum()),
    )


def _newest(rows: pd.DataFrame) -> pd.DataFrame:
    """The newest row of each id, in the order of the log."""
    latest = rows.sort_values(["ts", "position"], kind="stable").drop_duplicates("id", keep="last")
    return latest.sort_values("position")


def _truth(counting: pd.DataFrame) -> pd.DataFrame:
    newest = _newest(counting)[["id", "label", "value"]]
    return newest.rename(columns={"label": "truth_label", "value": "truth_value"})


def _by_version(rows: pd.DataFrame) -> list[tuple[Key, pd.DataFrame]]:
    keys = sorted(set(zip(rows["version"], rows["role"], strict=True)))
    return [(key, rows[(rows["version"] == key[0]) & (rows["role"] == key[1])]) for key in keys]


def _pair(rows: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["outcome"] == "scored"].merge(truth, on="id", how="inner")


def _arrival(newest: pd.DataFrame, labels: pd.DataFrame, counting: pd.DataFrame, truth: pd.DataFrame) -> LabelArrival:
    matched = newest[newest["id"].isin(truth["id"])]
    outcomes = matched["outcome"].value_counts().to_dict()
    scored, labelled = int((newest["outcome"] == "scored").sum()), int(outcomes.pop("scored", 0))
    delays = _delays_s(matched, counting)
    p50, p90 = np.quantile(delays, [0.5, 0.9]).tolist() if len(delays) else (None, None)
    return LabelArrival(
        labels=len(counting),
        matched=len(matched),
        scored=scored,
        labelled=labelled,
        join_rate=labelled / scored if scored else None,
        without_score=[
            Count(name=str(name), count=int(count), share=int(count) / len(matched), of="matched")
            for name, count in sorted(outcomes.items())
        ],
        corrected=_corrected(counting[counting["id"].isin(newest["id"])]),
        unmatched=int((~truth["id"].isin(newest["id"])).sum()),
        rejected=len(labels) - len(counting),
        delay_p50_s=p50,
        delay_p90_s=p90,
        delay_max_s=float(delays.max()) if len(delays) else None,
        sentence=_sentence(scored, labelled),
    )


def _corrected(counting: pd.DataFrame) -> int:
    """Ids whose newest label differs from an earlier one."""
    said = counting["label"].astype(object).where(counting["label"].notna(), counting["value"])
    return int((said.astype(str).groupby(counting["id"]).nunique() > 1).sum())


def _delays_s(matched: pd.DataFrame, counting: pd.DataFrame) -> NDArray[np.float64]:
    """Seconds from an instance to the first label of its id; 0 when the label came first."""
    if not len(matched):
        return np.empty(0)
    first = counting.groupby("id")["ts"].min()
    waited = matched["id"].map(first) - matched["ts"]
    seconds = np.asarray(waited.dt.total_seconds(), np.float64)
    return np.maximum(seconds, 0.0)


def _sentence(scored: int, labelled: int) -> str:
    if not scored:
        return "No instance was scored."
    if not labelled:
        which = "the only scored instance" if scored == 1 else f"any of the {scored:,} scored instances"
        return f"No label has come for {which}."
    return f"{labelled:,} of {scored:,} scored instances ({share(labelled / scored)}) have a label."
