"""A small example of `load_test`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.packages.example import write_package


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    made = write_package(folder)
    return {"package": made.package, "holdout": made.holdout}, {"rows": 40, "singles": 30}
