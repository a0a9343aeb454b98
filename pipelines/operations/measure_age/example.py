"""A small example of `measure_age`: a newest row two and a half days old."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.tables import write_document


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    freshness: dict[str, Json] = {
        "newest": "2024-03-01T12:00:00", "time_column": "time_hour", "max_age_days": 7,
    }  # fmt: skip
    inputs = {
        "report": write_document(folder / "report.json", {"freshness": freshness}),
        "moment": write_document(folder / "moment.json", {"now": "2024-03-04T00:00:00+00:00"}),
    }
    return inputs, {}
