"""A small example of `select_clusters`."""

from pathlib import Path

from pipelines.operations.clusters.example import fitted, write_inputs
from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path | dict[str, Path]], dict[str, Json]]:
    """Inputs and params."""
    given = write_inputs(folder)
    both = {family: fitted(folder, given, family=family) for family in ("kmeans", "density")}
    return {
        "models": {name: found.outputs["model"] for name, found in both.items()},
        "scores": {name: found.outputs["scores"] for name, found in both.items()},
    }, {}
