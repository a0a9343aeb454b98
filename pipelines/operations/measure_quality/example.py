"""A small example of `measure_quality`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.packages.example import write_window


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    made = write_window(folder, rows=400, labels=300)
    costs: Json = {"cost_fp": 100, "cost_fn": 400, "currency": "USD"}
    inputs = {"window": made.window, "predictions": made.predictions}
    return inputs, {"positive": "1", "costs": costs, "samples": 100}
