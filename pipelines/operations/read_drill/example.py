"""A small example of `read_drill`: to version 2 and back to 1."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.tables import write_document


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    record: dict[str, Json] = {
        "at": "2024-03-04T00:00:00+00:00", "model": "late-flights", "to": 2, "from": 1,
        "forward": {"by": 2, "asked": 20, "right": 20, "load_seconds": 0.3},
        "back": {"by": 1, "asked": 20, "right": 20, "load_seconds": 0.2},
        "untouched": True, "drill_seconds": 0.7,
    }  # fmt: skip
    return {"record": write_document(folder / "record.json", record)}, {}
