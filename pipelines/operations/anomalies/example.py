"""Hours of pumps that mostly run alike, and what is learned from them, for examples and tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.anomalies.planting import KINDS, PLANTED, plant
from pipelines.operations.contract import Context, Json, clean_params
from pipelines.operations.fit_anomalies.compute import run as fit
from pipelines.operations.fit_anomalies.spec import SPEC as FIT
from pipelines.operations.learning.definition import FeatureColumn, FeatureSet
from pipelines.operations.tables import write_document, write_table

NAMES = ("load", "heat", "flow", "pump")


def rows(count: int = 600, *, seed: int = 1, start: str = "2024-01-01") -> pd.DataFrame:
    """Load, heat that follows it, flow, and the pump; every twentieth hour is marked strange."""
    draw = np.random.default_rng(seed)
    load = draw.normal(50, 8, count)
    strange = draw.random(count) < 0.05
    frame = pd.DataFrame(
        {
            "hour": np.arange(count),
            "at": pd.date_range(start, periods=count, freq="h"),
            "load": load,
            "heat": load * 0.8 + draw.normal(0, 2, count) + np.where(strange, 40.0, 0.0),
            "flow": draw.gamma(4.0, 5.0, count),
            "pump": pd.Series(draw.choice(np.asarray(["A", "B"]), count), dtype="str"),
            "strange": strange.astype("int64"),
        }
    )
    frame.loc[frame.index % 31 == 0, "flow"] = np.nan
    return frame


def features() -> FeatureSet:
    """The definition that `build_inputs` gives for them."""
    columns = (
        FeatureColumn("load", "number", "float64", "before"),
        FeatureColumn("heat", "number", "float64", "before"),
        FeatureColumn("flow", "number", "float64", "before"),
        FeatureColumn("pump", "category", "str", "before", ("A", "B")),
    )
    return FeatureSet(target=PLANTED, classes=(0, 1), columns=columns, key=("hour",), time="at")


def write_inputs(folder: Path) -> dict[str, Path]:
    """Training rows, later rows, later rows with planted anomalies, and the definition."""
    later = rows(300, seed=2, start="2024-03-01")
    planted = plant(later, NAMES, kinds=KINDS, count=60, strength=8.0, seed=3)
    return {
        "train": write_table(rows(), folder / "train.parquet"),
        "holdout": write_table(later, folder / "holdout.parquet"),
        "checked": write_table(planted, folder / "checked.parquet"),
        "features": write_document(folder / "features.json", features().as_json()),
    }


def fitted(folder: Path, given: dict[str, Path], *, family: str = "forest") -> Path:
    """A model file of that family."""
    place = folder / family
    place.mkdir()
    params: dict[str, Json] = {"family": family}
    inputs = {"train": given["train"], "features": given["features"]}
    return fit(
        Context(spec=FIT, folder=place, inputs=inputs, params=clean_params(FIT, params), seed=1)
    ).outputs["model"]
