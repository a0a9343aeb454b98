"""A small example of `refit_anomalies`."""

from pathlib import Path

from pipelines.operations.anomalies.example import fitted, write_inputs
from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    given = write_inputs(folder)
    inputs = {
        "candidate": fitted(folder, given),
        "train": given["train"],
        "holdout": given["holdout"],
    }
    return inputs, {}
