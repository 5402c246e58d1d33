"""Three tables that show what the talk is about.

**Curved**: parts come out of an oven; a part is good when pressure suits temperature, which is a curve. A straight line
gets nine in ten right, which looks like success until something else is tried. 1 % of the labels are wrong.

**Rare**: 2 % of payments are fraud. Fraud is larger and farther from home, but nowhere so frequent that it would be the
likelier answer: whoever is asked for accuracy answers "no" every time, is right 98 times in 100, and finds nothing.

**Around**: 2 % of machines are about to fail, and each in its own way: their readings lie all around the usual ones.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

SEED = 20170520  # the talk was given at PyCon 2017


def curved(rows: int, seed: int = SEED) -> pd.DataFrame:
    """temperature, pressure, quality: "good" above a parabola, "scrap" below."""
    random = np.random.default_rng(seed)
    heat, force = random.uniform(size=rows), random.uniform(size=rows)
    good = (force > 0.25 + 1.2 * (heat - 0.5) ** 2) ^ (random.uniform(size=rows) < 0.01)
    return pd.DataFrame(
        {"temperature": 150 + 100 * heat, "pressure": 1 + 4 * force, "quality": np.where(good, "good", "scrap")}
    )


def rare(rows: int, seed: int = SEED) -> pd.DataFrame:
    """amount, distance, fraud: exactly 2 % "yes"."""
    random = np.random.default_rng(seed)
    fraud = _two_percent(rows)
    centre, width = np.where(fraud, 1.2, 0.0)[:, np.newaxis], np.where(fraud, 0.5, 1.0)[:, np.newaxis]
    amount, distance = (centre + width * random.normal(size=(rows, 2))).T
    table = pd.DataFrame(
        {"amount": 60 + 20 * amount, "distance": 40 + 12 * distance, "fraud": np.where(fraud, "yes", "no")}
    )
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)


def around(rows: int, seed: int = SEED) -> pd.DataFrame:
    """vibration, current, failing: exactly 2 % "yes", in a ring around the others."""
    random = np.random.default_rng(seed)
    failing = _two_percent(rows)
    usual, angle = random.normal(size=(rows, 2)), random.uniform(0, 2 * np.pi, rows)
    ring = random.normal(3.2, 0.3, rows)[:, np.newaxis] * np.column_stack([np.cos(angle), np.sin(angle)])
    vibration, current = np.where(failing[:, np.newaxis], ring, usual).T
    table = pd.DataFrame(
        {"vibration": 5 + vibration, "current": 12 + 2 * current, "failing": np.where(failing, "yes", "no")}
    )
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)


def _two_percent(rows: int) -> npt.NDArray[np.bool_]:
    return np.arange(rows) < round(rows * 0.02)
