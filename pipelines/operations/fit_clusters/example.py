"""A small example of `fit_clusters`."""

from pathlib import Path

from pipelines.operations.clusters.example import write_inputs
from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    return write_inputs(folder), {"family": "mixture", "most": 4, "resamples": 5}
