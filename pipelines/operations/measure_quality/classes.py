"""Late labels that are classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations import windows
from pipelines.operations.contract import Context, Json, finite
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import sum_samples
from pipelines.operations.learning.thresholds import parse_costs, worth
from pipelines.operations.measure_quality.reading import Scored
from pipelines.operations.tables import read_table


class ClassReading:
    """One of two classes, as text."""

    def known(self, window: pd.DataFrame) -> pd.DataFrame:
        """Every row with an outcome."""
        return window[window[windows.ACTUAL].notna() & window[windows.SCORE].notna()]

    def truth(self, context: Context, known: pd.DataFrame) -> np.ndarray:
        """1 for the positive class."""
        actual = _classes(known[windows.ACTUAL])
        return np.asarray(actual == _positive(actual, context.text("positive")), dtype=np.int64)

    def scores(self, known: pd.DataFrame) -> Floats:
        """What was answered."""
        return known[windows.SCORE].to_numpy(dtype=np.float64)

    def ready(self, truth: np.ndarray) -> bool:
        """Both classes came out."""
        return np.unique(truth).size == 2

    def offline(self, path: Path) -> tuple[Floats, np.ndarray]:
        """Scores and labels of the evaluation."""
        table = read_table(path, ["score", "label"])
        return table["score"].to_numpy(dtype=np.float64), table["label"].to_numpy(dtype=np.int64)

    def more(
        self, context: Context, known: pd.DataFrame, *, now: Scored, before: np.ndarray
    ) -> dict[str, Json]:
        """Shares of positives now and before; money beside doing nothing, by what was answered."""
        facts: dict[str, Json] = {
            "positive_share": finite(float(now.truth.mean()), 6),
            "reference_positive_share": finite(float(before.mean()), 6),
        }
        costs = parse_costs(context.mapping("costs"))
        if costs is None:
            return facts
        positive = _positive(_classes(known[windows.ACTUAL]), context.text("positive"))
        flags = np.asarray(_classes(known[windows.LABEL]) == positive, dtype=np.float64)
        money = worth(flags, now.truth, costs)
        counted: dict[str, Json] = {
            "flagged": int(flags.sum()),
            "hits": int((flags * now.truth).sum()),
        }
        return facts | money_facts(money, now, costs.currency) | counted


def money_facts(money: Floats, now: Scored, currency: str) -> dict[str, Json]:
    """Money of all rows, and per 1,000 of them with its 95 % interval."""
    sums = sum_samples(np.column_stack([money, np.ones(money.size)]), now.drawn)
    low, high = np.percentile(1000 * sums[:, 0] / sums[:, 1], (2.5, 97.5))
    return {
        "worth_per_1000": finite(1000 * float(money.mean()), 2),
        "worth_low": finite(float(low), 2),
        "worth_high": finite(float(high), 2),
        "worth_total": finite(float(money.sum()), 2),
        "currency": currency,
    }


def _classes(values: pd.Series) -> pd.Series:
    """Classes as text, told apart as people mean them."""
    return values.astype(str).map(windows.class_of)


def _positive(actual: pd.Series, positive: str) -> str:
    return windows.class_of(windows.text_of(positive)) if positive else str(max(actual, default=""))
