"""The whole report, put together from what was read. Pure: the same evidence and `as_of` give the same report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from evaluation.coverage import LogFacts, coverage_section
from evaluation.distribution_drift import drift_section
from evaluation.drift_over_time import drift_courses
from evaluation.label_join import Joined
from evaluation.performance import performance_section
from evaluation.performance_over_time import performance_courses
from evaluation.profile import NO_VERSION, Profile, merge_by_key
from evaluation.profiler import Reference
from evaluation.profiling import profiling_section
from evaluation.profiling_over_time import profiling_courses
from evaluation.report_format import (
    SCHEMA,
    Audit,
    Finding,
    ModelFacts,
    Occasion,
    Performance,
    Report,
    Sources,
    Window,
)
from evaluation.thresholds import Thresholds
from evaluation.verdicts import overall
from evaluation.windows import preproduction_id, report_id
from scoring.bundle import Manifest, class_key

MOST_FINDINGS = 100


class BlobFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one blob."""

    name: str
    closed: bool
    frames: int
    declared: int  # records by the frames' headers, all models
    read: int  # records decoded, all models
    unreadable: int
    finding: str | None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a report is made from."""

    model: str
    window: Window
    as_of: str  # RFC 3339, UTC, microseconds
    hours: Mapping[str, Sequence[Profile]]  # start of every hour of the window that has begun → the model's profiles
    blobs: Sequence[BlobFacts]
    joined: Joined
    labels_until: str | None
    references: Mapping[str, Reference]  # by version, as far as the bundles can be read
    problems: Mapping[str, str]  # by version: why a bundle cannot be read
    findings: Sequence[Finding] = ()
    notes: Sequence[str] = ()
    occasion: Occasion = "production"


def build_report(
    evidence: Evidence,
    setting: Mapping[str, float] | None = None,
    audit: Audit | None = None,
    *,
    version: str | None = None,
) -> Report:
    """The report; `setting` are thresholds that override the bundle's, `audit` what `evaluation.audit_section` made,
    `version` what to speak of instead of the newest champion."""
    version = version or primary_version(evidence)
    reference = evidence.references.get(version)
    manifest = reference.manifest if reference else None
    baseline = reference.baseline if reference else None
    thresholds = Thresholds(manifest.thresholds if manifest else None, setting)
    merged = merge_by_key(profile for profiles in evidence.hours.values() for profile in profiles)
    manifests = {name: found.manifest for name, found in evidence.references.items()}
    coverage = coverage_section(evidence.hours, _log_facts(evidence), manifest, baseline, version, thresholds)
    champion = merged.get((evidence.model, version, "champion"))
    performance = performance_section(
        evidence.joined,
        manifests,
        version,
        thresholds,
        baseline=baseline,
        distributions=champion.distributions.get(reference.sha256) if champion and reference else None,
        hours=evidence.hours,
    )
    if evidence.occasion == "preproduction":  # an estimate would be held against the rows that it is calibrated by
        performance = _over_scored_rows(replace(performance, estimate=None), coverage.counts.calls)
    profiling = profiling_section(evidence.hours, manifest, version, evidence.occasion)
    sha256, sample = (reference.sha256, reference.sample) if reference else ("", None)
    drift = drift_section(champion, manifest, baseline, sha256, thresholds, sample)
    if evidence.occasion == "production":
        hours = evidence.hours
        performance = replace(
            performance, courses=performance_courses(evidence.joined, manifest, version, list(hours), thresholds)
        )
        profiling = replace(profiling, courses=profiling_courses(hours, manifest, version))
        drift = replace(drift, courses=drift_courses(drift, hours, baseline, (version, sha256), thresholds))
    sections = {
        "coverage": coverage.verdict,
        "performance": performance.verdict,
        "profiling": profiling.verdict,
        "drift": drift.verdict,
    }
    if audit is not None:
        sections["audit"] = audit.verdict
    return Report(
        schema=SCHEMA,
        occasion=evidence.occasion,
        id=_id(evidence),
        model=_model_facts(evidence, version, reference),
        window=evidence.window,
        as_of=evidence.as_of,
        provisional=bool(_why_provisional(evidence)),
        verdict=overall(sections),
        coverage=coverage,
        performance=performance,
        profiling=profiling,
        drift=drift,
        audit=audit,
        sources=_sources(evidence),
        thresholds=thresholds.listed(),
        notes=[*_why_provisional(evidence), *evidence.notes, *_notes(champion, reference, thresholds)],
    )


def primary_version(evidence: Evidence) -> str:
    """The version that the figures speak of: the champion with the newest record; without one, the newest bundle."""
    every = (profile for profiles in evidence.hours.values() for profile in profiles)
    champions = [profile for profile in every if profile.role == "champion"]
    if champions:
        return max(champions, key=lambda profile: (profile.last_ts or "", profile.version)).version
    known = [(found.manifest.created, version) for version, found in evidence.references.items()]
    return max(known)[1] if known else NO_VERSION


def _id(evidence: Evidence) -> str:
    if evidence.occasion == "preproduction":
        return preproduction_id(evidence.as_of)
    return report_id(evidence.window, evidence.as_of)


def _over_scored_rows(performance: Performance, rows: int) -> Performance:
    """Why figures differ from the export's, which knows the model's answer to every row: said where they stand."""
    scored = performance.labels.scored
    if scored == rows:
        return performance
    note = (
        f"{scored:,} of {rows:,} rows were scored, and the figures are over these alone, as in production. "
        "The export measured what the model answers to every row, also where it now abstains or the row is rejected."
    )
    return replace(performance, notes=[note, *performance.notes])


def _log_facts(evidence: Evidence) -> LogFacts:
    return LogFacts(
        declared=sum(blob.declared for blob in evidence.blobs),
        read=sum(blob.read for blob in evidence.blobs),
        unreadable=sum(blob.unreadable for blob in evidence.blobs),
        repeated_ids=evidence.joined.repeated_ids,
        conflicting_ids=evidence.joined.conflicting_ids,
        counted=evidence.joined.instances,
    )


def _model_facts(evidence: Evidence, version: str, reference: Reference | None) -> ModelFacts:
    if reference is None:
        why = evidence.problems.get(version, "there is no bundle of this version")
        return ModelFacts(name=evidence.model, version=version, bundle=None, task=None, problem=why)
    manifest = reference.manifest
    return ModelFacts(
        name=evidence.model,
        version=version,
        bundle=reference.sha256,
        task=manifest.task,
        created=manifest.created,
        description=manifest.description,
        target=manifest.target,
        target_unit=manifest.target_unit,
        classes=[class_key(label) for label in manifest.classes],
        positive=None if manifest.positive is None else class_key(manifest.positive),
        features=len(manifest.features),
        convergence=manifest.convergence,
        not_converged=manifest.criteria.not_converged,
        criteria=_criteria(manifest),
        data=[f"{name}: {value}" for name, value in sorted(manifest.data.items())],
    )


def _criteria(manifest: Manifest) -> list[str]:
    criteria, told = manifest.criteria, []
    if criteria.minimum_probability is not None:
        told.append(f"Abstains when the winning class has a probability under {criteria.minimum_probability:g}.")
    if criteria.output_minimum is not None:
        told.append(f"Abstains when the value is under {criteria.output_minimum:g}.")
    if criteria.output_maximum is not None:
        told.append(f"Abstains when the value is over {criteria.output_maximum:g}.")
    if criteria.joint == "abstain":
        told.append("Abstains from instances that are near none of the training clusters.")
    if criteria.not_converged == "abstain":
        told.append("Abstains if the fit has not converged.")
    strict = [feature for feature in manifest.features if feature.outside == "abstain"]
    outside = [feature.name for feature in strict if feature.type != "string"]
    unseen = [feature.name for feature in strict if feature.type == "string"]
    if outside:
        told.append(f"Abstains outside the training range of {', '.join(outside)}.")
    if unseen:
        told.append(f"Abstains from categories that training did not have of {', '.join(unseen)}.")
    return told


def _why_provisional(evidence: Evidence) -> list[str]:
    reasons = []
    still_open = sum(not blob.closed for blob in evidence.blobs)
    if still_open:
        reasons.append(f"Provisional: {still_open} blob{'s are' if still_open > 1 else ' is'} still open and may grow.")
    if evidence.occasion == "production" and evidence.as_of[:19] < evidence.window.until[:19]:
        reasons.append(f"Provisional: the window is not over yet, it ends at {evidence.window.until}.")
    return reasons


def _sources(evidence: Evidence) -> Sources:
    findings = [
        *evidence.findings,
        *(Finding(blob=blob.name, what=blob.finding) for blob in evidence.blobs if blob.finding),
    ]
    closed = sum(blob.closed for blob in evidence.blobs)
    return Sources(
        blobs_closed=closed,
        blobs_open=len(evidence.blobs) - closed,
        frames=sum(blob.frames for blob in evidence.blobs),
        records=sum(blob.read for blob in evidence.blobs),
        labels_until=evidence.labels_until,
        findings=findings[:MOST_FINDINGS],
        findings_total=len(findings),
    )


def _notes(champion: Profile | None, reference: Reference | None, thresholds: Thresholds) -> list[str]:
    notes = [f"There is no threshold {name!r}; it has no effect." for name in thresholds.unknown]
    if champion is not None and reference is not None:
        notes += [
            f"{count:,} instances were judged by policies of serving.toml beside the bundle's own, {policies}."
            for policies, count in champion.policies.items()
        ]
        foreign = sum(count for sha256, count in champion.bundles.items() if sha256 != reference.sha256)
        if foreign:
            notes.append(
                f"{foreign:,} instances were scored by another bundle of this version; they have no part in drift."
            )
    return notes
