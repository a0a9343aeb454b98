"""A small example of `evaluate_model`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_model


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    trained = write_model(folder)
    params: dict[str, Json] = {
        "costs": {"cost_fp": 20, "cost_fn": 50, "benefit_tp": 10, "currency": "EUR"},
        "target_metric": "ROC AUC",
        "target_value": 0.6,
        "samples": 100,
    }
    return {"candidate": trained.model, "holdout": trained.holdout}, params
