"""Side by side: two versions, two windows, or the champion and its challengers. Pure.

The first side is what the others are held against, figure by figure, by the rule that reports use: worse beyond chance
warns, worse by more than the figure's margin alerts. Each side's figures rest on the labelled instances of its own; of
two versions that scored different instances, a difference may lie in the instances.

Of two windows the distributions are compared too, the first being the baseline: they must be in the same bins, so of a
version and bundle that was champion in both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from evaluation.coverage import measured_coverage
from evaluation.distribution_drift import drift_section
from evaluation.format.comparison import SCHEMA, Comparison, Difference, Side
from evaluation.pages import numbers
from evaluation.profile import Distributions, Profile, Role, merge_by_key
from evaluation.profiling import STAGES, stage_times
from evaluation.report import Evidence, build_report, primary_version
from evaluation.report_format import CoverageCounts, Drift, Figure, Report, StageTimes, Verdict
from evaluation.thresholds import Thresholds
from evaluation.verdicts import judged, worsening, worst
from evaluation.wording import share
from scoring.bundle import SCHEMA as BUNDLE_SCHEMA
from scoring.bundle import Baseline, Metric

MOST_SIDES = 20
OWN_INSTANCES = (
    "Each side has the figures of its own labelled instances; where these are not the same, a difference may lie in "
    "the instances."
)
Setting = Mapping[str, float] | None


def compare_versions(evidence: Evidence, versions: Sequence[str], setting: Setting = None) -> Comparison:
    """Versions in one window, the first of them the measure; raises `ValueError` for one that did not score in it."""
    sides = [_version_side(evidence, version, setting) for version in versions]
    return _comparison("versions", [evidence], sides, setting)


def compare_challengers(evidence: Evidence, setting: Setting = None) -> Comparison:
    """The champion and every challenger of one window; raises `ValueError` when there is none."""
    merged = merge_by_key(profile for profiles in evidence.hours.values() for profile in profiles)
    challengers = sorted(version for _, version, role in merged if role == "challenger")
    if not challengers:
        raise ValueError(
            "no challenger scored in this window; serving.toml names challengers, docs/scoring.md says how"
        )
    role = _role(evidence, primary_version(evidence))
    report = build_report(evidence, setting)
    champion = _SIDES[role](evidence, report, report.model.version)
    others = [_challenger_side(evidence, report, version) for version in challengers[: MOST_SIDES - 1]]
    found = _comparison("challengers", [evidence], [champion, *others], setting)
    left_out = len(challengers) - len(others)
    return replace(found, notes=[*found.notes, f"{left_out} more challengers scored."]) if left_out else found


def compare_windows(first: Evidence, second: Evidence, setting: Setting = None) -> Comparison:
    """Two windows of one model."""
    sides = [_window_side(evidence, build_report(evidence, setting)) for evidence in (first, second)]
    found = _comparison("windows", [first, second], sides, setting)
    drift = _drift_between(first, second, setting)
    if isinstance(drift, str):
        return replace(found, notes=[*found.notes, drift])
    (difference,) = found.differences
    difference = _decided(replace(difference, drift=drift))
    return replace(found, differences=[difference], verdict=difference.verdict)


def _version_side(evidence: Evidence, version: str, setting: Setting) -> Side:
    role = _role(evidence, version)
    report = build_report(evidence, setting, version=version if role == "champion" else None)
    return _SIDES[role](evidence, report, version)


def _role(evidence: Evidence, version: str) -> Role:
    """The role that a version is looked at in; raises `ValueError` for one that has not scored in the window."""
    roles: dict[str, set[Role]] = {}
    for profiles in evidence.hours.values():
        for profile in profiles:
            if profile.role != "-":
                roles.setdefault(profile.version, set()).add(profile.role)
    if version not in roles:
        known = ", ".join(sorted(roles)) or "none"
        raise ValueError(f"version {version!r} has not scored in this window; those that have: {known}")
    return "champion" if "champion" in roles[version] else "challenger"


def _champion_side(evidence: Evidence, report: Report, version: str) -> Side:
    return Side(
        label=f"version {version}",
        version=version,
        role="champion",
        window=evidence.window,
        verdicts={name: getattr(report, name).verdict for name in ("performance", "profiling", "drift")},
        counts=_counts(report, version, "champion"),
        figures=report.performance.figures,
        times=_times(evidence, version, "champion"),
    )


def _challenger_side(evidence: Evidence, report: Report, version: str) -> Side:
    found = [one for one in report.performance.others if (one.version, one.role) == (version, "challenger")]
    return Side(
        label=f"challenger {version}",
        version=version,
        role="challenger",
        window=evidence.window,
        counts=_counts(report, version, "challenger"),
        figures=found[0].figures if found else [],
        times=_times(evidence, version, "challenger"),
    )


_SIDES: dict[Role, Callable[[Evidence, Report, str], Side]] = {
    "champion": _champion_side,
    "challenger": _challenger_side,
}


def _window_side(evidence: Evidence, report: Report) -> Side:
    return Side(
        label=numbers.window(evidence.window),
        version=report.model.version,
        role="champion",
        window=evidence.window,
        verdicts={name: getattr(report, name).verdict for name in ("coverage", "performance", "profiling", "drift")},
        counts=report.coverage.counts,
        figures=report.performance.figures,
        times=_times(evidence, report.model.version, "champion"),
    )


def _counts(report: Report, version: str, role: str) -> CoverageCounts:
    return next(one.counts for one in report.coverage.versions if (one.version, one.role) == (version, role))


def _times(evidence: Evidence, version: str, role: str) -> list[StageTimes]:
    profile = _merged(evidence, version, role)
    if profile is None:
        return []
    times = {name: profile.times[name] for name in STAGES if name in profile.times}
    found = [stage_times(name, STAGES[name], held) for name, held in times.items()]
    if profile.start.n:
        found.append(stage_times("start", "Process start to encoded results", profile.start))
    return [replace(stage, edges_ms=[], counts=[]) for stage in found]


def _merged(evidence: Evidence, version: str, role: str) -> Profile | None:
    own = (p for profiles in evidence.hours.values() for p in profiles if (p.version, p.role) == (version, role))
    return next(iter(merge_by_key(own).values()), None)


def _comparison(kind: str, evidence: Sequence[Evidence], sides: list[Side], setting: Setting) -> Comparison:
    first, *others = sides
    reference = evidence[-1].references.get(others[0].version)
    thresholds = Thresholds(reference.manifest.thresholds if reference else None, setting)
    differences = [_difference(first, other, thresholds) for other in others]
    level = worst(one.verdict.level for one in differences)
    return Comparison(
        schema=SCHEMA,
        kind=kind,  # type: ignore[arg-type]
        model=evidence[0].model,
        as_of=evidence[0].as_of,
        provisional=any(not blob.closed for one in evidence for blob in one.blobs)
        or any(one.as_of[:19] < one.window.until[:19] for one in evidence),
        verdict=next(one.verdict for one in differences if one.verdict.level == level),
        sides=sides,
        differences=differences,
        notes=[OWN_INSTANCES],
    )


def _difference(first: Side, other: Side, thresholds: Thresholds) -> Difference:
    before = {figure.name: figure for figure in [measured_coverage(first.counts), *first.figures]}
    pairs = [(figure, before.get(figure.name)) for figure in [measured_coverage(other.counts), *other.figures]]
    known = [(figure, held) for figure, held in pairs if held is not None]
    figures = [_held_against(figure, held, first.label, thresholds, len(known)) for figure, held in known]
    nothing = Verdict(level="no data", sentence="")
    return _decided(Difference(label=other.label, figures=figures, verdict=nothing))


def _held_against(figure: Figure, first: Figure, label: str, thresholds: Thresholds, tested: int) -> Figure:
    """The figure with the first side's as what was before, and in words which of them is worse."""
    if figure.value is None or first.value is None:
        why = figure.status or first.status or "not measured"
        missing = f"{figure.title}: {why}."
        return replace(figure, before=first.value, before_n=first.n, level="no data", threshold=None, sentence=missing)
    before = Metric(value=first.value, n=first.n, low=first.low, high=first.high)
    found = judged(figure, before, thresholds, tested=tested)
    write = share if figure.name == "coverage" else numbers.number
    told = f"{figure.title} is {write(figure.value)}, against {write(first.value)} of {label}"
    needed = thresholds.need("labelled_minimum")
    if min(figure.n, first.n) < needed:
        few = f"{told}; {min(figure.n, first.n):,} instances are too few for a verdict, {needed:,.0f} are needed."
        return replace(found, level="no data", sentence=few)
    if found.level == "ok" and _is_better(figure, first):
        return replace(found, sentence=f"{told}: better beyond chance.")
    return replace(found, sentence=f"{told}: {found.sentence.rpartition(': ')[2]}")


def _is_better(figure: Figure, first: Figure) -> bool:
    """Whether the first would be worse beyond chance, held against this one."""
    by, noise = worsening(first, Metric(value=figure.value or 0.0, n=figure.n, low=figure.low, high=figure.high))
    return by > noise


def _decided(difference: Difference) -> Difference:
    """The difference with its verdict: the worst of its figures and its drift."""
    drift = difference.drift.verdict if difference.drift else None
    level = worst([figure.level for figure in difference.figures] + ([drift.level] if drift else []))
    figure = next((one for one in difference.figures if one.level == level), None)
    if level == "ok":
        verdict = Verdict(level="ok", sentence=f"Nothing of {difference.label} is worse beyond chance.")
    elif figure is not None:
        verdict = Verdict(
            level=level,
            sentence=figure.sentence,
            figure=figure.name,
            value=figure.value,
            before=figure.before,
            threshold=figure.threshold,
        )
    else:
        verdict = drift or Verdict(level="no data", sentence="There is nothing to compare.")
    return replace(difference, verdict=verdict)


def _drift_between(first: Evidence, second: Evidence, setting: Setting) -> Drift | str:
    """The second window's distributions against the first's, or why that cannot be said."""
    version = primary_version(second)
    reference = second.references.get(version)
    if reference is None:
        return f"Drift between the windows is not known: the bundle of version {version} cannot be read."
    thresholds = Thresholds(reference.manifest.thresholds, setting)
    profile = _merged(second, version, "champion")
    held = _merged(first, version, "champion")
    before = held.distributions.get(reference.sha256) if held else None
    if before is None or before.n < thresholds.need("drift_minimum"):
        counted = numbers.counted(before.n if before else 0, "instance")
        return (
            f"Drift between the windows is not known: the first has {counted} of version {version} and its bundle, "
            f"{thresholds.need('drift_minimum'):,.0f} are needed."
        )
    return drift_section(profile, reference.manifest, _as_baseline(before), reference.sha256, thresholds)


def _as_baseline(before: Distributions) -> Baseline:
    return Baseline(
        schema=BUNDLE_SCHEMA,
        rows=before.n,
        test_rows=before.n,
        features=before.features,
        outputs=before.outputs,
        clusters=before.clusters,
    )
