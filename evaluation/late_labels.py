"""Labels that came days after their instances: which days' reports should be made anew.

    profiles/labelled/date=2026-11-23/hour=14/{writer}-{n}.json     of one closed blob with labels: model → earlier days

Truth often comes late, and the report of a day counts only the labels known at its `as_of`. So each closed blob with
labels is asked once which earlier days they speak of, and the answer is kept, since neither changes again. Cheap: the
blob's index says whether there are labels at all, and the index of ids where their instances are; the log itself is
not read. An id that says when it was made (UUIDv7) is looked for on that day only, as in `audit.known_ids`.

Days more than 14 days before their labels are left alone: `python -m evaluation report` makes them anew at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from audit.errors import NotFound
from audit.id_index import hash_of, tag_of
from audit.id_lookup import look_up_all
from audit.id_segments import Segments
from audit.ids import id_time_s
from audit.layout import hour_start_s, parse_name
from audit.store import Store
from evaluation.blob_index import BlobIndex, index_name
from evaluation.records_table import labels_of_part
from evaluation.windows import DAY_S, HOUR_S

DAYS_BACK = 14
JSON = "application/json"
type LabelledDays = dict[str, list[str]]  # model → days before the blob's own, as `2026-11-23`


def labelled_days(derived: Store, indexes: Sequence[BlobIndex]) -> dict[tuple[str, str], str]:
    """(model, earlier day) → the newest hour (`2026/11/23/14`) with labels for its instances.

    `indexes` are of closed blobs; those without labels cost nothing. Raises `Unavailable`.
    """
    newest: dict[tuple[str, str], str] = {}
    segments: Segments | None = None
    for index in indexes:
        name = parse_name(index.blob)
        if name is None or not index.labels:
            continue
        found = _kept(derived, index)
        if found is None:
            segments = segments or Segments(derived)
            found = _looked_up(derived, segments, index, _before(name.hour))
            derived.put(_name(index), msgspec.json.encode(found), overwrite=True, content_type=JSON)
        for model, days in found.items():
            for day in days:
                newest[model, day] = max(newest.get((model, day), ""), name.hour)
    return newest


def _kept(derived: Store, index: BlobIndex) -> LabelledDays | None:
    try:
        return msgspec.json.decode(derived.read(_name(index)), type=dict[str, list[str]])
    except (NotFound, msgspec.DecodeError):
        return None


def _name(index: BlobIndex) -> str:
    return index_name(index.blob).replace("profiles/blobs/", "profiles/labelled/", 1)


def _before(hour: str) -> list[str]:
    """The days before an hour's that are looked at, in the log's form, the newest first."""
    start_s = hour_start_s(hour) or 0.0
    return [_day(start_s - back * DAY_S) for back in range(1, DAYS_BACK + 1)]


def _looked_up(derived: Store, segments: Segments, index: BlobIndex, days: Sequence[str]) -> LabelledDays:
    segments.refresh(days)
    found = {}
    for model in sorted(index.labels):
        labels = labels_of_part(derived.read(index.parts[model]))
        ids = set(labels["id"][labels["outcome"] != "rejected"])
        hit = [day for day in days if _any_scored(segments, model, _may_be_of(ids, day), day)]
        if hit:
            found[model] = [day.replace("/", "-") for day in sorted(hit)]
    return found


def _may_be_of(ids: Iterable[str], day: str) -> list[bytes]:
    """The hashes of the ids that may have been scored on a day."""
    return [hash_of(name) for name in ids if day in (_days_of(name) or (day,))]


def _days_of(name: str) -> tuple[str, ...]:
    """The days on which an id was scored, if it says when it was made."""
    made_s = id_time_s(name)
    return (_day(made_s), _day(made_s + HOUR_S)) if made_s is not None and 0 <= made_s < 2**37 else ()


def _any_scored(segments: Segments, model: str, hashes: Sequence[bytes], day: str) -> bool:
    if not hashes:
        return False
    tag = tag_of(model, "score")
    return any(
        entry.tag == tag
        for _, found in look_up_all(segments, hashes, {day})
        for entries in found.values()
        for entry in entries
    )


def _day(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y/%m/%d")
