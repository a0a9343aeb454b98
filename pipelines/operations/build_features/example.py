"""A small example of `build_features`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_contract, write_rows


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    inputs = {"train": write_rows(folder / "train.parquet"), "contract": write_contract(folder)}
    return inputs, {"target": "late", "exclude": ["note"]}
