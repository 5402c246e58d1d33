"""Before production: a fitted scikit-learn pipeline becomes a bundle, with proof that it predicts the same.

>>> from training import export_bundle          # imports scikit-learn, skl2onnx and onnx: about three seconds
>>> export_bundle.__name__
'export_bundle'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.candidates.fitting import fit
    from training.errors import (
        BundleExists,
        ExportRefused,
        FitRefused,
        ParityError,
        ReportRefused,
        TableRefused,
        TrainingError,
    )
    from training.export import export_bundle
    from training.preproduction import preproduction_report

__all__ = [
    "BundleExists",
    "ExportRefused",
    "FitRefused",
    "ParityError",
    "ReportRefused",
    "TableRefused",
    "TrainingError",
    "export_bundle",
    "fit",
    "preproduction_report",
]


def __getattr__(name: str) -> Any:
    """Import on first use, so that `python -m training --help` answers at once."""
    if name == "export_bundle":
        from training.export import export_bundle

        return export_bundle
    if name == "fit":
        from training.candidates.fitting import fit

        return fit
    if name == "preproduction_report":
        from training.preproduction import preproduction_report

        return preproduction_report
    if name in __all__:
        from training import errors

        return getattr(errors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
