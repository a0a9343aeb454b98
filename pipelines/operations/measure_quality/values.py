"""Late labels that are numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations import windows
from pipelines.operations.contract import Context, Json, finite
from pipelines.operations.learning.conformal import Margin, coverage
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.unit_costs import parse_unit_cost, worth
from pipelines.operations.measure_quality.classes import money_facts
from pipelines.operations.measure_quality.reading import Scored
from pipelines.operations.tables import read_table

PROMISED = {"score", "low", "high", "level", "calibrates"}


class ValueReading:
    """The number that came out, as text; what is no number counts as not reported."""

    def known(self, window: pd.DataFrame) -> pd.DataFrame:
        """Every row with an outcome that is a finite number."""
        found = np.isfinite(_numbers(window)) & window[windows.SCORE].notna().to_numpy()
        return window[found]

    def truth(self, context: Context, known: pd.DataFrame) -> np.ndarray:
        """The numbers."""
        return _numbers(known)

    def scores(self, known: pd.DataFrame) -> Floats:
        """What was answered."""
        return known[windows.SCORE].to_numpy(dtype=np.float64)

    def ready(self, truth: np.ndarray) -> bool:
        """Two rows or more."""
        return truth.size >= 2

    def offline(self, path: Path) -> tuple[Floats, np.ndarray]:
        """Predictions and outcomes of the evaluation."""
        table = read_table(path, ["score", "label"])
        return table["score"].to_numpy(dtype=np.float64), table["label"].to_numpy(dtype=np.float64)

    def more(
        self, context: Context, known: pd.DataFrame, *, now: Scored, before: np.ndarray
    ) -> dict[str, Json]:
        """Bias, means now and before, coverage of the interval; money beside the usual answer."""
        predictions = read_table(context.inputs["predictions"])
        facts: dict[str, Json] = {
            "bias": finite(float((now.scores - now.truth).mean()), 6),
            "mean_truth": finite(float(now.truth.mean()), 6),
            "reference_mean_truth": finite(float(before.mean()), 6),
            "interval": _covered(predictions, now),
        }
        cost = parse_unit_cost(context.mapping("costs"))
        if cost is None or "usual" not in predictions.columns:
            return facts
        usual = float(predictions["usual"].iloc[0])
        money = worth(now.scores, now.truth, usual, cost)
        beside: dict[str, Json] = {"beside": f"always answering {usual:g}"}
        return facts | money_facts(money, now, cost.currency) | beside


def _numbers(rows: pd.DataFrame) -> Floats:
    parsed = pd.to_numeric(rows[windows.ACTUAL], errors="coerce")
    return parsed.to_numpy(dtype=np.float64)


def _covered(predictions: pd.DataFrame, now: Scored) -> Json:
    """Coverage of the promised interval on the outcomes; None where none was promised."""
    if not set(predictions.columns) >= PROMISED or predictions["low"].isna().any():
        return None
    first, rows = predictions.iloc[0], int(predictions["calibrates"].sum())
    low, high = float(first["low"] - first["score"]), float(first["high"] - first["score"])
    promised = Margin(low, high, float(first["level"]), rows)
    found = coverage(now.truth - now.scores, promised, now.drawn.blocks)
    return {
        "level": found.promised,
        "coverage": finite(found.share, 6),
        "tolerance": finite(found.tolerance, 6),
        "holds": found.holds,
    }
