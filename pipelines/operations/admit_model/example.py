"""A small example of `admit_model`."""

from pathlib import Path

from pipelines.operations.brought.example import write_all
from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    return write_all(folder).inputs(), {"rows": 200, "singles": 10}
