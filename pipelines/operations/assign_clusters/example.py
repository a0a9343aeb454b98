"""A small example of `assign_clusters`."""

from pathlib import Path

from pipelines.operations.clusters.example import write_candidate
from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    given = write_candidate(folder)
    inputs = {
        "candidate": given["candidate"],
        "rows": given["rows"],
        "learned": given["rows"],
    }
    return inputs, {"names": {"segment 1": "big boats"}, "singles": 5}
