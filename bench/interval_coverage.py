"""Do the 95 % intervals of performance hold the true figure 95 times in 100? Samples from populations that are known.

Each population is a model and its world: how sure the model is and how often it is right, or how its errors are
distributed. The true figure is that of a very large sample. Then many small samples are drawn, each gets its figures
and intervals as a report would, and it is counted how often the interval held the true figure. A figure without an
interval (too few instances, a class that is not there) is not counted, and the table says how often that was so.

The error of a measured share of m samples is about √(0.95 · 0.05 / m): 0.5 percent points for 2,000.
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.measured import Measured
from evaluation.metrics import classification_of_indices, regression_metrics

NOMINAL = 0.95
SIZES = (30, 150, 1000)
POPULATION = 1_000_000
Draw = Callable[[np.random.Generator, int], dict[str, Measured]]


@dataclass(frozen=True)
class Line:
    """How one figure's interval did at one size."""

    population: str
    figure: str
    n: int
    true: float
    told: float  # share of samples that had an interval
    held: float  # share of those whose interval held the true figure


def binary(alpha: float, beta: float, warped: float = 1.0) -> Draw:
    """Probabilities Beta(alpha, beta), that come true as often as they say; `warped` makes the model over-confident."""

    def draw(random: np.random.Generator, n: int) -> dict[str, Measured]:
        share = random.beta(alpha, beta, size=n).clip(1e-9, 1 - 1e-9)
        truth = (random.uniform(size=n) < share).astype(np.int64)
        odds = (share / (1 - share)) ** warped
        said = odds / (1 + odds)
        both = np.column_stack([1 - said, said])
        return classification_of_indices(truth, (said > 0.5).astype(np.int64), classes=[0, 1], probabilities=both)

    return draw


def multiclass(concentration: Sequence[float]) -> Draw:
    """Probabilities from a Dirichlet distribution, that come true as often as they say."""

    def draw(random: np.random.Generator, n: int) -> dict[str, Measured]:
        shares = random.dirichlet(concentration, size=n)
        truth = (random.uniform(size=(n, 1)) > shares.cumsum(axis=1)).sum(axis=1).clip(0, len(concentration) - 1)
        classes = list(range(len(concentration)))
        return classification_of_indices(truth, shares.argmax(axis=1), classes=classes, probabilities=shares)

    return draw


def regression(skew: float) -> Draw:
    """Positive targets around 100, errors a third of their spread; `skew` > 0 gives them a long tail."""

    def draw(random: np.random.Generator, n: int) -> dict[str, Measured]:
        truth = random.gamma(9, 11, size=n)  # mean 99, none near 0
        errors = random.normal(size=n) if not skew else np.exp(skew * random.normal(size=n)) - np.exp(skew * skew / 2)
        return regression_metrics(truth, truth + 2 + 10 * errors)

    return draw


POPULATIONS: dict[str, Draw] = {
    "binary": binary(1.5, 2.5),
    "binary, good model": binary(0.1, 0.15),
    "binary, 3 % positive": binary(0.12, 3.9),
    "binary, over-confident": binary(1.5, 2.5, warped=2.0),
    "3 classes": multiclass([0.6, 0.5, 0.3]),
    "regression": regression(0.0),
    "regression, long tail": regression(0.8),
}


def coverage(name: str, n: int, samples: int, *, seed: int, population: int = POPULATION) -> list[Line]:
    """One line for each figure of the whole (not those by class)."""
    random, draw, true = np.random.default_rng([seed, n]), POPULATIONS[name], _true_figures(name, seed, population)
    told, held = dict.fromkeys(true, 0), dict.fromkeys(true, 0)
    for _ in range(samples):
        found = draw(random, n)
        for figure, value in true.items():
            low, high = found[figure].low, found[figure].high
            if low is not None and high is not None:
                told[figure] += 1
                held[figure] += low <= value <= high
    return [
        Line(name, figure, n, value, told[figure] / samples, held[figure] / told[figure] if told[figure] else np.nan)
        for figure, value in true.items()
    ]


@functools.cache
def _true_figures(name: str, seed: int, population: int) -> dict[str, float]:
    found = POPULATIONS[name](np.random.default_rng(seed), population)
    return {figure: own.value for figure, own in found.items() if ":" not in figure and own.value is not None}


def table(lines: Sequence[Line]) -> Iterator[str]:
    """The lines as a table of Markdown, a row for each figure of each population and a column for each size."""
    sizes = sorted({line.n for line in lines})
    yield f"| population | figure | true value | {' | '.join(f'n = {n:,}' for n in sizes)} |"
    yield f"|---|---|---|{'---|' * len(sizes)}"
    rows: dict[tuple[str, str], dict[int, Line]] = {}
    for line in lines:
        rows.setdefault((line.population, line.figure), {})[line.n] = line
    for (population, figure), own in rows.items():
        cells = [_cell(own[n]) if n in own else "" for n in sizes]
        yield f"| {population} | {figure} | {next(iter(own.values())).true:.3f} | {' | '.join(cells)} |"


def _cell(line: Line) -> str:
    if not line.told:
        return "none"
    return f"{line.held:.1%}" + ("" if line.told > 0.995 else f" (of {line.told:.0%})")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.interval_coverage", description=__doc__)
    parser.add_argument("--samples", type=int, default=2000, help="samples for each population and size")
    parser.add_argument("--seed", type=int, default=1, help="seed of everything that is drawn")
    given = parser.parse_args()
    if given.samples < 1:
        parser.error("--samples must be 1 or more")
    jobs = [(name, n) for name in POPULATIONS for n in SIZES]
    lines: list[Line] = []
    begun = time.monotonic()
    for number, (name, n) in enumerate(jobs, start=1):
        if sys.stderr.isatty():
            print(f"\r{number}/{len(jobs)} {name}, n = {n}, {time.monotonic() - begun:.0f} s ", end="", file=sys.stderr)
        lines += coverage(name, n, given.samples, seed=given.seed)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(f"Nominal {NOMINAL:.0%}; {given.samples:,} samples for each population and size, seed {given.seed}.\n")
    print("\n".join(table(lines)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
