"""A small example of `seal_contract`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.examples import write_contract, write_flights


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    contract = write_contract(write_flights(folder / "table.parquet"), folder / "proposed.json")
    params: dict[str, Json] = {
        "declarations": {"arr_delay": "after", "carrier": {"available": "before", "pii": False}},
        "default_available": "before",
        "origin": "made up",
        "rights": "free",
    }
    return {"contract": contract}, params
