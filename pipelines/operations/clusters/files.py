"""Segment models as files, and the rows that they are judged on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from pipelines.operations.clusters.segmenter import Segmenter
from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning import store
from pipelines.operations.learning.definition import FeatureSet, from_json
from pipelines.operations.learning.families import bad_value, encode
from pipelines.operations.learning.frames import column_names, read_columns, read_features
from pipelines.operations.learning.transformers import BadValueError
from pipelines.operations.learning.weights import WEIGHT
from pipelines.operations.unlabelled.matrix import Floats, preparation, unfinished_allowed

FORMAT = "baton/segments/1"


@dataclass(frozen=True)
class Comparable:
    """Rows as numbers that can be compared, with the fitted steps that made them so."""

    features: FeatureSet
    frame: pd.DataFrame
    columns: BaseEstimator
    prepare: BaseEstimator
    matrix: Floats


@dataclass(frozen=True)
class Segments:
    """A segment model with what its file says about it."""

    model: Pipeline
    about: dict[str, Json]
    features: FeatureSet

    @property
    def segmenter(self) -> Segmenter:
        """The model's last step."""
        found: Segmenter = self.model.named_steps["segments"]
        return found

    def matrix(self, frame: pd.DataFrame, *, field: str) -> Floats:
        """Rows as the numbers that the segmenter takes; raises OperationError for a bad value."""
        try:
            found: Floats = self.model[:-1].transform(frame[self.features.names])
        except BadValueError as error:
            raise bad_value(error, field=field) from error
        return found


def open_rows(rows: Path, features: Path, *, scale: str) -> Comparable:
    """Read and prepare the rows; raises OperationError, also for rows of different weight."""
    definition = read_features(features)
    need_alike(rows)
    frame = read_columns(rows, [*definition.names, *definition.key], field="rows")
    columns, encoded = encode(definition, frame, field="rows")
    prepare = preparation(definition, scale=scale)
    with unfinished_allowed():
        matrix = np.asarray(prepare.fit_transform(encoded), dtype=np.float64)
    return Comparable(definition, frame, columns, prepare, matrix)


def need_alike(rows: Path) -> None:
    """Raise OperationError where rows of a sample weigh differently: no family here can tell."""
    if WEIGHT not in column_names(rows, field="rows"):
        return
    weights = read_columns(rows, [WEIGHT], field="rows")[WEIGHT].to_numpy()
    if weights.size and float(np.ptp(weights)) > 0:
        raise OperationError(
            "weights_not_taken",
            "rows without labels are learned from alike, and these are of different weight",
            field="rows",
            value=WEIGHT,
            rule="the rows are no stratified sample",
        )


def write_segments(
    rows: Comparable, segmenter: Segmenter, path: Path, *, about: dict[str, Json]
) -> Path:
    """The whole pipeline, from raw columns to segments, as a file that says what it is."""
    steps = [("columns", rows.columns), ("prepare", rows.prepare), ("segments", segmenter)]
    said: dict[str, Json] = {"format": FORMAT, "features": rows.features.as_json(), **about}
    return store.dump(Pipeline(steps), path, said)


def open_segments(path: Path, *, field: str = "candidate") -> Segments:
    """Load a segment model; raises OperationError for any other file."""
    model = store.load(path, field=field)
    about = store.about(path)
    definition = about.get("features")
    if about.get("format") != FORMAT or not isinstance(definition, dict):
        raise OperationError(
            "no_segment_model",
            f"{field} is no segment model",
            field=field,
            value=str(about.get("format")),
            rule=f"its format is {FORMAT}",
        )
    return Segments(model, about, from_json(definition))
