"""Coverage: sensible outputs ÷ calls, why the others failed, and whether the counts agree with each other.

Coverage = scored ÷ (instances of the champion + request errors), over all versions that were champion in the window.
Pure: profiles in, a section out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from audit.records import WHOLE_INSTANCE
from evaluation.distinct import distinct, merge_sketches
from evaluation.intervals import wilson
from evaluation.over_time import MOST_DAYS, stretches
from evaluation.profile import NO_VERSION, Profile, merge_by_key
from evaluation.report_format import (
    Count,
    Coverage,
    CoverageCounts,
    CoverageHour,
    CoverageVersion,
    FeatureRates,
    Figure,
    Level,
    Reconciliation,
    Verdict,
)
from evaluation.thresholds import Thresholds
from evaluation.verdicts import worst
from evaluation.wording import limit, share
from scoring.bundle import Baseline, Feature, Manifest, Metric

Merged = Mapping[tuple[str, str, str], Profile]


class LogFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the log itself says of its blobs, for the reconciliation."""

    declared: int  # records by the frames' headers, all models
    read: int  # records decoded, all models
    unreadable: int  # lines that are no record
    repeated_ids: int = 0
    conflicting_ids: int = 0
    counted: int = 0  # champion instances counted one by one from the log, for comparison with the profiles


def coverage_section(
    hours: Mapping[str, Sequence[Profile]],
    facts: LogFacts,
    manifest: Manifest | None,
    baseline: Baseline | None,
    version: str,
    thresholds: Thresholds,
) -> Coverage:
    """The section; `hours` maps an hour's start (RFC 3339) to the model's profiles in it."""
    merged = merge_by_key(profile for profiles in hours.values() for profile in profiles)
    counts = counts_of(merged.values())
    primary = next((p for key, p in merged.items() if key[1:] == (version, "champion")), None)
    figure = _figure(counts, manifest.metrics.get("coverage") if manifest else None, thresholds)
    features = _features(primary, manifest, baseline, thresholds)
    beyond, placed = _beyond(primary, manifest)
    return Coverage(
        verdict=_verdict(figure, counts, features),
        figure=figure,
        counts=counts,
        reasons=_reasons(merged, counts.calls),
        errors=_errors(merged),
        hours=_over_time(hours),
        versions=_versions(merged),
        features=features,
        whole=_whole(primary),
        outside_joint=beyond,
        outside_joint_rate=beyond / placed if placed else None,
        reconciliation=_reconcile(merged, facts),
    )


def counts_of(profiles: Iterable[Profile]) -> CoverageCounts:
    """Calls of the model by outcome: the champion's instances and the request errors."""
    outcomes = dict.fromkeys(("scored", "abstained", "rejected", "failed"), 0)
    errors = 0
    for profile in profiles:
        errors += sum(profile.request_errors.values())
        if profile.role == "champion":
            for outcome, count in profile.outcomes.items():
                outcomes[outcome if outcome in outcomes else "failed"] += count
    return _counts(outcomes, errors)


def _counts(outcomes: Mapping[str, int], errors: int) -> CoverageCounts:
    calls = sum(outcomes.values()) + errors
    return CoverageCounts(
        calls=calls,
        scored=outcomes["scored"],
        abstained=outcomes["abstained"],
        rejected=outcomes["rejected"],
        failed=outcomes["failed"],
        request_errors=errors,
        coverage=outcomes["scored"] / calls if calls else None,
    )


def measured_coverage(counts: CoverageCounts) -> Figure:
    """Coverage with its interval, not judged yet."""
    interval = wilson(counts.scored, counts.calls)
    return Figure(
        name="coverage",
        title="Coverage",
        better="higher",
        value=counts.coverage,
        n=counts.calls,
        low=None if interval is None else interval[0],
        high=None if interval is None else interval[1],
        interval=None if interval is None else "Wilson",
        status=None if counts.calls else "no calls",
    )


def _figure(counts: CoverageCounts, before: Metric | None, thresholds: Thresholds) -> Figure:
    level, threshold, sentence = _level(counts, wilson(counts.scored, counts.calls), thresholds)
    return msgspec.structs.replace(
        measured_coverage(counts),
        before=None if before is None else before.value,
        before_n=None if before is None else before.n,
        before_low=None if before is None else before.low,
        before_high=None if before is None else before.high,
        level=level,
        threshold=threshold,
        sentence=sentence,
    )


def _level(
    counts: CoverageCounts, interval: tuple[float, float] | None, thresholds: Thresholds
) -> tuple[Level, float, str]:
    warn, alert = thresholds.need("coverage_warn"), thresholds.need("coverage_alert")
    if counts.coverage is None or interval is None:
        return "no data", warn, "There were no calls in this window."
    calls = "the only call" if counts.calls == 1 else f"{counts.calls:,} calls"
    told = f"{share(counts.coverage)} of {calls} got a sensible output"
    if counts.coverage >= warn:
        return "ok", warn, f"{told}."
    if counts.coverage < alert and interval[1] < alert:
        return "alert", alert, f"{told}; at least {limit(alert)} are wanted."
    return "warn", warn, f"{told}; at least {limit(warn)} are wanted."


def _verdict(figure: Figure, counts: CoverageCounts, features: Sequence[FeatureRates]) -> Verdict:
    level = worst([figure.level, *(feature.level for feature in features)])
    if level in ("warn", "alert") and figure.level != level:
        feature = next(feature for feature in features if feature.level == level)
        return Verdict(
            level=level,
            sentence=f"{figure.sentence} {feature.sentence}",
            figure=feature.name,
            value=feature.missing_rate,
            before=feature.missing_before,
            threshold=feature.threshold,
        )
    return Verdict(
        level=figure.level,
        sentence=figure.sentence,
        figure="coverage" if counts.calls else None,
        value=figure.value,
        before=figure.before,
        threshold=figure.threshold if counts.calls else None,
    )


def _reasons(merged: Merged, calls: int) -> list[Count]:
    totals: dict[tuple[str, str], int] = {}
    for (_, _, role), profile in merged.items():
        if role == "champion":
            for outcome, reasons in profile.reasons.items():
                for reason, count in reasons.items():
                    totals[outcome, reason] = totals.get((outcome, reason), 0) + count
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return [
        Count(name=reason, count=count, share=count / calls if calls else None, of=outcome)
        for (outcome, reason), count in ordered
    ]


def _errors(merged: Merged) -> list[Count]:
    errors: dict[str, int] = {}
    for profile in merged.values():
        for reason, count in profile.request_errors.items():
            errors[reason] = errors.get(reason, 0) + count
    total = sum(errors.values())
    ordered = sorted(errors.items(), key=lambda item: (-item[1], item[0]))
    return [Count(name=name, count=count, share=count / total, of="request_error") for name, count in ordered]


def _over_time(hours: Mapping[str, Sequence[Profile]]) -> list[CoverageHour]:
    """One entry for each hour that has calls, or for each day when there are more than 168 hours."""
    entries = [
        CoverageHour(start=start, counts=counts_of(profile for hour in inside for profile in hours[hour]))
        for start, inside in stretches(hours).items()
    ]
    return [entry for entry in entries if entry.counts.calls][-MOST_DAYS:]


def _versions(merged: Merged) -> list[CoverageVersion]:
    found = []
    for (_, version, role), profile in merged.items():
        if version != NO_VERSION and role != "-":
            outcomes = dict.fromkeys(("scored", "abstained", "rejected", "failed"), 0) | profile.outcomes
            found.append(CoverageVersion(version=version, role=profile.role, counts=_counts(outcomes, 0)))  # type: ignore[arg-type]
    return found


def judged_instances(profile: Profile) -> int:
    """Instances that were of a form the model takes: all but the rejected ones."""
    return sum(count for outcome, count in profile.outcomes.items() if outcome != "rejected")


def _features(
    primary: Profile | None, manifest: Manifest | None, baseline: Baseline | None, thresholds: Thresholds
) -> list[FeatureRates]:
    if primary is None or manifest is None:
        return []
    n, rows = judged_instances(primary), baseline.rows if baseline else 0
    return [_rates(feature, primary, n, rows, thresholds) for feature in manifest.features]


def _whole(primary: Profile | None) -> list[Count]:
    """Artifacts of no single feature."""
    if primary is None:
        return []
    n = judged_instances(primary)
    found = sorted(primary.artifacts.get(WHOLE_INSTANCE, {}).items(), key=lambda item: (-item[1], item[0]))
    return [Count(name=kind, count=count, share=count / n if n else None, of=WHOLE_INSTANCE) for kind, count in found]


def _rates(feature: Feature, profile: Profile, n: int, rows: int, thresholds: Thresholds) -> FeatureRates:
    missing = profile.missing.get(feature.name, 0)
    kinds = sorted(profile.artifacts.get(feature.name, {}).items(), key=lambda item: (-item[1], item[0]))
    artifacts = profile.artifact_instances.get(feature.name, 0)
    outside = min(n, sum(profile.outside.get(feature.name, {}).values()))
    before = feature.missing_in_training / rows if rows else None
    limit = thresholds.need("missing_rise")
    level, sentence = _missing_level(feature.name, missing, n, before, limit)
    return FeatureRates(
        name=feature.name,
        instances=n,
        missing=missing,
        artifacts=artifacts,
        outside=outside,
        missing_rate=missing / n if n else None,
        missing_before=before,
        artifact_rate=artifacts / n if n else None,
        outside_rate=outside / n if n else None,
        kinds=[
            Count(name=kind, count=count, share=count / n if n else None, of=feature.name) for kind, count in kinds[:5]
        ],
        level=level,
        threshold=limit,
        sentence=sentence,
    )


def _missing_level(name: str, missing: int, n: int, before: float | None, limit: float) -> tuple[Level, str]:
    interval = wilson(missing, n)
    if interval is None or before is None:
        return "no data", f"{name}: no instance to judge by." if before is not None else f"{name}: no baseline."
    told = f"{name} is missing in {share(missing / n)} of the instances, in training in {share(before)}."
    if interval[0] - before > limit:
        return "alert", told
    return ("warn" if interval[0] - before > limit / 2 else "ok"), told


def _beyond(primary: Profile | None, manifest: Manifest | None) -> tuple[int, int]:
    """Instances beyond the joint threshold, and how many have a distance."""
    if primary is None or manifest is None:
        return 0, 0
    parts = [part for part in primary.distributions.values() if part.clusters]
    return sum(part.beyond for part in parts), sum(sum(p.clusters.distance.counts) for p in parts if p.clusters)


def _reconcile(merged: Merged, facts: LogFacts) -> Reconciliation:
    champion = sum(p.instances for p in merged.values() if p.role == "champion")
    challenger = sum(p.instances for p in merged.values() if p.role == "challenger")
    counts = counts_of(merged.values())
    outcomes = counts.calls - counts.request_errors
    requests = [p for p in merged.values() if p.role != "challenger"]
    findings = []
    if facts.declared != facts.read + facts.unreadable:
        findings.append(f"the frames declare {facts.declared:,} records, {facts.read:,} were read")
    if facts.unreadable:
        findings.append(f"{facts.unreadable:,} lines of the log are no records")
    if facts.counted != champion:
        findings.append(f"the profiles count {champion:,} instances, the log {facts.counted:,}")
    kinds, _ = distinct(_all_ids(requests))
    return Reconciliation(
        frame_records=facts.declared,
        read_records=facts.read,
        score_records=champion + challenger,
        champion_instances=champion,
        challenger_instances=challenger,
        outcomes=outcomes,
        requests=kinds,
        repeated_ids=facts.repeated_ids,
        conflicting_ids=facts.conflicting_ids,
        unreadable_lines=facts.unreadable,
        agrees=not findings,
        findings=findings,
    )


def _all_ids(profiles: Sequence[Profile]) -> bytes:
    return merge_sketches(profile.request_ids for profile in profiles)
