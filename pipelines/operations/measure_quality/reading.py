"""Outcomes as they were reported, read as the task needs them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import Resampling


@dataclass(frozen=True)
class Scored:
    """Rows with score, outcome and a resampling of their days."""

    scores: Floats
    truth: np.ndarray
    drawn: Resampling


class Reading(Protocol):
    """What the outcomes of a task are, and what they say beyond the score."""

    def known(self, window: pd.DataFrame) -> pd.DataFrame:
        """Answered rows whose outcome has come in and can be read."""
        ...

    def truth(self, context: Context, known: pd.DataFrame) -> np.ndarray:
        """Their outcomes."""
        ...

    def scores(self, known: pd.DataFrame) -> Floats:
        """What was answered to them."""
        ...

    def ready(self, truth: np.ndarray) -> bool:
        """Whether scores of such outcomes are defined."""
        ...

    def offline(self, path: Path) -> tuple[Floats, np.ndarray]:
        """Scores and outcomes of the evaluation."""
        ...

    def more(
        self, context: Context, known: pd.DataFrame, *, now: Scored, before: np.ndarray
    ) -> dict[str, Json]:
        """Further facts: how outcomes moved, and what the answers were worth."""
        ...
