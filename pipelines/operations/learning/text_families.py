"""Model families that read texts: a keyword rule, two linear ones on TF-IDF, boosted topics.

Every family reads the other columns of the definition, too, as its namesake without texts does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from pipelines.operations.contract import Json
from pipelines.operations.learning.definition import FeatureSet
from pipelines.operations.learning.keyword_votes import KeywordVotes
from pipelines.operations.learning.settings import number_of
from pipelines.operations.learning.steps import chain, imputer, indicators
from pipelines.operations.learning.tasks import TASKS
from pipelines.operations.learning.texts import (
    MAX_TERMS,
    MIN_ROWS,
    KeywordRule,
    Plain,
    TermWeights,
    Topics,
)

Settings = Mapping[str, Json]
Builder = Callable[[FeatureSet, Settings, int], BaseEstimator]
CALIBRATION_FOLDS = 3
MAX_ITER = 500


def keywords(features: FeatureSet, settings: Settings, seed: int) -> BaseEstimator:
    """Ten telling words of the first column of texts; ten for each of several classes."""
    rule = KeywordVotes if len(features.classes) > 2 else KeywordRule
    return rule(features.positions("text")[0])


def text_linear(features: FeatureSet, settings: Settings, seed: int) -> BaseEstimator:
    """TF-IDF of words and pairs, then logistic regression."""
    regression = LogisticRegression(C=number_of(settings, "C", 1.0), max_iter=MAX_ITER, tol=1e-4)
    return Pipeline([("prepare", linear_columns(features, settings, seed)), ("last", regression)])


def text_svc(features: FeatureSet, settings: Settings, seed: int) -> BaseEstimator:
    """TF-IDF of words and pairs, then a linear support vector machine, calibrated (Platt)."""
    machine = LinearSVC(C=number_of(settings, "C", 0.5), max_iter=5000, random_state=seed)
    folds = StratifiedKFold(CALIBRATION_FOLDS, shuffle=True, random_state=seed)
    last = CalibratedClassifierCV(machine, method="sigmoid", cv=folds, ensemble=False)
    return Pipeline([("prepare", linear_columns(features, settings, seed)), ("last", last)])


def text_boosting(features: FeatureSet, settings: Settings, seed: int) -> BaseEstimator:
    """TF-IDF folded into topics (truncated SVD), then histogram gradient boosting."""
    topics = Topics(int(number_of(settings, "components", 50)), seed)
    parts = [
        (f"text {place}", chain(_weights(settings), topics), [place])
        for place in features.positions("text")
    ]
    many = features.positions("many_categories")
    plain = features.positions("number", "flag", "date", "category")
    parts += (
        [("means", chain(Plain(), TASKS[features.task].target_means(seed)), many)] if many else []
    )
    parts += [("plain", Plain(), plain)] if plain else []
    trees = HistGradientBoostingClassifier(
        learning_rate=number_of(settings, "learning_rate", 0.1),
        max_iter=int(number_of(settings, "max_iter", 100)),
        max_leaf_nodes=int(number_of(settings, "max_leaf_nodes", 15)),
        min_samples_leaf=int(number_of(settings, "min_samples_leaf", 20)),
        l2_regularization=number_of(settings, "l2_regularization", 1.0),
        early_stopping=False,
        random_state=seed,
    )
    return Pipeline([("prepare", ColumnTransformer(parts, sparse_threshold=0.0)), ("last", trees)])


# from the simplest on, as `families.FAMILIES`
BUILDERS: Mapping[str, Builder] = {
    "keywords": keywords,
    "text_linear": text_linear,
    "text_svc": text_svc,
    "text_boosting": text_boosting,
}


def linear_columns(features: FeatureSet, settings: Settings, seed: int) -> ColumnTransformer:
    """Term weights beside scaled numbers and one indicator per category; sparse."""
    numbers, flags = features.positions("number", "date"), features.positions("flag")
    categories, many = features.positions("category"), features.positions("many_categories")
    parts: list[tuple[str, BaseEstimator, list[int]]] = [
        (f"text {place}", _weights(settings), [place]) for place in features.positions("text")
    ]
    others: list[tuple[str, BaseEstimator, list[int]]] = [
        ("numbers", chain(Plain(), imputer("median"), StandardScaler()), numbers),
        ("flags", chain(Plain(), imputer("most_frequent")), flags),
        ("categories", chain(Plain(), indicators()), categories),
        ("means", chain(Plain(), TASKS[features.task].target_means(seed), StandardScaler()), many),
    ]
    return ColumnTransformer([*parts, *(part for part in others if part[2])], sparse_threshold=1.0)


def _weights(settings: Settings) -> TermWeights:
    return TermWeights(
        min_rows=int(number_of(settings, "min_rows", MIN_ROWS)),
        max_terms=int(number_of(settings, "max_terms", MAX_TERMS)),
    )
