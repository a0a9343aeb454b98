"""Model families and the pipeline around them: columns -> numbers -> family's own part.

Every pipeline has two steps: "columns" (stateless, from the feature definition) and
"model", so that a table is encoded once however many candidates are fitted on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning import text_families
from pipelines.operations.learning.definition import DATE_PARTS, FeatureSet
from pipelines.operations.learning.offsets import FromColumn
from pipelines.operations.learning.settings import number_of
from pipelines.operations.learning.steps import chain, imputer, indicators
from pipelines.operations.learning.tasks import TASKS
from pipelines.operations.learning.texts import Texts
from pipelines.operations.learning.transformers import (
    BadValueError,
    Codes,
    DateParts,
    Flags,
    Floats,
    Numbers,
)

FAMILIES: tuple[str, ...] = ("dummy", "linear", "boosting")
# from the simplest on, with those that read texts: the one-SE rule prefers an earlier family
SIMPLEST_FIRST: tuple[str, ...] = (
    "dummy",
    "keywords",
    "linear",
    "text_linear",
    "text_svc",
    "boosting",
    "text_boosting",
)

Settings = Mapping[str, Json]


def encoder(features: FeatureSet) -> ColumnTransformer:
    """The "columns" step: each column by the transformer that the definition names."""
    parts: list[tuple[str, BaseEstimator, list[str]]] = []
    for role, transformer in (
        ("number", Numbers()),
        ("flag", Flags()),
        ("date", DateParts(list(DATE_PARTS))),
    ):
        names = [column.name for column in features.columns if column.role == role]
        parts += [(role, transformer, names)] if names else []
    for role in ("category", "many_categories"):
        chosen = [column for column in features.columns if column.role == role]
        codes = Codes([list(column.categories) for column in chosen])
        parts += [(role, codes, [column.name for column in chosen])] if chosen else []
    texts = [column.name for column in features.columns if column.role == "text"]
    parts += [("text", Texts(), texts)] if texts else []
    return ColumnTransformer(parts, sparse_threshold=0.0, verbose_feature_names_out=False)


def encode(
    features: FeatureSet, frame: pd.DataFrame, *, field: str
) -> tuple[ColumnTransformer, Floats]:
    """The fitted "columns" step and the table as numbers; raises OperationError for a bad value."""
    columns = encoder(features)
    try:
        matrix: Floats = columns.fit_transform(frame[features.names])
    except BadValueError as error:
        raise bad_value(error, field=field) from error
    return columns, matrix


def bad_value(error: BadValueError, *, field: str) -> OperationError:
    """A refused value as an operation's error."""
    return OperationError(
        "bad_value",
        f"{field}, {error}",
        field=error.column,
        value=error.value,
        rule=error.rule,
    )


def dummy(features: FeatureSet, settings: Settings, seed: int) -> BaseEstimator:
    """Always the same answer: the share of positives, median or mean of training."""
    return TASKS[features.task].dummy(settings)


def linear(features: FeatureSet, settings: Settings, seed: int) -> BaseEstimator:
    """A linear model on scaled numbers and one indicator per category; on words, where there are.

    What is searched reads texts by `text_linear`; this one is trained beside a brought model.
    """
    task = TASKS[features.task]
    if features.positions("text"):
        prepare = text_families.linear_columns(features, settings, seed)
        return Pipeline([("prepare", prepare), ("regression", task.linear(settings))])
    numbers = features.positions("number", "date")
    parts = [
        ("numbers", chain(imputer("median"), StandardScaler()), numbers),
        ("flags", imputer("most_frequent"), features.positions("flag")),
        (
            "categories",
            indicators(),
            features.positions("category"),
        ),
        (
            "means",
            chain(task.target_means(seed), StandardScaler()),
            features.positions("many_categories"),
        ),
    ]
    used = [part for part in parts if part[2]]
    return Pipeline([("prepare", ColumnTransformer(used)), ("regression", task.linear(settings))])


def boosting(features: FeatureSet, settings: Settings, seed: int) -> BaseEstimator:
    """Histogram gradient boosting; takes missing values and up to 255 categories as they are."""
    task = TASKS[features.task]
    many = features.positions("many_categories")
    # target means come first behind the ColumnTransformer below
    rest = [place for place in range(len(features.outputs)) if place not in many]
    categories = set(features.positions("category"))
    made = len(many) * task.means_per_column(features.classes)
    mask = [False] * made + [place in categories for place in rest]
    shared: dict[str, object] = {
        "learning_rate": number_of(settings, "learning_rate", 0.1),
        "max_iter": int(number_of(settings, "max_iter", 100)),
        "max_leaf_nodes": int(number_of(settings, "max_leaf_nodes", 31)),
        "min_samples_leaf": int(number_of(settings, "min_samples_leaf", 20)),
        "l2_regularization": number_of(settings, "l2_regularization", 0.0),
        "max_features": number_of(settings, "max_features", 1.0),
        "categorical_features": mask if any(mask) else None,
        "early_stopping": False,
        "random_state": seed,
    }
    trees = task.trees(settings, shared)
    if not many:
        return trees
    means = ColumnTransformer(
        [("means", task.target_means(seed), many), ("rest", "passthrough", rest)]
    )
    return Pipeline([("prepare", means), ("trees", trees)])


BUILDERS: Mapping[str, Callable[[FeatureSet, Settings, int], BaseEstimator]] = {
    "dummy": dummy,
    "linear": linear,
    "boosting": boosting,
    **text_families.BUILDERS,
}


def build(family: str, features: FeatureSet, settings: Settings, seed: int) -> BaseEstimator:
    """The unfitted "model" step of a family; raises OperationError for an unknown one."""
    if family not in BUILDERS:
        raise OperationError(
            "unknown_family",
            f"there is no model family {family!r}",
            field="family",
            value=family,
            rule=f"is one of {', '.join(BUILDERS)}",
        )
    reads, texts = family in text_families.BUILDERS, bool(features.positions("text"))
    if family not in ("dummy", "linear") and reads != texts:
        raise OperationError(
            "family_does_not_fit",
            f"the family {family} reads {'texts' if reads else 'no texts'}, the features hold"
            f" {'some' if texts else 'none'}",
            field="family",
            value=family,
            rule="reads texts where the features hold texts, and only there",
        )
    if not features.base:
        return BUILDERS[family](features, settings, seed)
    # the simplest answer is then the column itself
    same = DummyRegressor(strategy="constant", constant=0.0)
    model = same if family == "dummy" else BUILDERS[family](features, settings, seed)
    return FromColumn(features.places(features.base)[0], model)


def whole(columns: ColumnTransformer, model: BaseEstimator) -> Pipeline:
    """Fitted steps as one pipeline that takes the raw columns."""
    return Pipeline([("columns", columns), ("model", model)])
