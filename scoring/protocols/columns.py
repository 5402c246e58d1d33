"""Names that stand once for many rows: in a CSV header, in `dataframe_split.columns`, as tensors' names.

In an instance each value has its name beside it. A long name above fifty thousand short rows would become gigabytes of
instances, so names that no feature has are refused when, written out with every row, they would be more than a native
body may be. Features' own names need no such limit: each comes with a value, and values are limited by the body.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from scoring.errors import BadRequest

_MOST_CHARACTERS = 16 * 2**20  # as many as the bytes of a body, by default
_AROUND_NAME = 4  # quotes, a colon and a comma


def repeated(names: Iterable[str]) -> tuple[int, int] | None:
    """The places, counted from 0, of the first name that is there twice.

    >>> repeated(["age", "job", "age"])
    (0, 2)
    """
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in places:
            return places[name], place
        places[name] = place
    return None


def refuse_extra(field: str, names: Collection[str], features: Sequence[str], rows: int) -> None:
    """Raise `BadRequest` if names that no feature has would outgrow a body when each row repeats them."""
    known = frozenset(features)
    extra = [name for name in names if name not in known]
    if (sum(map(len, extra)) + _AROUND_NAME * len(extra)) * rows > _MOST_CHARACTERS:
        raise BadRequest(
            f"{field}: {len(extra):,} columns that no feature has are too much text for {rows:,} rows; leave them out"
        )
