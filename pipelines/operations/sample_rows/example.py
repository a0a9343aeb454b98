"""A small example of `sample_rows`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.examples import write_flights


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    params: dict[str, Json] = {"limit": 100, "target": "late", "min_class_rows": 30}
    return {"table": write_flights(folder / "table.parquet")}, params
