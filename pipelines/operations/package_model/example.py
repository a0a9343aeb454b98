"""A small example of `package_model`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_contract, write_model


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    trained = write_model(folder)
    inputs = {
        "candidate": trained.model,
        "holdout": trained.holdout,
        "contract": write_contract(folder),
    }
    return inputs, {"threshold": 0.4, "golden": 50}
