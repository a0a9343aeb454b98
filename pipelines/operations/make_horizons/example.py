"""A small example of `make_horizons`: sixty days of two places."""

from pathlib import Path

import pandas as pd

from pipelines.operations.contract import Context, Json, clean_params
from pipelines.operations.make_series.compute import run
from pipelines.operations.make_series.example import example as events
from pipelines.operations.make_series.spec import SPEC
from pipelines.operations.tables import read_table


def write_series(folder: Path) -> Path:
    """The daily series of the events' example."""
    inputs, params = events(folder)
    place = folder / "made"
    place.mkdir(exist_ok=True)
    given = clean_params(SPEC, params)
    outcome = run(Context(spec=SPEC, folder=place, inputs=inputs, params=given))
    return outcome.outputs["series"]


def series(folder: Path) -> pd.DataFrame:
    """The same in memory."""
    return read_table(write_series(folder))


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    return {"series": write_series(folder)}, {"horizons": 3, "season": 7, "windows": [7]}
