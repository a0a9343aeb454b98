"""A small example of `evaluate_classes`."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.contract import Json
from pipelines.operations.tables import write_document, write_table


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    rng = np.random.default_rng(3)
    scores = rng.uniform(0.02, 0.98, 400)
    labels = (rng.random(400) < scores).astype("int64")
    rows = pd.DataFrame({"score": scores, "label": labels, "flagged": scores >= 0.5})
    authors = pd.DataFrame({"author": [f"author {number // 8}" for number in range(400)]})
    document: dict[str, Json] = {
        "facts": {"threshold": 0.5, "positive": "praise", "target": "kind"}
    }
    inputs = {
        "predictions": write_table(rows, folder / "predictions.parquet"),
        "evaluation": write_document(folder / "evaluation.json", document),
        "holdout": write_table(authors, folder / "holdout.parquet"),
    }
    return inputs, {"group_column": "author", "samples": 100}
