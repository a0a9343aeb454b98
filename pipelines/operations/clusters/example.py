"""Rows in three plain groups, and what is learned from them, for examples and tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome, clean_params
from pipelines.operations.fit_clusters.compute import run as fit
from pipelines.operations.fit_clusters.spec import SPEC as FIT
from pipelines.operations.learning.definition import FeatureColumn, FeatureSet
from pipelines.operations.tables import write_document, write_table

CENTRES = ((0.0, 0.0), (6.0, 0.0), (0.0, 6.0))


def rows(count: int = 300, *, seed: int = 1, move: float = 0.0) -> pd.DataFrame:
    """Boats of three kinds; `move` takes that share of the first kind into the second."""
    draw = np.random.default_rng(seed)
    kind = np.sort(draw.choice(3, count, p=[0.5 - move / 2, 0.3 + move / 2, 0.2]))
    at = np.asarray(CENTRES)[kind] + draw.normal(0, 0.7, (count, 2))
    frame = pd.DataFrame(
        {
            "boat": [f"B{number:04d}" for number in range(count)],
            "length": 10 + 3 * at[:, 0],
            "speed": 5 + 2 * at[:, 1],
            "hull": pd.Series(np.asarray(["steel", "wood", "carbon"])[kind], dtype="str"),
            "kind": kind,
        }
    )
    frame.loc[frame.index % 29 == 0, "speed"] = np.nan
    return frame.iloc[draw.permutation(count)].reset_index(drop=True)


def features(frame: pd.DataFrame) -> FeatureSet:
    """The definition that `build_inputs` gives for them."""
    hulls = tuple(sorted(str(value) for value in frame["hull"].unique()))
    columns = (
        FeatureColumn("length", "number", "float64", "before"),
        FeatureColumn("speed", "number", "float64", "before"),
        FeatureColumn("hull", "category", "str", "before", hulls),
    )
    return FeatureSet(target="", classes=(0, 1), columns=columns, key=("boat",))


def write_inputs(folder: Path, *, count: int = 300, seed: int = 1) -> dict[str, Path]:
    """Rows and feature definition as files."""
    frame = rows(count, seed=seed)
    return {
        "rows": write_table(frame, folder / "rows.parquet"),
        "features": write_document(folder / "features.json", features(frame).as_json()),
    }


def fitted(folder: Path, given: dict[str, Path], *, family: str = "kmeans") -> Outcome:
    """A segment model and its scores."""
    place = folder / family
    place.mkdir()
    params: dict[str, Json] = {"family": family, "resamples": 5, "most": 4, "rows": 300}
    return fit(
        Context(spec=FIT, folder=place, inputs=given, params=clean_params(FIT, params), seed=1)
    )


def write_candidate(folder: Path) -> dict[str, Path]:
    """Rows, features and a segment model."""
    given = write_inputs(folder)
    return {**given, "candidate": fitted(folder, given).outputs["model"]}
