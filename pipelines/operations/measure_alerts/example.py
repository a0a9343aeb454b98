"""A small example of `measure_alerts`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.packages.example import write_window
from pipelines.operations.tables import write_document


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    facts: dict[str, Json] = {"threshold": 0.8, "capacity": 5.0}
    inputs = {
        "window": write_window(folder, labels=200).window,
        "evaluation": write_document(folder / "evaluation.json", {"facts": facts}),
    }
    return inputs, {}
