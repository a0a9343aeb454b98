"""A small example of `infer_contract`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.examples import TARGET, TIME, write_flights, write_profile


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    table = write_flights(folder / "table.parquet")
    profile = write_profile(table, folder / "profile.json")
    return {"table": table, "profile": profile}, {"target": TARGET, "time_column": TIME}
