"""A small example of `select_anomalies`."""

from pathlib import Path

from pipelines.operations.anomalies.example import fitted, write_inputs
from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path | dict[str, Path]], dict[str, Json]]:
    """Inputs and params."""
    given = write_inputs(folder)
    models = {family: fitted(folder, given, family=family) for family in ("robust_z", "one_class")}
    return {"models": models, "checked": given["checked"]}, {"capacity": 2.0}
