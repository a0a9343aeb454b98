"""A small example of `split_origins`."""

from pathlib import Path

from pipelines.operations.contract import Context, Json, clean_params
from pipelines.operations.make_horizons.compute import run
from pipelines.operations.make_horizons.example import example as forecasts
from pipelines.operations.make_horizons.spec import SPEC


def write_forecasts(folder: Path) -> Path:
    """The table of forecasts of the horizons' example."""
    inputs, params = forecasts(folder)
    place = folder / "horizons"
    place.mkdir(exist_ok=True)
    given = clean_params(SPEC, params)
    outcome = run(Context(spec=SPEC, folder=place, inputs=inputs, params=given))
    return outcome.outputs["table"]


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    return {"table": write_forecasts(folder)}, {"train_until": "2024-02-15"}
