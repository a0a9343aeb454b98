"""A small example of `retrain_clean`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_model, write_rows


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    trained = write_model(folder)
    inputs = {
        "candidate": trained.model,
        "train": write_rows(folder / "train.parquet"),
        "holdout": trained.holdout,
    }
    return inputs, {"rows": 200}
