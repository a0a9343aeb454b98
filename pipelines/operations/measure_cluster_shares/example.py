"""A small example of `measure_cluster_shares`."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.clusters.example import rows, write_candidate
from pipelines.operations.contract import Json
from pipelines.operations.tables import write_table


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    given = write_candidate(folder)
    before = pd.DataFrame({"segment": np.repeat([1, 2, 3], [150, 90, 60]), "membership": 0.99})
    inputs = {
        "candidate": given["candidate"],
        "assignments": write_table(before, folder / "assignments.parquet"),
        "rows": write_table(rows(250, seed=3, move=0.6), folder / "later.parquet"),
    }
    return inputs, {}
