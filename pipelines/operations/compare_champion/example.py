"""A small example of `compare_champion`: boosting against the linear model that serves."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.packages.example import write_package


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    challenger = write_package(folder)
    champion = write_package(folder, family="linear")
    inputs = {
        "challenger": challenger.package,
        "champion": champion.package,
        "holdout": challenger.holdout,
    }
    costs: Json = {"cost_fp": 100, "cost_fn": 400, "currency": "USD"}
    return inputs, {"costs": costs, "samples": 100, "time": "leaves"}
