"""A small example of `profile`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.examples import write_flights


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    return {"table": write_flights(folder / "table.parquet")}, {"bins": 5}
