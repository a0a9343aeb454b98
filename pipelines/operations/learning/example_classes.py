"""The journeys of `example` with what became of them, for classifications of several classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.contract import Json
from pipelines.operations.learning import store
from pipelines.operations.learning.candidates import about_model
from pipelines.operations.learning.definition import FeatureSet
from pipelines.operations.learning.example import Trained
from pipelines.operations.learning.example import features as class_features
from pipelines.operations.learning.example import rows as class_rows
from pipelines.operations.learning.families import build, encode, whole
from pipelines.operations.learning.tasks import TASKS
from pipelines.operations.tables import write_document, write_table

TARGET = "outcome"
CLASSES = ("diverted", "late", "on time")


def rows(count: int = 600, *, seed: int = 1, start: str = "2024-01-01") -> pd.DataFrame:
    """On time, late in wind and from one place, or diverted in storms: three classes, one rare."""
    frame = class_rows(count, seed=seed, start=start).drop(columns="late")
    rng = np.random.default_rng([seed, 8])
    late = 0.2 * (frame["wind"] - 22) + 1.2 * (frame["place"] == "CDG")
    raw = np.column_stack([0.35 * (frame["wind"] - 30), late, np.full(count, 0.8)])
    shares = np.exp(raw - raw.max(axis=1, keepdims=True))
    ends = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)
    picked = np.minimum((rng.random(count)[:, None] >= ends).sum(axis=1), 2)
    return frame.assign(**{TARGET: np.asarray(CLASSES, dtype=object)[picked]})


def features(frame: pd.DataFrame) -> FeatureSet:
    """The definition that `build_features` would give for these rows, without the note."""
    return replace(class_features(frame), target=TARGET, classes=CLASSES, task="multiclass")


def write_rows(path: Path, count: int = 600, *, seed: int = 1, start: str = "2024-01-01") -> Path:
    """The rows as a Parquet table."""
    return write_table(rows(count, seed=seed, start=start), path)


def write_features(folder: Path) -> Path:
    """The definition as an artefact."""
    return write_document(folder / "features.json", features(rows()).as_json())


def write_model(
    folder: Path, *, family: str = "boosting", seed: int = 1, group: str = ""
) -> Trained:
    """A small model of that family and a holdout of 400 later rows."""
    frame, task = rows(), TASKS["multiclass"]
    definition = replace(features(frame), group=group)
    columns, matrix = encode(definition, frame, field="train")
    settings: dict[str, Json] = {"max_iter": 20, "min_samples_leaf": 10}
    settings = settings if family == "boosting" else {}
    truth = task.truth(frame[TARGET], CLASSES)
    model = build(family, definition, settings, seed).fit(matrix, truth)
    about = about_model(definition, family=family, settings=settings, seed=seed)
    path = store.dump(whole(columns, model), folder / f"{family}.skops", about)
    holdout = write_rows(folder / "holdout.parquet", 400, seed=2, start="2024-03-01")
    return Trained(path, holdout)
