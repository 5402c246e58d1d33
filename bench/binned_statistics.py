"""How far a statistic of bins is from that of the raw values: `python -m bench.binned_statistics`.

Profiles hold counts in the baseline's bins and no values, so Kolmogorov–Smirnov and Wasserstein come from bins. This
draws a baseline of 2,000 rows and 5,000 instances of several shapes, undrifted, shifted and widened, and prints the
largest distance between the binned value and SciPy's of the raw values. The figures stand in docs/evaluation.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from evaluation.drift.bins import bins
from evaluation.drift.kolmogorov_smirnov import kolmogorov_smirnov
from evaluation.drift.wasserstein import wasserstein
from training.baseline import edges_for, histogram

Floats = NDArray[np.float64]
SHAPES: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "normal": lambda draw, n: draw.normal(size=n),
    "uniform": lambda draw, n: draw.uniform(size=n),
    "exponential": lambda draw, n: draw.exponential(size=n),
    "log-normal": lambda draw, n: draw.lognormal(size=n),
    "Student's t, 3 degrees": lambda draw, n: draw.standard_t(3, size=n),
    "whole numbers, 0 to 9": lambda draw, n: draw.integers(0, 10, size=n).astype(float),
}
DRIFTS: dict[str, Callable[[Floats, float], Floats]] = {
    "none": lambda values, _spread: values,
    "shifted by half a deviation": lambda values, spread: values + spread / 2,
    "wider by half": lambda values, _spread: values.mean() + 1.5 * (values - values.mean()),
}


def errors(shape: str, drift: str, seed: int) -> tuple[float, float]:
    """Binned less raw: Kolmogorov–Smirnov, and Wasserstein in standard deviations of the baseline."""
    draw = np.random.default_rng(seed)
    before = SHAPES[shape](draw, 2000)
    now = DRIFTS[drift](SHAPES[shape](draw, 5000), float(before.std()))
    edges, spread = edges_for(before), float(before.std())
    new, old = (bins(histogram(values, edges))[:-2] for values in (now, before))
    gap = float(kolmogorov_smirnov(new, old)) - float(stats.ks_2samp(now, before, method="asymp").statistic)
    moved = float(wasserstein(edges, spread)(new, old)) - float(stats.wasserstein_distance(now, before)) / spread
    return gap, moved


def measured(seeds: int) -> Iterator[tuple[str, str, float, float]]:
    """Shape, drift, and the error of each that is largest either way over some seeds."""
    for shape in SHAPES:
        for drift in DRIFTS:
            found = np.array([errors(shape, drift, seed) for seed in range(seeds)])
            gap, moved = (float(column[np.abs(column).argmax()]) for column in found.T)
            yield shape, drift, gap, moved


def main() -> None:
    """Print a table for docs/evaluation.md."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20, help="samples drawn of each shape and drift (20)")
    seeds = parser.parse_args().seeds
    print("| shape | drift | Kolmogorov–Smirnov | Wasserstein |\n|---|---|---|---|")
    for shape, drift, gap, moved in measured(seeds):
        print(f"| {shape} | {drift} | {gap:+.3f} | {moved:+.3f} |", flush=True)


if __name__ == "__main__":
    main()
