"""The demo models: three bundles from data that scikit-learn ships, one for each task.

    breast-cancer   binary       malignant or benign, from measurements of cell nuclei
    wine            multiclass   which of three cultivars a wine was made from
    diabetes        regression   progression of the disease after a year

Together they show each way of dealing with missing values and with instances unlike the training data. Nothing was
missing when `breast-cancer` and `diabetes` were trained, so an instance in which something is missing is not scored,
although their pipelines could impute. From `wine`'s data 2 % of the values were taken away (seeded), so there a missing
value is imputed. `breast-cancer` and `wine` abstain when an instance as a whole is too far from all training rows, and
only flag a value that is out of its own range; `diabetes` abstains when any value is: a linear regression answers 1e12
with a straight face.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from scoring.bundle import Bundle, BundleError, Criteria, load_bundle
from training.convergence import fit_recorded
from training.export import export_bundle
from training.features import FeaturePolicy

VERSION = "1"
SEED = 20170520  # the talk was given at PyCon 2017


@dataclass(frozen=True)
class Demo:
    """A data set with a pipeline that is not fitted yet, and what the bundle says about them."""

    name: str
    X: pd.DataFrame
    y: pd.Series
    pipeline: Any
    about: dict[str, Any]

    def split(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]:
        """Training and test rows, a quarter of them test; classes in the same proportions."""
        stratify = None if pd.api.types.is_numeric_dtype(self.y) else self.y
        X_train, X_test, y_train, y_test = train_test_split(
            self.X, self.y, test_size=0.25, random_state=SEED, stratify=stratify
        )
        return X_train, X_test, y_train, y_test

    def export(self, models: Path) -> Bundle:
        """Fit and export as version 1."""
        X_train, X_test, y_train, y_test = self.split()
        warned = fit_recorded(self.pipeline, X_train, y_train)
        return export_bundle(
            self.pipeline, X_train, y_train, X_test, y_test,
            name=self.name, version=VERSION, out=models, convergence=warned, **self.about,
        )  # fmt: skip


DEMOS: dict[str, Callable[[], Demo]] = {}


def _demo(make: Callable[[], Demo]) -> Callable[[], Demo]:
    DEMOS[make.__name__.replace("_", "-")] = make
    return make


def export_demos(models: Path) -> Iterator[tuple[str, Bundle, bool]]:
    """(name, bundle, whether it was made now) of each demo; one that is there and valid is left alone.

    One that is there and damaged raises `BundleError`: it is evidence, and not this function's to remove.
    """
    for name, make in DEMOS.items():
        folder = models / name / VERSION
        if folder.exists():
            try:
                yield name, load_bundle(folder), False
            except BundleError as problem:
                raise BundleError(f"{problem}. Move {folder} away and run the demo again") from problem
        else:
            yield name, make().export(models), True


@_demo
def breast_cancer() -> Demo:
    """569 tumours, 30 measurements of their cell nuclei (Wolberg, Street and Mangasarian, 1993)."""
    data = load_breast_cancer(as_frame=True)
    return Demo(
        name="breast-cancer",
        X=data.data,
        y=data.target.map(dict(enumerate(data.target_names.tolist()))).rename("diagnosis"),
        pipeline=make_pipeline(
            SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1000, random_state=SEED)
        ),
        about={
            "positive": "malignant",
            "criteria": Criteria(joint="abstain"),
            "p99_ms": 50.0,
            "cold_start_ms": 2000.0,
            "source": "sklearn.datasets.load_breast_cancer: Breast Cancer Wisconsin (Diagnostic), UCI",
            "description": (
                "Is a breast tumour malignant? Logistic regression on 30 measurements of the cell nuclei in an image "
                "of a fine needle aspirate. A demonstration: not for clinical use."
            ),
        },
    )


@_demo
def wine() -> Demo:
    """178 wines of three cultivars, 13 chemical measurements (Forina et al., 1991), 2 % of them made missing."""
    data = load_wine(as_frame=True)
    X = data.data.mask(np.random.default_rng(SEED).random(data.data.shape) < 0.02)
    return Demo(
        name="wine",
        X=X,
        y=data.target.map(dict(enumerate(data.target_names.tolist()))).rename("cultivar"),
        pipeline=make_pipeline(
            SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1000, random_state=SEED)
        ),
        about={
            "criteria": Criteria(joint="abstain"),
            "units": {"alcohol": "% by volume", "alcalinity_of_ash": "meq/l", "magnesium": "mg/l", "proline": "mg/l"},
            "p99_ms": 50.0,
            "cold_start_ms": 2000.0,
            "source": "sklearn.datasets.load_wine: Wine recognition, UCI; 2 % of the values made missing at random",
            "description": (
                "From which of three cultivars was a wine made? Multinomial logistic regression on 13 chemical "
                "measurements. 2 % of the values were made missing at random, so that the pipeline's imputer has "
                "learnt what to do without them."
            ),
        },
    )


@_demo
def diabetes() -> Demo:
    """442 patients, 10 measurements in their own units (Efron, Hastie, Johnstone and Tibshirani, 2004)."""
    data = load_diabetes(as_frame=True, scaled=False)
    return Demo(
        name="diabetes",
        X=data.data,
        y=data.target.rename("progression"),
        pipeline=make_pipeline(SimpleImputer(strategy="mean"), StandardScaler(), Ridge(alpha=1.0, random_state=SEED)),
        about={
            "policies": {name: FeaturePolicy(outside="abstain") for name in data.data},
            "units": {"age": "years", "bmi": "kg/m²", "bp": "mm Hg", "s1": "mg/dl", "s2": "mg/dl", "s3": "mg/dl"},
            "p99_ms": 50.0,
            "cold_start_ms": 2000.0,
            "source": "sklearn.datasets.load_diabetes(scaled=False)",
            "description": (
                "How far has diabetes progressed after a year? Ridge regression on age, sex, body mass index, mean "
                "blood pressure and six blood serum measurements. A demonstration: not for clinical use."
            ),
        },
    )
