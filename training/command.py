"""The command line of training: `demo` and `export`.

Heavy imports happen inside the commands, so that `--help` and a mistyped option answer at once. Exit codes: 0 done,
1 refused (the reason is printed), 2 a wrong option.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from scoring.bundle import Bundle, BundleError
from training.errors import TrainingError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except (TrainingError, BundleError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Before production: make model bundles, with proof that they predict what scikit-learn does.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="train and export the three demo models")
    demo.add_argument("--out", type=Path, default=Path("models"), help="folder of bundles (default: models)")
    demo.set_defaults(run=_demo)
    return parser


def _demo(options: argparse.Namespace) -> int:
    print(f"Demo models in {options.out}: loading scikit-learn …", flush=True)
    from training.demo import export_demos

    started = time.perf_counter()
    for name, bundle, made in export_demos(options.out):
        done = f"made in {time.perf_counter() - started:.1f} s" if made else "is there already"
        print(f"  {name:<14} {done:<17} {_summary(bundle)}", flush=True)
        started = time.perf_counter()
    return 0


def _summary(bundle: Bundle) -> str:
    manifest = bundle.manifest
    figure = "rmse" if manifest.task == "regression" else "accuracy"
    measured = manifest.metrics.get(figure)
    quality = f", {figure} {measured.value:.4g} on {measured.n} test rows" if measured else ""
    return f"{manifest.task}{quality}; equal to scikit-learn on {manifest.parity.rows:,} rows"
