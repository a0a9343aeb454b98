"""A small example of `judge_anomalies`."""

from pathlib import Path

from pipelines.operations.anomalies.example import fitted, write_inputs
from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    given = write_inputs(folder)
    inputs = {
        "candidate": fitted(folder, given),
        "holdout": given["holdout"],
        "checked": given["checked"],
    }
    return inputs, {"capacity": 2.0, "k": 10, "label": "strange"}
