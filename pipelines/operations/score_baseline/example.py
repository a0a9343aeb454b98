"""A small example of `score_baseline`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.examples import TARGET, write_flights


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    inputs = {
        "train": write_flights(folder / "train.parquet"),
        "holdout": write_flights(folder / "holdout.parquet", rows=300, seed=2),
    }
    return inputs, {"target": TARGET, "exclude": ["arr_delay"], "resamples": 20}
