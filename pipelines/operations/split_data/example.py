"""A small example of `split_data`: by time."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.examples import TARGET, TIME, write_flights


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    params: dict[str, Json] = {
        "target": TARGET,
        "time_column": TIME,
        "train_until": "2013-08-01",
        "decide_until": "2013-10-01",
    }
    return {"table": write_flights(folder / "table.parquet")}, params
