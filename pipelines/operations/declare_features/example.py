"""A small example of `declare_features`."""

from pathlib import Path

from pipelines.operations.brought.example import write_all
from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    made = write_all(folder)
    inputs = {"declaration": made.declaration, "train": made.train, "contract": made.contract}
    return inputs, {"target": "late"}
