"""A small example of `validate_data`: the table breaks a range and a category."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.examples import flights_frame, write_contract, write_flights
from pipelines.operations.tables import write_table


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    contract = write_contract(write_flights(folder / "known.parquet"), folder / "contract.json")
    frame = flights_frame(100, seed=2)
    frame.loc[3, "distance"] = 99_999
    frame.loc[5, "carrier"] = "ZZ"
    table = write_table(frame, folder / "table.parquet")
    return {"table": table, "contract": contract}, {"as_of": "2013-11-01"}
