"""A small example of `scan_leakage`: arr_delay gives the target away."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.examples import TARGET, TIME, write_flights


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    inputs = {
        "table": write_flights(folder / "train.parquet"),
        "holdout": write_flights(folder / "holdout.parquet", rows=200, seed=2),
    }
    return inputs, {"target": TARGET, "time_column": TIME}
