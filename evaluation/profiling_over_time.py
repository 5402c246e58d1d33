"""Run times by hour or day: the quantiles that a model's owner may ask for, from profiles. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from evaluation.over_time import course, is_by_day, stretches
from evaluation.profile import Profile
from evaluation.report_format import Course, Level, Moment
from evaluation.time_bins import TimeHistogram, merge_times
from scoring.bundle import Manifest, Requirements

_NONE = TimeHistogram()


def profiling_courses(hours: Mapping[str, Sequence[Profile]], manifest: Manifest | None, version: str) -> list[Course]:
    """99 % of the requests, and of the cold starts where there were any, of `version` as champion."""
    asked = manifest.requirements if manifest else Requirements()
    found = [
        _course("p99_ms", "Run time of 99 % of requests", hours, version, _total, asked.p99_ms),
        _course("cold_start_ms", "Start time of 99 % of cold starts", hours, version, _start, asked.cold_start_ms),
    ]
    return [one for one in found if one.moments]


def _total(profile: Profile) -> TimeHistogram:
    return profile.times.get("total", _NONE)


def _start(profile: Profile) -> TimeHistogram:
    return profile.start


def _course(
    name: str,
    title: str,
    hours: Mapping[str, Sequence[Profile]],
    version: str,
    times_of: Callable[[Profile], TimeHistogram],
    limit_ms: float | None,
) -> Course:
    moments = []
    for start, inside in stretches(hours).items():
        own = [p for hour in inside for p in hours[hour] if (p.version, p.role) == (version, "champion")]
        times = merge_times([times_of(profile) for profile in own])
        us = times.quantile_us(0.99)
        if us is not None:
            value = us / 1000
            moments.append(Moment(start=start, value=value, n=times.n, level=_level(value, limit_ms)))
    by_day = is_by_day(list(hours))
    return course(name, title, moments, "Slower than allowed", by_day=by_day, unit="ms", threshold=limit_ms)


def _level(value_ms: float, limit_ms: float | None) -> Level:
    return "alert" if limit_ms is not None and value_ms > limit_ms else "ok"
