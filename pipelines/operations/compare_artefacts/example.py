"""A small example of `compare_artefacts`: a metric that moved by less than it may."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.tables import write_document


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    metric: dict[str, Json] = {"value": 0.9, "low": 0.8, "high": 1.0}
    kept = write_document(folder / "kept.json", {"roc_auc": metric, "rows": 100})
    moved: dict[str, Json] = {**metric, "value": 0.901}
    again = write_document(folder / "again.json", {"roc_auc": moved, "rows": 100})
    return {"kept": kept, "again": again}, {"media": "json"}
