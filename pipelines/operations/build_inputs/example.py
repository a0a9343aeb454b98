"""A small example of `build_inputs`."""

from pathlib import Path

from pipelines.operations.clusters.example import write_inputs
from pipelines.operations.contract import Json
from pipelines.operations.tables import write_document


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    columns: list[Json] = [
        {"name": name, "type": kind, "available": "before"}
        for name, kind in (("length", "float"), ("speed", "float"), ("hull", "text"))
    ]
    contract: dict[str, Json] = {"columns": columns, "key_column": "boat", "time_column": ""}
    inputs = {
        "rows": write_inputs(folder)["rows"],
        "contract": write_document(folder / "contract.json", contract),
    }
    return inputs, {"exclude": ["kind"]}
