"""What may go wrong before production. Nothing is written when one of these is raised.

TrainingError
├── ExportRefused        the pipeline or the data cannot be exported exactly: the message says why and what to do
│   └── ParityError      the graph does not predict what scikit-learn does: the message shows the worst rows
├── FitRefused           the table or an option does not allow a comparison of candidates: the message names the fix
├── BundleExists         a bundle of that name and version is there: versions are never overwritten
├── TableRefused         a file cannot be read as a table: the message says where
└── ReportRefused        there is nothing to report on: no such model, no rows, no truth that belongs to the model
"""

from __future__ import annotations


class TrainingError(Exception):
    """Anything that stands between a pipeline and its bundle."""


class ExportRefused(TrainingError):
    """What was given cannot be exported exactly, and so is not exported."""


class ParityError(ExportRefused):
    """The exported graph and scikit-learn disagree; the message holds a table of the worst rows."""


class FitRefused(TrainingError):
    """Candidates cannot be compared on what was given."""


class TableRefused(TrainingError):
    """A file, or a table, that cannot be read as columns with names."""


class BundleExists(TrainingError):
    """`models/{name}/{version}` is taken; choose another version."""


class ReportRefused(TrainingError):
    """No preproduction report can be made of what was given."""
