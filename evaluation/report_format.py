"""`report.json`: everything that a report says, before anybody draws it.

One report speaks of one model, one window of time and one moment (`as_of`): it covers the instances scored in the
window, with the labels known at that moment. The pages render these structs and the JSON routes send them as they
are, so what cannot be found here is not in any report. Promises:

- numbers are finite or null, and a null stands beside a `status` that says why;
- every judged figure has its preproduction value, its threshold and one of four levels: `ok`, `warn`, `alert`,
  `no data`;
- lists are bounded whatever the number of instances (each field says by what), so the file stays small;
- the same log, bundle and `as_of` give the same bytes; what the sample's replay says depends on the machine as well.

The format has a version, `schema`. Adding a field with a default keeps the version; renaming, removing or changing
the meaning of one raises it, and the old structs stay readable. `docs/report.schema.json` is generated from this
module (`python -m evaluation schema`), and a test compares the two.
"""

from __future__ import annotations

from evaluation.format.audit import (
    Audit,
    AuditedInstance,
    AuditorNote,
    AuditorNotes,
    BlobStates,
    ChosenInstances,
    DigestStates,
    InstanceSample,
    LogIntegrity,
    ReplayedInstance,
    SampleReplay,
)
from evaluation.format.coverage import (
    Coverage,
    CoverageCounts,
    CoverageHour,
    CoverageVersion,
    FeatureRates,
    Reconciliation,
)
from evaluation.format.drift import (
    ClusterDrift,
    ClusterMap,
    DistributionDrift,
    Drift,
    GrownBin,
    HistogramPair,
    MapPoint,
    PairedFeature,
    Pairplot,
    Statistic,
)
from evaluation.format.figures import Count, Course, Figure, Finding, Level, Moment, Occasion, Verdict, Window
from evaluation.format.performance import (
    ClassFigures,
    Confusion,
    Curve,
    Estimate,
    EstimatedFigure,
    LabelArrival,
    LabelledSubset,
    PairedComparison,
    PairedTest,
    Performance,
    Residuals,
    SubsetCheck,
    VersionFigures,
)
from evaluation.format.profiling import Profiling, RequirementCheck, SizeBin, StageTimes
from evaluation.format.report import (
    SCHEMA,
    Report,
    ReportEntry,
    Threshold,
    decode_report,
    encode_report,
    entry_of,
    section_verdicts,
)
from evaluation.format.sources import ModelFacts, Sources

__all__ = [
    "SCHEMA",
    "Audit",
    "AuditedInstance",
    "AuditorNote",
    "AuditorNotes",
    "BlobStates",
    "ChosenInstances",
    "ClassFigures",
    "ClusterDrift",
    "ClusterMap",
    "Confusion",
    "Count",
    "Course",
    "Coverage",
    "CoverageCounts",
    "CoverageHour",
    "CoverageVersion",
    "Curve",
    "DigestStates",
    "DistributionDrift",
    "Drift",
    "Estimate",
    "EstimatedFigure",
    "FeatureRates",
    "Figure",
    "Finding",
    "GrownBin",
    "HistogramPair",
    "InstanceSample",
    "LabelArrival",
    "LabelledSubset",
    "Level",
    "LogIntegrity",
    "MapPoint",
    "ModelFacts",
    "Moment",
    "Occasion",
    "PairedComparison",
    "PairedFeature",
    "PairedTest",
    "Pairplot",
    "Performance",
    "Profiling",
    "Reconciliation",
    "ReplayedInstance",
    "Report",
    "ReportEntry",
    "RequirementCheck",
    "Residuals",
    "SampleReplay",
    "SizeBin",
    "Sources",
    "StageTimes",
    "Statistic",
    "SubsetCheck",
    "Threshold",
    "Verdict",
    "VersionFigures",
    "Window",
    "decode_report",
    "encode_report",
    "entry_of",
    "section_verdicts",
]
