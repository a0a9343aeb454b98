"""Paired comparison of candidates over folds, and the one-standard-error rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning.families import SIMPLEST_FIRST
from pipelines.operations.learning.metrics import HIGHER_IS_BETTER


@dataclass(frozen=True)
class Entry:
    """A candidate with one score per fold; `sign` is 1 where higher is better."""

    name: str
    family: str
    settings: Json
    values: tuple[float, ...]
    sign: int
    folds_digest: str
    features_digest: str

    @property
    def mean(self) -> float:
        """Mean over folds."""
        return float(np.mean(self.values))

    @property
    def complexity(self) -> tuple[int, bool]:
        """Rank of the family, then whether parameters differ from the default."""
        order = SIMPLEST_FIRST
        known = order.index(self.family) if self.family in order else len(order)
        return known, bool(self.settings)


@dataclass(frozen=True)
class Gap:
    """By how much the first is better than the second, fold by fold; 95 % t interval."""

    value: float
    low: float | None
    high: float | None
    standard_error: float | None

    def as_json(self) -> dict[str, Json]:
        """For facts and documents."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "standard_error": self.standard_error,
        }


def parse_entry(name: str, document: Mapping[str, Json], metric: str) -> Entry:
    """Scores of one candidate; raises OperationError where the metric is missing in a fold."""
    folds = document.get("folds")
    rows = [row for row in folds if isinstance(row, dict)] if isinstance(folds, list) else []
    values = [row.get(metric) for row in rows]
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    if not rows or len(numbers) != len(rows):
        raise OperationError(
            "scores_incomplete",
            f"the scores of {name} have {len(numbers)} values of {metric} in {len(rows)} folds",
            field="scores",
            value=name,
            rule=f"{metric} for every fold",
        )
    return Entry(
        name=name,
        family=str(document.get("family", "")),
        settings=document.get("settings"),
        values=tuple(numbers),
        sign=1 if HIGHER_IS_BETTER[metric] else -1,
        folds_digest=str(document.get("folds_digest", "")),
        features_digest=str(document.get("features_digest", "")),
    )


def paired(first: Entry, second: Entry) -> Gap:
    """Mean of the differences per fold, signed so that positive means the first is better."""
    gaps = first.sign * (np.asarray(first.values) - np.asarray(second.values))
    value = float(gaps.mean())
    if gaps.size < 2:
        return Gap(value, None, None, None)
    error = float(gaps.std(ddof=1)) / math.sqrt(gaps.size)
    half = float(stats.t.ppf(0.975, gaps.size - 1)) * error
    return Gap(value, value - half, value + half, error)


def best_of(entries: Sequence[Entry]) -> Entry:
    """The best mean; the simpler one where two are equal."""
    return max(entries, key=lambda e: (e.sign * e.mean, *(-int(part) for part in e.complexity)))


def simplest_within_one_se(entries: Sequence[Entry], best: Entry) -> Entry:
    """The simplest candidate that is behind the best by at most one SE of that difference."""
    within = [entry for entry in entries if entry is best or _within(best, entry)]
    return min(within, key=lambda entry: (*entry.complexity, -entry.sign * entry.mean))


def _within(best: Entry, entry: Entry) -> bool:
    gap = paired(best, entry)
    return gap.standard_error is not None and gap.value <= gap.standard_error
