"""A small example of `fit_anomalies`."""

from pathlib import Path

from pipelines.operations.anomalies.example import write_inputs
from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    given = write_inputs(folder)
    return {"train": given["train"], "features": given["features"]}, {"family": "neighbours"}
