"""A small example of `screen_fairness`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_model


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    trained = write_model(folder)
    params: dict[str, Json] = {"sensitive": ["place", "holiday"], "samples": 100}
    return {"candidate": trained.model, "holdout": trained.holdout}, params
