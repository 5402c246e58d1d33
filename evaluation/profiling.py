"""Profiling: what the champion's requests took, against the run times that the model's owner asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from evaluation.profile import Profile, merge_by_key
from evaluation.report_format import Level, Occasion, Profiling, RequirementCheck, SizeBin, StageTimes, Verdict
from evaluation.time_bins import EDGES_US, ERROR, TimeHistogram
from evaluation.verdicts import worst
from scoring.bundle import Manifest

STAGES = {
    "total": "Whole request, without the wait for the log",
    "decode": "Decoding the request",
    "judge": "Judging the instances",
    "infer": "Running the model",
    "encode": "Encoding the results",
}
HOUR_S = 3600


def profiling_section(
    hours: Mapping[str, Sequence[Profile]],
    manifest: Manifest | None,
    version: str,
    occasion: Occasion = "production",
) -> Profiling:
    """The section, of one version as champion; `hours` maps an hour's start to the model's profiles in it.

    Before production there is neither a log in storage to wait for, nor a process that starts, nor traffic that has a
    rate, so nothing is said of them.
    """
    own = {hour: [p for p in hours[hour] if (p.version, p.role) == (version, "champion")] for hour in sorted(hours)}
    merged = merge_by_key(profile for profiles in own.values() for profile in profiles)
    if not merged:
        return Profiling(
            verdict=Verdict(level="no data", sentence="No request was answered in this window."),
            requests=0,
            instances=0,
        )
    profile = next(iter(merged.values()))
    checks = _checks(profile, manifest, occasion)
    if occasion == "preproduction":
        return _of_requests(profile, checks)
    busiest, most = max(((hour, _instances(own[hour])) for hour in own), key=lambda item: (item[1], item[0]))
    cold = profile.start.n
    waiting = [stage_times("append", "Waiting for the log", profile.append)] if profile.append.n else []
    section = _of_requests(profile, checks)
    return msgspec.structs.replace(
        section,
        stages=[*section.stages, *waiting],
        cold_starts=cold,
        cold_share=cold / profile.requests if profile.requests else None,
        cold_ms=stage_times("start", "Process start to encoded results", profile.start) if cold else None,
        instances_per_s=profile.instances / (len(hours) * HOUR_S),
        busiest_hour=busiest,
        busiest_instances_per_s=most / HOUR_S,
    )


def _of_requests(profile: Profile, checks: list[RequirementCheck]) -> Profiling:
    """What every request tells, wherever it was answered."""
    return Profiling(
        verdict=_verdict(profile, checks),
        requests=profile.requests,
        instances=profile.instances,
        stages=_stages(profile),
        batch_sizes=[SizeBin(low=2**b, high=2 ** (b + 1) - 1, requests=n) for b, n in sorted(profile.batches.items())],
        batch_max=profile.batch_max or None,
        batch_mean=profile.batch_sum / profile.requests if profile.requests else None,
        requirements=checks,
    )


def stage_times(name: str, title: str, times: TimeHistogram) -> StageTimes:
    """Quantiles and the used stretch of the histogram, in milliseconds."""
    used = sorted(times.counts)
    stretch = range(used[0], used[-1] + 1) if used else range(0)
    last = len(EDGES_US) - 1
    edges = [float(EDGES_US[min(bin_, last)]) / 1000 for bin_ in [*stretch, stretch.stop]] if used else []
    return StageTimes(
        name=name,
        title=title,
        n=times.n,
        p50_ms=_ms(times.quantile_us(0.5)),
        p90_ms=_ms(times.quantile_us(0.9)),
        p99_ms=_ms(times.quantile_us(0.99)),
        max_ms=_ms(float(times.max_us)) if times.n else None,
        mean_ms=times.sum_us / times.n / 1000 if times.n else None,
        error=ERROR,
        edges_ms=edges,
        counts=[times.counts.get(bin_, 0) for bin_ in stretch],
    )


def _stages(profile: Profile) -> list[StageTimes]:
    return [stage_times(name, title, profile.times[name]) for name, title in STAGES.items() if name in profile.times]


def _instances(profiles: Sequence[Profile]) -> int:
    return sum(profile.instances for profile in profiles)


def _checks(profile: Profile, manifest: Manifest | None, occasion: Occasion) -> list[RequirementCheck]:
    if manifest is None:
        return []
    asked = manifest.requirements
    total = profile.times.get("total", TimeHistogram())
    found = []
    if asked.p99_ms is not None:
        found.append(_check("p99_ms", "99 % of the requests", asked.p99_ms, total))
    if asked.cold_start_ms is not None:
        check = _check("cold_start_ms", "99 % of the cold starts", asked.cold_start_ms, profile.start)
        found.append(_not_yet(check) if occasion == "preproduction" else check)
    return found


def _not_yet(check: RequirementCheck) -> RequirementCheck:
    limit = _duration(check.limit_ms or 0.0)
    return msgspec.structs.replace(
        check, sentence=f"Cold starts can be measured in production only; {limit} are allowed."
    )


def _check(name: str, title: str, limit_ms: float, times: TimeHistogram) -> RequirementCheck:
    measured = _ms(times.quantile_us(0.99))
    if measured is None:
        what = "cold start" if name == "cold_start_ms" else "request"
        level: Level = "no data"
        sentence = f"{title}: there was no {what} in this window; {_duration(limit_ms)} are allowed."
    else:
        level = "ok" if measured <= limit_ms else "alert"
        limit = f"{_duration(limit_ms)} are allowed" if level == "ok" else f"only {_duration(limit_ms)} are allowed"
        sentence = f"{title} took at most {_duration(measured)}; {limit}."
    return RequirementCheck(
        name=name, title=title, limit_ms=limit_ms, measured_ms=measured, n=times.n, level=level, sentence=sentence
    )


def _verdict(profile: Profile, checks: Sequence[RequirementCheck]) -> Verdict:
    level = worst(check.level for check in checks)
    if level == "no data":
        p99 = _ms(profile.times.get("total", TimeHistogram()).quantile_us(0.99))
        if p99 is None:
            return Verdict(level="no data", sentence="No run time was recorded in this window.")
        requests = "The only request" if profile.requests == 1 else f"99 % of {profile.requests:,} requests"
        sentence = f"{requests} took at most {_duration(p99)}; the bundle asks for no limit."
        return Verdict(level="ok", sentence=sentence, figure="p99_ms", value=p99)
    decisive = next(check for check in checks if check.level == level)
    return Verdict(
        level=level,
        sentence=decisive.sentence,
        figure=decisive.name,
        value=decisive.measured_ms,
        threshold=decisive.limit_ms,
    )


def _ms(us: float | None) -> float | None:
    return None if us is None else us / 1000


def _duration(ms: float) -> str:
    """Milliseconds as a person says them.

    >>> _duration(1974.2), _duration(50.0), _duration(0.074)
    ('1.97 s', '50 ms', '0.074 ms')
    """
    return f"{ms / 1000:.3g} s" if ms >= 1000 else f"{ms:.3g} ms"
