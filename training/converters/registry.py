"""Which converter a step gets: by its exact type, ours before skl2onnx's.

A converter takes the fitted step and a `Table` and gives a `Table` or a `Prediction`. Types are matched exactly: a
subclass may do anything, and is converted only if skl2onnx knows it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
)
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from training.candidates.anomaly import AnomalyClassifier
from training.converters import (
    boosting,
    by_skl2onnx,
    calibration,
    composition,
    encoders,
    ensembles,
    forests,
    functions,
    imputer,
    kernel_machine,
    linear,
    neighbours,
    polynomial,
    power,
    projection,
    quantiles,
    scaling,
    selection,
    splines,
)
from training.converters.nodes import Nodes
from training.converters.prediction import Prediction
from training.converters.table import Numbers, Table
from training.errors import ExportRefused
from training.rounding import has_fixed_bits

Transform = Callable[[Nodes, Any, Table], Table]
Predict = Callable[[Nodes, Any, Table], Prediction]

TRANSFORMERS: dict[type, Transform] = {
    **dict.fromkeys(selection.SELECTORS, selection.convert_selection),
    Pipeline: composition.convert_pipeline,
    ColumnTransformer: composition.convert_columns,
    FeatureUnion: composition.convert_union,
    SimpleImputer: imputer.convert_imputer,
    MissingIndicator: imputer.convert_indicator,
    StandardScaler: scaling.convert_standard,
    RobustScaler: scaling.convert_robust,
    MinMaxScaler: scaling.convert_min_max,
    MaxAbsScaler: scaling.convert_max_abs,
    OneHotEncoder: encoders.convert_encoder,
    OrdinalEncoder: encoders.convert_encoder,
    TargetEncoder: encoders.convert_encoder,
    PolynomialFeatures: polynomial.convert_polynomial,
    SplineTransformer: splines.convert_splines,
    FunctionTransformer: functions.convert_function,
    PowerTransformer: power.convert_power,
    QuantileTransformer: quantiles.convert_quantiles,
    PCA: projection.convert_components,
    TruncatedSVD: projection.convert_components,
}
PREDICTORS: dict[type, Predict] = {
    Pipeline: composition.predict_pipeline,
    LogisticRegression: linear.convert_probabilities,
    LogisticRegressionCV: linear.convert_probabilities,
    LinearDiscriminantAnalysis: linear.convert_probabilities,
    LinearSVC: linear.convert_decision,
    RidgeClassifier: linear.convert_decision,
    RidgeClassifierCV: linear.convert_decision,
    LinearRegression: linear.convert_regressor,
    Ridge: linear.convert_regressor,
    RidgeCV: linear.convert_regressor,
    Lasso: linear.convert_regressor,
    ElasticNet: linear.convert_regressor,
    LinearSVR: linear.convert_regressor,
    SVC: kernel_machine.convert_classifier,
    NuSVC: kernel_machine.convert_classifier,
    SVR: kernel_machine.convert_regressor,
    NuSVR: kernel_machine.convert_regressor,
    OneClassSVM: kernel_machine.convert_one_class,
    KNeighborsClassifier: neighbours.convert_classifier,
    KNeighborsRegressor: neighbours.convert_regressor,
    DecisionTreeClassifier: forests.convert_classifier,
    ExtraTreeClassifier: forests.convert_classifier,
    RandomForestClassifier: forests.convert_classifier,
    ExtraTreesClassifier: forests.convert_classifier,
    DecisionTreeRegressor: forests.convert_regressor,
    ExtraTreeRegressor: forests.convert_regressor,
    RandomForestRegressor: forests.convert_regressor,
    ExtraTreesRegressor: forests.convert_regressor,
    IsolationForest: forests.convert_isolation,
    GradientBoostingClassifier: boosting.convert_gradient_classifier,
    GradientBoostingRegressor: boosting.convert_gradient_regressor,
    HistGradientBoostingClassifier: boosting.convert_histogram_classifier,
    HistGradientBoostingRegressor: boosting.convert_histogram_regressor,
    CalibratedClassifierCV: calibration.convert_calibrated,
    VotingClassifier: ensembles.convert_voting_classifier,
    VotingRegressor: ensembles.convert_voting_regressor,
    StackingClassifier: ensembles.convert_stacking_classifier,
    StackingRegressor: ensembles.convert_stacking_regressor,
    BaggingClassifier: ensembles.convert_bagging_classifier,
    BaggingRegressor: ensembles.convert_bagging_regressor,
    FixedThresholdClassifier: ensembles.convert_threshold,
    TunedThresholdClassifierCV: ensembles.convert_threshold,
    GridSearchCV: ensembles.convert_search,
    RandomizedSearchCV: ensembles.convert_search,
    FrozenEstimator: ensembles.convert_frozen,
    AnomalyClassifier: ensembles.convert_anomaly,
}
COMPOSED_STEPS = frozenset({Pipeline, ColumnTransformer, FeatureUnion})
TAKES_INFINITIES = (HistGradientBoostingClassifier, HistGradientBoostingRegressor, IsolationForest)
COMPOSED = frozenset({
    Pipeline, CalibratedClassifierCV, VotingClassifier, VotingRegressor, StackingClassifier, StackingRegressor,
    BaggingClassifier, BaggingRegressor, FixedThresholdClassifier, TunedThresholdClassifierCV, GridSearchCV,
    RandomizedSearchCV, FrozenEstimator, AnomalyClassifier,
})  # fmt: skip


def transform(nodes: Nodes, step: Any, table: Table) -> Table:
    """What a fitted transformer makes of the columns."""
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return table
    if table.wild and type(step) not in COMPOSED_STEPS | {FunctionTransformer}:
        _refuse_what_the_step_refuses(nodes, step, table)
    convert = TRANSFORMERS.get(type(step), by_skl2onnx.transform)
    made = convert(nodes, step, table)
    return made if has_fixed_bits(step) or type(step) in COMPOSED_STEPS else made.with_other_last_bits()


def predict(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """What a fitted classifier, regressor or outlier detector says."""
    if model is None or isinstance(model, str):
        raise ExportRefused(f"the pipeline ends in {model!r}; its last step must predict")
    if table.wild and type(model) not in COMPOSED:
        _refuse_what_the_step_refuses(nodes, model, table)
    convert = PREDICTORS.get(type(model), by_skl2onnx.predict)
    return convert(nodes, model, table)


def _refuse_what_the_step_refuses(nodes: Nodes, step: Any, table: Table) -> None:
    """A step before may have made infinities or NaN of ordinary numbers, on which this one raises."""
    takes_missing = bool(step.__sklearn_tags__().input_tags.allow_nan)
    for part in table.parts:
        if isinstance(part, Numbers):
            if not isinstance(step, TAKES_INFINITIES):
                nodes.refuse(nodes.op("IsInf", part.name))
            if not takes_missing:
                nodes.refuse(nodes.op("IsNaN", part.name))
