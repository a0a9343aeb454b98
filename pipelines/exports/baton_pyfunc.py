"""What MLflow loads: the serving package, proved against its golden rows, behind `predict`.

This file is copied into the export and runs there, without Baton. Nothing here imports it.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.operations.learning.class_names import PREFIX
from pipelines.operations.packages.loaded import Loaded, load_package, plain_rows

PACKAGE = "package.zip"


class Served:
    """A package as MLflow's python_function: a table in, a table of scores and labels out."""

    def __init__(self, package: Loaded) -> None:
        self.package = package

    def predict(self, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Answer as the prediction endpoint does. Raises RowsError with every problem."""
        rows = plain_rows(model_input, self.package.signature)
        found = self.package.predict(rows)
        table: dict[str, Any] = {"score": found.scores, "label": found.labels}
        for place, name in enumerate(self.package.names):  # of several classes
            table[f"{PREFIX}{name}"] = [shares[place] for shares in found.probabilities]
        if found.reasons:
            table["abstained"] = [bool(why) for why in found.reasons]
            table["reason"] = [why or None for why in found.reasons]
        return pd.DataFrame(table, index=model_input.index)


def _load_pyfunc(path: str) -> Served:
    """Return the model; MLflow calls this. Raises PackageError where it is not what it was."""
    return Served(load_package(Path(path) / PACKAGE))
