"""A small example of `measure_drift`: the wind blows harder in the window."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.packages.example import write_window


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    made = write_window(folder, rows=600, shift=8.0)
    inputs = {"window": made.window, "reference": made.holdout, "predictions": made.predictions}
    return inputs, {"ignore": ["booked"]}
