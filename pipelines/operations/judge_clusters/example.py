"""A small example of `judge_clusters`."""

from pathlib import Path

from pipelines.operations.clusters.example import rows, write_candidate
from pipelines.operations.contract import Json
from pipelines.operations.tables import write_table


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    given = write_candidate(folder)
    unseen = write_table(rows(250, seed=2), folder / "unseen.parquet")
    inputs = {"candidate": given["candidate"], "rows": given["rows"], "holdout": unseen}
    return inputs, {"resamples": 5, "shuffles": 9}
