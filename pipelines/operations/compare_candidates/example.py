"""A small example of `compare_candidates`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_model


def example(folder: Path) -> tuple[dict[str, Path | dict[str, Path]], dict[str, Json]]:
    """Inputs and params; the inputs of `many` ports map names to files."""
    made = write_model(folder)
    dummy = write_model(folder, family="dummy").model
    inputs: dict[str, Path | dict[str, Path]] = {
        "candidate": made.model,
        "models": {"tune.dummy.model": dummy},
        "holdout": made.holdout,
    }
    return inputs, {"metric": "roc_auc", "samples": 100}
