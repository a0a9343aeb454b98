"""The row form of a pipeline equals the pipeline, bit for bit where it can."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from pipelines.operations.learning import example, store
from pipelines.operations.learning.families import FAMILIES
from pipelines.operations.rowwise.compile import (
    NotCompilableError,
    RowScorer,
    compile_pipeline,
    largest_difference,
)

NUMBERS = ["wind", "seats"]
TEXTS = ["place", "vehicle"]


def plain(frame: pd.DataFrame) -> list[dict[str, object]]:
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def scores(model: Pipeline, frame: pd.DataFrame) -> np.ndarray:
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(frame))
    return np.asarray(model.predict(frame))[:, None]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_of_ours(family: str, tmp_path: Path) -> None:
    trained = example.write_model(tmp_path, family=family)
    model = store.load(trained.model)
    names = example.features(example.rows()).names
    frame = example.rows(500, seed=9)[names]
    frame.loc[3, "place"] = "XXX"
    frame.loc[4, "vehicle"] = "unknown"
    frame.loc[5, "booked"] = pd.NaT
    rows = plain(frame)
    for row in rows:
        moment = row["booked"]
        row["booked"] = moment.isoformat() if isinstance(moment, pd.Timestamp) else None
    allowed = 1e-12 if family == "linear" else 0.0
    found = largest_difference(compile_pipeline(model, frame), rows, scores(model, frame))
    assert found <= allowed


def stock(*, encoder: object, numbers: object, estimator: object) -> Pipeline:
    columns = ColumnTransformer([("numbers", numbers, NUMBERS), ("texts", encoder, TEXTS)])
    return Pipeline([("columns", columns), ("model", estimator)])


CODES = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
HOT = make_pipeline(
    SimpleImputer(strategy="constant", fill_value="none"),
    OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5),
)
IMPUTED = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())


@pytest.mark.parametrize(
    ("encoder", "numbers", "estimator", "allowed"),
    [
        (CODES, "passthrough", HistGradientBoostingClassifier(max_iter=20), 0.0),
        (
            CODES, "passthrough",
            HistGradientBoostingClassifier(max_iter=20, categorical_features=[2]), 0.0,
        ),
        (CODES, "passthrough", HistGradientBoostingRegressor(max_iter=20), 0.0),
        (
            CODES, SimpleImputer(add_indicator=True),
            RandomForestClassifier(n_estimators=10, random_state=0), 0.0,
        ),
        (HOT, IMPUTED, LogisticRegression(), 1e-12),
        (HOT, make_pipeline(SimpleImputer(), RobustScaler()), Ridge(), 1e-12),
        (
            TargetEncoder(target_type="binary"), make_pipeline(SimpleImputer(), MinMaxScaler()),
            LogisticRegression(), 1e-12,
        ),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Found unknown categories")
def test_stock_parts_of_scikit_learn(
    encoder: object, numbers: object, estimator: object, allowed: float
) -> None:
    train = example.rows(500)
    model = stock(encoder=encoder, numbers=numbers, estimator=estimator)
    model.fit(train[NUMBERS + TEXTS], train["late"])
    frame = example.rows(300, seed=5)[NUMBERS + TEXTS]
    frame.loc[7, "place"] = "XXX"
    scorer = compile_pipeline(model, frame)
    assert largest_difference(scorer, plain(frame), scores(model, frame)) <= allowed


def test_what_mixes_columns_is_left_alone() -> None:
    train = example.rows(200)
    numbers = make_pipeline(SimpleImputer(), PCA(1))
    model = stock(encoder=CODES, numbers=numbers, estimator=HistGradientBoostingClassifier())
    model.fit(train[NUMBERS + TEXTS], train["late"])
    with pytest.raises(NotCompilableError, match="PCA has no row form"):
        compile_pipeline(model, train[NUMBERS + TEXTS])


def test_a_difference_is_found() -> None:
    train = example.rows(200)
    model = stock(encoder=CODES, numbers="passthrough", estimator=HistGradientBoostingClassifier())
    model.fit(train[NUMBERS + TEXTS], train["late"])
    scorer = compile_pipeline(model, train[NUMBERS + TEXTS])
    wrong = RowScorer(scorer.names, scorer.stages, lambda vector: [0.5, 0.5])
    frame = train[NUMBERS + TEXTS]
    assert largest_difference(wrong, plain(frame), scores(model, frame)) > 0.01
