"""W3: how much is missing, and whether a gap says something about the target."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from pipelines.operations.contract import Context
from pipelines.operations.detect_worries.findings import Finding, Found, examples
from pipelines.operations.detect_worries.targets import Target

SMALL_P = 0.001  # informative missingness, after correction for the number of columns (own)
SMALL_GAP = 0.02  # and this far from even: rate of a class, or AUC of a number (own)
LEAST_GAPS = 10  # missing and known values below which a gap is not held against the target (own)
LEAST_CELL = 5.0  # expected count of a cell for chi-square (conv); below, Fisher's exact test
WORTH_EXACT = 0.05  # p values of chi-square above are no finding either way
SHOWN = 5


def missing(
    context: Context, frame: pd.DataFrame, names: list[str], target: Target
) -> Iterator[Found]:
    """Share per column, then what gaps tell, by false discovery rate over all columns tried."""
    warn, drop = context.number("missing_warn"), context.number("missing_drop")
    tried: list[tuple[str, float, float]] = []
    for name in names:
        gone = frame[name].isna().to_numpy()
        share = float(gone.mean())
        if share > warn:
            yield Finding(
                "W3", "warn", (name,), share, drop if share > drop else warn,
                f"{share:.1%} of {name!r} are missing",
                "Drop the column" if share > drop else "Find out why; impute with a flag",
                rows=int(gone.sum()),
                examples=_first(context, frame, gone),
            )  # fmt: skip
        found = telling(gone, target)
        if found is not None:
            tried.append((name, *found))
    for (name, _, gap), p_value in zip(tried, adjusted([p for _, p, _ in tried]), strict=True):
        if p_value < SMALL_P and abs(gap) > SMALL_GAP:
            gone = frame[name].isna().to_numpy()
            what = f"{gap:+.1%} where {name!r} is missing"
            told = f"the target is {what}" if target.kind != "number" else f"AUC of the gap {what}"
            yield Finding(
                "W3", "note", (name,), p_value, SMALL_P,
                f"{told} (p {_told(p_value)}, corrected for {len(tried)} columns)",
                "Missing is information here: keep a missing flag, and check how it comes about",
                rows=int(gone.sum()),
                examples=_first(context, frame, gone),
            )  # fmt: skip


def _told(p_value: float) -> str:
    return f"{p_value:.1g}" if p_value >= 1e-16 else "below 1e-16"


def _first(context: Context, frame: pd.DataFrame, gone: np.ndarray) -> tuple[dict, ...]:  # type: ignore[type-arg]
    return examples(frame, np.flatnonzero(gone)[:SHOWN], key=context.text("key_column"))


def adjusted(values: list[float]) -> list[float]:
    """p values corrected for their number (Benjamini & Hochberg 1995), in the order given."""
    if not values:
        return []
    p = np.asarray(values)
    order = np.argsort(-p)
    ranks = np.arange(p.size, 0, -1)
    out = np.empty(p.size)
    out[order] = np.minimum(1.0, np.minimum.accumulate(p[order] * p.size / ranks))
    return [float(value) for value in out]


def telling(gone: np.ndarray, target: Target) -> tuple[float, float] | None:
    """p value and gap of missing against the target; None where there is too little to tell."""
    if min(int(gone.sum()), int((~gone).sum())) < LEAST_GAPS:
        return None
    if target.kind == "number":
        return _of_numbers(gone, target.numbers)
    return of_classes(gone, target.codes)


def _of_numbers(gone: np.ndarray, numbers: np.ndarray) -> tuple[float, float]:
    """Mann-Whitney: does the target lie higher or lower where the value is missing?"""
    known = np.isfinite(numbers)
    first, second = numbers[known & gone], numbers[known & ~gone]
    if not first.size or not second.size:
        return 1.0, 0.0
    found = stats.mannwhitneyu(first, second, method="asymptotic")
    p_value = float(found.pvalue)
    area = float(found.statistic) / (first.size * second.size)
    return (p_value if math.isfinite(p_value) else 1.0), area - 0.5


def of_classes(gone: np.ndarray, codes: np.ndarray) -> tuple[float, float]:
    """Each class against all others: the smallest p value times their number (Bonferroni)."""
    table = np.zeros((2, int(codes.max()) + 1))
    np.add.at(table, (gone.astype(int), codes), 1)
    table = table[:, table.sum(0) > 0]
    if table.shape[1] < 2:
        return 1.0, 0.0
    if table.shape[1] == 2:
        return _of_two(table)
    rest = table.sum(1, keepdims=True)
    each = [
        _of_two(np.column_stack([rest[:, 0] - table[:, k], table[:, k]]))
        for k in range(table.shape[1])
    ]
    p_value, gap = min(each)
    return min(1.0, p_value * len(each)), gap


def _of_two(table: np.ndarray) -> tuple[float, float]:
    """Chi-square; Fisher's exact test where a cell is small and chi-square would speak up."""
    rates = table / table.sum(1, keepdims=True)
    gap = float(rates[1, 1] - rates[0, 1])
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
    chi2 = float(np.sum((table - expected) ** 2 / expected))
    p_value = math.erfc(math.sqrt(chi2 / 2))
    if expected.min() < LEAST_CELL and p_value < WORTH_EXACT:
        p_value = float(stats.fisher_exact(table)[1])
    return p_value, gap
