"""Every combination of model and preparation that `docs/parity.md` speaks of, on data of every kind.

The data are made up and seeded: floats (one of them skewed and positive), a whole number, a boolean, two columns of
text, gaps in most of them. A preparation says which columns it takes and with gaps or without; a model says what it
predicts. scikit-learn decides which combinations there are: one that it cannot fit is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, LogisticRegressionCV, Ridge
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, SVR, LinearSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

Target = Literal["two classes", "three classes", "numbers", "outliers"]

FLOATS, TEXTS = ["balance", "income", "rate"], ["city", "job"]
ROWS, TEST_ROWS, FRESH_ROWS = 600, 200, 2_000


@dataclass(frozen=True)
class Preparation:
    """What comes before the model: steps, the columns that they get, and whether values are missing in these."""

    steps: Callable[[], list[Any]]
    columns: tuple[str, ...]
    gaps: bool = False
    categories: bool = False  # columns of text as pandas' category type


@dataclass(frozen=True)
class Case:
    """A model after a preparation, on data that suit the preparation."""

    model: str
    preparation: str
    target: Target

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.model}, {self.preparation}, {self.target}"

    @property
    def _prepared(self) -> Preparation:
        return PREPARATIONS[self.preparation]

    def pipeline(self) -> Pipeline:
        """The pipeline, not fitted yet."""
        return make_pipeline(*self._prepared.steps(), MODELS[self.model][1]())

    def data(self, rows: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
        """Rows for this case: features and target."""
        X, y = people(rows, seed, self.target)
        X = X[list(self._prepared.columns)]
        if self._prepared.gaps:
            X = with_gaps(X, seed)
        if self._prepared.categories:
            X = X.astype({name: "category" for name in X if X[name].dtype == "str"})
        return X, y


def cases() -> Iterator[Case]:
    """All of them, model by model."""
    for model, (targets, _) in MODELS.items():
        for target in targets:
            for preparation in PREPARATIONS:
                yield Case(model, preparation, target)


def people(rows: int, seed: int, target: Target) -> tuple[pd.DataFrame, pd.Series]:
    """Made-up people, and what is to be predicted of them."""
    random = np.random.default_rng(seed)
    city = random.choice(["Oslo", "Łódź", "São Paulo", "東京", ""], rows, p=[0.4, 0.3, 0.2, 0.08, 0.02])
    job = random.choice(["clerk", "nurse", "smith"], rows)
    X = pd.DataFrame({
        "balance": random.normal(0, 1_000, rows),
        "income": random.lognormal(10, 0.6, rows),
        "rate": random.uniform(0, 1, rows),
        "age": random.integers(18, 90, rows),
        "owner": random.random(rows) < 0.4,
        "city": city,
        "job": job,
    })  # fmt: skip
    wealth = X["balance"] / 1_000 + np.log(X["income"]) - 10 + 2 * np.sin(6 * X["rate"]) + X["age"] / 40
    wealth = wealth + X["owner"] + (X["city"] == "Oslo") * 0.8 - (X["job"] == "smith") * 0.5
    wealth = wealth + random.normal(0, 0.5, rows)
    if target == "numbers":
        return X, wealth.rename("wealth")
    if target == "outliers":
        return X, pd.Series(np.where(wealth > np.quantile(wealth, 0.05), 1, -1), name="ordinary")
    edges = [-np.inf, 2.8, np.inf] if target == "two classes" else [-np.inf, 2.0, 3.5, np.inf]
    return X, pd.Series(np.digitize(wealth, edges[1:-1]), name="class").map(dict(enumerate("abc")))


def with_gaps(X: pd.DataFrame, seed: int) -> pd.DataFrame:
    """An eighth of the values missing, in whole numbers and booleans too."""
    gone = np.random.default_rng(seed + 1).random(X.shape) < 0.125
    return X.astype({name: float for name in X if X[name].dtype != "str"}).mask(gone)


def _texts(encoder: Any) -> list[Any]:
    return [ColumnTransformer([("texts", encoder, TEXTS)], remainder="passthrough")]


def _everything() -> list[Any]:
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    one_hot = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer([
        ("numbers", numbers, ["balance", "income"]),
        ("scaled", make_pipeline(SimpleImputer(), MinMaxScaler()), ["rate", "age"]),
        ("owner", SimpleImputer(strategy="most_frequent"), ["owner"]),
        ("one-hot", one_hot, ["city"]),
        ("ordinal", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
         ["job"]),
    ])  # fmt: skip
    return [columns]


def _functions() -> list[Any]:
    parts = [
        (function.__name__, FunctionTransformer(function))
        for function in (np.sqrt, np.square, np.tanh, np.reciprocal, np.sin)
    ]
    return [FunctionTransformer(np.absolute), FeatureUnion(parts), StandardScaler()]


_ALL = (*FLOATS, "age", "owner", *TEXTS)
_POSITIVE = ("income", "rate")
PREPARATIONS = {
    "bare": Preparation(list, (*FLOATS, "age")),
    "bare, with gaps": Preparation(list, (*FLOATS, "age", "owner"), gaps=True),
    "bare, with categories": Preparation(list, (*FLOATS, *TEXTS), gaps=True, categories=True),
    "impute, scale": Preparation(lambda: [SimpleImputer(strategy="median"), StandardScaler()], (*FLOATS, "age"), True),
    "impute with indicator": Preparation(
        lambda: [SimpleImputer(add_indicator=True), StandardScaler()], (*FLOATS, "age"), gaps=True
    ),
    "one-hot": Preparation(lambda: _texts(OneHotEncoder(drop="if_binary")), (*FLOATS, *TEXTS)),
    "ordinal": Preparation(
        lambda: _texts(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)), (*FLOATS, *TEXTS)
    ),
    "target-encoded": Preparation(lambda: _texts(TargetEncoder(cv=KFold(3))), (*FLOATS, *TEXTS)),
    "columns of all kinds": Preparation(_everything, _ALL, gaps=True),
    "polynomial": Preparation(lambda: [StandardScaler(), PolynomialFeatures(3)], tuple(FLOATS)),
    "splines": Preparation(lambda: [SplineTransformer(n_knots=4)], tuple(FLOATS)),
    "PCA": Preparation(lambda: [StandardScaler(), PCA(3)], (*FLOATS, "age")),
    "log": Preparation(lambda: [FunctionTransformer(np.log1p), StandardScaler()], _POSITIVE),
    "power": Preparation(lambda: [PowerTransformer()], tuple(FLOATS)),
    "quantile, uniform": Preparation(lambda: [QuantileTransformer(n_quantiles=100)], tuple(FLOATS)),
    "quantile, normal": Preparation(
        lambda: [QuantileTransformer(n_quantiles=100, output_distribution="normal")], tuple(FLOATS)
    ),
    "known functions": Preparation(_functions, _POSITIVE),
}  # fmt: skip
_CLASSES: tuple[Target, ...] = ("two classes", "three classes")


def _voters() -> list[tuple[str, Any]]:
    return [
        ("logistic", LogisticRegression(max_iter=300)),
        ("forest", RandomForestClassifier(10, random_state=0)),
        ("bayes", GaussianNB()),
    ]


def _network(kind: Any) -> Any:
    return make_pipeline(StandardScaler(), kind(hidden_layer_sizes=(8,), solver="lbfgs", max_iter=300, random_state=0))


MODELS: dict[str, tuple[tuple[Target, ...], Callable[[], Any]]] = {
    "logistic regression": (_CLASSES, lambda: LogisticRegression(max_iter=300)),
    "logistic regression, cross-validated": (
        _CLASSES,
        lambda: LogisticRegressionCV(
            Cs=2, cv=3, max_iter=100, l1_ratios=(0,), use_legacy_attributes=False, scoring="accuracy"
        ),
    ),
    "linear SVC": (_CLASSES, lambda: LinearSVC(random_state=0)),
    "SVC, RBF": (_CLASSES, SVC),
    "SVC, RBF, calibrated": (_CLASSES, lambda: CalibratedClassifierCV(SVC(), cv=3)),
    "decision tree": (_CLASSES, lambda: DecisionTreeClassifier(random_state=0)),
    "random forest": (_CLASSES, lambda: RandomForestClassifier(20, random_state=0)),
    "extra trees": (_CLASSES, lambda: ExtraTreesClassifier(20, random_state=0)),
    "gradient boosting": (_CLASSES, lambda: GradientBoostingClassifier(n_estimators=20, random_state=0)),
    "hist gradient boosting": (
        _CLASSES,
        lambda: HistGradientBoostingClassifier(max_iter=20, categorical_features="from_dtype", random_state=0),
    ),
    "k nearest neighbours": (_CLASSES, KNeighborsClassifier),
    "naive Bayes": (_CLASSES, GaussianNB),
    "multilayer perceptron": (_CLASSES, lambda: _network(MLPClassifier)),
    "voting": (_CLASSES, lambda: VotingClassifier(_voters(), voting="soft")),
    "stacking": (_CLASSES, lambda: StackingClassifier(_voters(), cv=3)),
    "calibrated forest, isotonic": (
        _CLASSES,
        lambda: CalibratedClassifierCV(RandomForestClassifier(10, random_state=0), method="isotonic", cv=3),
    ),
    "one-class SVM": (("outliers",), lambda: OneClassSVM(nu=0.1)),
    "isolation forest": (("outliers",), lambda: IsolationForest(n_estimators=20, random_state=0)),
    "linear regression": (("numbers",), LinearRegression),
    "ridge": (("numbers",), Ridge),
    "lasso": (("numbers",), lambda: Lasso(alpha=0.01, max_iter=50_000)),
    "SVR": (("numbers",), SVR),
    "random forest regressor": (("numbers",), lambda: RandomForestRegressor(20, random_state=0)),
    "gradient boosting regressor": (("numbers",), lambda: GradientBoostingRegressor(n_estimators=20, random_state=0)),
    "hist gradient boosting regressor": (
        ("numbers",),
        lambda: HistGradientBoostingRegressor(max_iter=20, categorical_features="from_dtype", random_state=0),
    ),
    "multilayer perceptron regressor": (("numbers",), lambda: _network(MLPRegressor)),
}
