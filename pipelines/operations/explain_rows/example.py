"""A small example of `explain_rows`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_model


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    trained = write_model(folder)
    params: dict[str, Json] = {"errors": 4, "close": 2, "others": 2, "orders": 8}
    return {"candidate": trained.model, "holdout": trained.holdout}, params
