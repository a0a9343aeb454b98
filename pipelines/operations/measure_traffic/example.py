"""A small example of `measure_traffic`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.packages.example import write_window


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    made = write_window(folder, rows=400)
    inputs = {"window": made.window, "reference": made.predictions}
    return inputs, {"minimum": 300, "minimum_hours": 24}
