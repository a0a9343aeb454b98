"""A small example of `stress_model`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_model


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    trained = write_model(folder)
    return {"candidate": trained.model, "holdout": trained.holdout}, {"rows": 150}
