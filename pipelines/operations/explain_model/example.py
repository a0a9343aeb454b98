"""A small example of `explain_model`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_model


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    trained = write_model(folder)
    params: dict[str, Json] = {"rows": 200, "repeats": 3, "curves": 3, "errors": 5}
    return {"candidate": trained.model, "holdout": trained.holdout}, params
