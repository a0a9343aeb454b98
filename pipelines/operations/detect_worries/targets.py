"""What is predicted: classes, a number, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from pipelines.operations.tables import as_numbers, column_type

CLASSES = 20  # a number with more values is no target of classes, unless somebody says so (own)


@dataclass(frozen=True)
class Target:
    """The target's kind, with a code per row for classes or the numbers themselves."""

    name: str
    kind: Literal["classes", "number"]
    codes: np.ndarray
    numbers: np.ndarray
    classes: tuple[object, ...] = ()

    @classmethod
    def of(cls, series: pd.Series, task: str = "") -> Target:
        """Classes or a number: as `task` says, else by type and the number of values."""
        few = series.nunique() <= CLASSES
        texts = column_type(series) in ("text", "bool")
        if texts or task == "classification" or (task != "regression" and few):
            codes, values = pd.factorize(series, sort=False)
            order = np.argsort([str(value) for value in values], kind="stable")
            rank = np.empty(len(order), dtype=int)
            rank[order] = np.arange(len(order))
            named = tuple(values[place] for place in order)
            return cls(str(series.name), "classes", rank[codes], np.empty(0), named)
        return cls(str(series.name), "number", np.empty(0, dtype=int), as_numbers(series))
