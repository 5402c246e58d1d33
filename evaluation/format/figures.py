"""What every section of a report is made of: verdicts, figures, counts, the window and findings."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["ok", "warn", "alert", "no data"]
Occasion = Literal["production", "preproduction"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a section comes to: one level, one plain sentence and the number that decided."""

    level: Level
    sentence: str
    figure: str | None = None  # name of the figure, feature or requirement that decided
    value: float | None = None
    before: float | None = None  # its preproduction value
    threshold: float | None = None


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One number, beside what it was before production."""

    name: str  # as in `Manifest.metrics`: accuracy, roc_auc, rmse, …
    title: str
    better: Literal["higher", "lower", "zero"]  # which direction is good
    unit: str | None = None
    value: float | None
    n: int  # instances it rests on
    low: float | None = None  # 95 % interval
    high: float | None = None
    interval: str | None = None  # how the interval was made
    status: str | None = None  # why `value` is null, or what to know about it
    before: float | None = None
    before_n: int | None = None
    before_low: float | None = None
    before_high: float | None = None
    level: Level = "no data"
    threshold: float | None = None  # the distance from `before` in the bad direction beyond which it alerts
    sentence: str = ""


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How many, of how many."""

    name: str
    count: int
    share: float | None = None
    of: str | None = None  # what it is a part of: an outcome, a feature


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The instances covered: those appended to the log from `since` up to, not including, `until`; whole hours."""

    kind: Literal["hour", "day", "week", "version", "all", "custom"]  # week: ISO, from Monday
    since: str  # RFC 3339, UTC
    until: str
    hours: int
    version: str | None = None  # of kind `version`: the one that first scored in the first hour


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something about the sources that a reader must know, such as bytes that do not verify."""

    blob: str
    what: str


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One figure in one stretch of the window: an hour, or a day when the window is longer than seven days."""

    start: str  # RFC 3339, UTC
    value: float | None
    n: int  # what it rests on
    low: float | None = None  # 95 % interval
    high: float | None = None
    level: Level = "no data"  # as this stretch alone would be judged


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """A figure over time, with what it is held against."""

    name: str  # as in `Figure`, or `drift:age`, `p99_ms`
    title: str
    unit: str | None = None
    before: float | None = None
    threshold: float | None = None  # the value, not the distance, at which the verdict turns
    moments: list[Moment] = []  # at most 168 hours or 400 days
    since: str | None = None  # start of the first moment beyond the threshold, when all moments after it are beyond too
    sentence: str = ""  # since when it is beyond the threshold; empty when it is not
