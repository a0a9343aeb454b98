"""Late labels that are numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations import windows
from pipelines.operations.contract import Context, Json, finite
from pipelines.operations.learning.conformal import counted, expected_share
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.unit_costs import parse_unit_cost, without_model, worth
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
            "interval": _covered(predictions, known, now),
        }
        cost = parse_unit_cost(context.mapping("costs"))
        if cost is None or "usual" not in predictions.columns:
            return facts
        usual, named = _usual(predictions, known)
        money = worth(now.scores, now.truth, usual, cost)
        beside: dict[str, Json] = {"beside": without_model(named, usual)}
        return facts | money_facts(money, now, cost.currency) | beside


def _usual(predictions: pd.DataFrame, known: pd.DataFrame) -> tuple[Floats, str]:
    """The answer without a model for each row, and the column of the rows that holds it.

    Where rows lack the column, or hold none in it, the median of the evaluation's.
    """
    same = float(predictions["usual"].median())
    named = predictions.get("usual_column")
    name = "" if named is None else str(named.iloc[0])
    if not name or name not in known.columns:
        return np.full(len(known), same), ""
    column = pd.to_numeric(known[name], errors="coerce").to_numpy(dtype=np.float64)
    return np.where(np.isfinite(column), column, same), name


def _numbers(rows: pd.DataFrame) -> Floats:
    parsed = pd.to_numeric(rows[windows.ACTUAL], errors="coerce")
    return parsed.to_numpy(dtype=np.float64)


def _covered(predictions: pd.DataFrame, known: pd.DataFrame, now: Scored) -> Json:
    """Coverage of the promised interval on the outcomes; None where none was promised."""
    if not set(predictions.columns) >= PROMISED or predictions["low"].isna().all():
        return None
    ends = _ends(predictions, known)
    served = np.isfinite(ends[:, 0])
    if not served.any():
        return None
    errors, low, high = (now.truth - now.scores)[served], ends[served, 0], ends[served, 1]
    inside = ((errors >= low) & (errors <= high)).astype(np.float64)
    strict = float(((errors > low) & (errors < high)).mean())
    promised = predictions[predictions["low"].notna()]
    sides = [(inside, now.drawn.blocks[served])]
    rows, level = int(promised["calibrates"].sum()), float(promised["level"].iloc[0])
    expected = _expected(promised, known[served], level)
    found = counted(sides, strict, level, rows, expected=expected)
    return {
        "level": found.promised,
        "rows": found.rows,
        "coverage": finite(found.share, 6),
        "tolerance": finite(found.tolerance, 6),
        "holds": found.holds,
    }


def _expected(promised: pd.DataFrame, served: pd.DataFrame, level: float) -> float:
    """Share of the rows inside by the calibration rows of each one's interval."""
    by = promised.get("interval_by")
    if by is None:
        return expected_share(int(promised["calibrates"].sum()), 1 - level)
    counts = promised.groupby("step")["calibrates"].sum()
    shares = counts.map(lambda rows: expected_share(int(rows), 1 - level))
    steps = pd.to_numeric(served[str(by.iloc[0])], errors="coerce")
    return float(shares.reindex(steps).mean())


def _ends(predictions: pd.DataFrame, known: pd.DataFrame) -> Floats:
    """What was added to each answer, low and high, by the row's step where each has its own."""
    added = pd.DataFrame(
        {
            "low": predictions["low"] - predictions["score"],
            "high": predictions["high"] - predictions["score"],
        }
    )
    by = predictions.get("interval_by")
    if by is None:
        return np.tile(added.iloc[0].to_numpy(dtype=np.float64), (len(known), 1))
    name = str(by.iloc[0])
    if name not in known.columns:
        return np.full((len(known), 2), np.nan)
    table = added.groupby(predictions["step"]).first()
    steps = pd.to_numeric(known[name], errors="coerce")
    return table.reindex(steps).to_numpy(dtype=np.float64)
