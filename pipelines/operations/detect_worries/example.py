"""A small example of `detect_worries`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.examples import TARGET, TIME, write_contract, write_flights


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    table = write_flights(folder / "table.parquet")
    contract = write_contract(table, folder / "contract.json", after=("arr_delay",))
    inputs = {"table": table, "contract": contract}
    return inputs, {"target": TARGET, "time_column": TIME}
