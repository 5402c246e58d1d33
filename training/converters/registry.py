"""Our converters, by the type of the step; to import this module is to fill the tables of `dispatch`."""

from __future__ import annotations

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
from training.converters.dispatch import PREDICTORS, TRANSFORMERS

TRANSFORMERS.update({
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
})  # fmt: skip
PREDICTORS.update({
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
})  # fmt: skip
