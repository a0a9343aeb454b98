"""A small example of `train_candidate`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_features, write_rows


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    inputs = {"train": write_rows(folder / "train.parquet"), "features": write_features(folder)}
    return inputs, {"family": "boosting", "folds": 3, "settings": {"max_iter": 20}}
