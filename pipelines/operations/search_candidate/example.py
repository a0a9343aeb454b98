"""A small example of `search_candidate`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_features, write_rows


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    inputs = {"train": write_rows(folder / "train.parquet"), "features": write_features(folder)}
    return inputs, {"family": "linear", "n_trials": 4, "folds": 2}
