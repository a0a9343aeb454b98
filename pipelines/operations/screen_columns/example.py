"""A small example of `screen_columns`."""

from pathlib import Path

from pipelines.operations.clusters.example import write_inputs
from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    return {"rows": write_inputs(folder)["rows"]}, {"key_column": "boat"}
