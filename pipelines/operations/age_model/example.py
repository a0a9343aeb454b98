"""A small example of `age_model`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_model, write_rows


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    trained = write_model(folder)
    inputs = {
        "candidate": trained.model,
        "train": write_rows(folder / "train.parquet", 1200),
        "holdout": trained.holdout,
    }
    return inputs, {"ages": 2, "tests": 2, "window": 2, "samples": 50}
