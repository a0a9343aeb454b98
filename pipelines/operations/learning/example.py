"""Small tables, definitions and models for the examples of the model operations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.contract import Json
from pipelines.operations.learning import store
from pipelines.operations.learning.candidates import about_model
from pipelines.operations.learning.definition import FeatureColumn, FeatureSet
from pipelines.operations.learning.families import build, encode, whole
from pipelines.operations.learning.labels import as_labels
from pipelines.operations.tables import write_document, write_table

PLACES = ("AMS", "BRU", "CDG", "DUS")


def rows(count: int = 600, *, seed: int = 1, start: str = "2024-01-01") -> pd.DataFrame:
    """Journeys of which those in wind from one place tend to be late; all kinds of columns."""
    rng = np.random.default_rng(seed)
    wind, place = rng.normal(20, 8, count), rng.choice(PLACES, count)
    chance = 1 / (1 + np.exp(-(0.15 * (wind - 24) + (place == "CDG") - 0.3)))
    moment = pd.date_range(start, periods=count, freq="h", tz="UTC")
    frame = pd.DataFrame(
        {
            "journey": np.arange(count),
            "leaves": moment,
            "wind": wind,
            "seats": rng.integers(50, 300, count).astype("float64"),
            "place": place,
            "vehicle": [f"N{number:03d}" for number in rng.integers(0, 300, count)],
            "holiday": rng.random(count) < 0.1,
            "booked": moment - pd.to_timedelta(rng.integers(1, 90, count), unit="D"),
            "note": [f"row {number}" for number in range(count)],
            "late": (rng.random(count) < chance).astype("int64"),
        }
    )
    frame.loc[frame.index % 17 == 0, "seats"] = np.nan
    frame.loc[frame.index % 23 == 0, "place"] = None
    return frame


def features(frame: pd.DataFrame) -> FeatureSet:
    """The definition that `build_features` would give for these rows, without the note."""
    vehicles = tuple(sorted(frame["vehicle"].unique()))
    columns = (
        FeatureColumn("wind", "number", "float64", "before"),
        FeatureColumn("seats", "number", "float64", "before"),
        FeatureColumn("place", "category", "str", "before", PLACES),
        FeatureColumn("vehicle", "many_categories", "str", "before", vehicles),
        FeatureColumn("holiday", "flag", "bool", "before"),
        FeatureColumn("booked", "date", "datetime64[us, UTC]", "before"),
    )
    return FeatureSet("late", (0, 1), columns, ("journey",), "leaves")


def write_rows(path: Path, count: int = 600, *, seed: int = 1, start: str = "2024-01-01") -> Path:
    """The rows as a Parquet table."""
    return write_table(rows(count, seed=seed, start=start), path)


def write_contract(folder: Path) -> Path:
    """A sealed data contract of those rows, as far as the model operations read it."""
    types = {
        "journey": "int", "leaves": "time", "wind": "float", "seats": "int", "place": "text",
        "vehicle": "text", "holiday": "bool", "booked": "time", "note": "text", "late": "int",
    }  # fmt: skip
    columns: list[Json] = [
        {"name": name, "type": kind, "available": "after" if name == "late" else "before"}
        for name, kind in types.items()
    ]
    contract: dict[str, Json] = {
        "columns": columns,
        "key_column": "journey",
        "time_column": "leaves",
    }
    return write_document(folder / "contract.json", contract)


def write_features(folder: Path) -> Path:
    """The definition as an artefact."""
    return write_document(folder / "features.json", features(rows()).as_json())


@dataclass(frozen=True)
class Trained:
    """A model file and the rows after those that it was trained on."""

    model: Path
    holdout: Path


def write_model(
    folder: Path, *, family: str = "boosting", seed: int = 1, group: str = ""
) -> Trained:
    """A small model of that family and a holdout of 400 later rows."""
    frame = rows()
    definition = replace(features(frame), group=group)
    columns, matrix = encode(definition, frame, field="train")
    settings: dict[str, Json] = {"max_iter": 20, "min_samples_leaf": 10}
    model = build(family, definition, settings, seed)
    model.fit(matrix, as_labels(frame["late"], (0, 1)))
    about = about_model(definition, family=family, settings=settings, seed=seed)
    path = store.dump(whole(columns, model), folder / f"{family}.skops", about)
    holdout = write_rows(folder / "holdout.parquet", 400, seed=2, start="2024-03-01")
    return Trained(path, holdout)
