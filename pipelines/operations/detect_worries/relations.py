"""W5: columns that say the same, or that others tell."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json
from pipelines.operations.detect_worries.findings import Finding, Found, Unjudged
from pipelines.operations.tables import as_numbers, column_type

MOST_CATEGORIES = 60  # columns with more are left out of Cramer's V (own)
MOST_TEXTS = 100  # columns of categories compared in pairs: 4,950 of them (own)
MOST_MISSING = 0.6
LEAST_ROWS = 50  # below, ranks agree by chance (own, measured: docs/worries.md)
SPARE_ROWS = 30  # rows beyond the number of columns for variance inflation (own)


def sample_of(context: Context, frame: pd.DataFrame) -> pd.DataFrame:
    """At most max_rows rows, drawn by the seed, in their order."""
    if len(frame) <= context.whole("max_rows"):
        return frame
    draw = np.random.default_rng(context.seed)
    keep = draw.choice(len(frame), context.whole("max_rows"), replace=False)
    return frame.iloc[np.sort(keep)]


def correlated(context: Context, frame: pd.DataFrame, names: list[str]) -> Iterator[Found]:
    """Rank correlation and variance inflation of numbers, Cramer's V of categories."""
    if len(frame) < LEAST_ROWS:
        yield Unjudged("W5", "not enough data", f"{len(frame)} rows, fewer than {LEAST_ROWS}")
        return
    ranks = _ranks(frame, names)
    if ranks.shape[1] > 1:
        matrix = np.corrcoef(ranks.to_numpy(dtype="float32"), rowvar=False)
        yield from _pairs(context, list(ranks.columns), matrix)
        yield from _inflated(context, list(ranks.columns), matrix, rows=len(ranks))
    texts = [
        name
        for name in names
        if column_type(frame[name]) == "text" and 1 < _distinct(frame[name]) <= MOST_CATEGORIES
    ][:MOST_TEXTS]
    limit = context.number("association")
    for first, second in combinations(texts, 2):
        value = cramers_v(frame[first], frame[second])
        if value > limit:
            yield Finding(
                "W5", "warn", (first, second), value, limit,
                f"{first!r} and {second!r} say nearly the same (Cramer's V {value:.2f})",
                "Keep one of them", "conv", rows=len(frame),
            )  # fmt: skip


def _distinct(series: pd.Series) -> int:
    try:
        return int(series.nunique())
    except TypeError:  # lists and objects: W13 and W14 speak of them
        return 0


def _ranks(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Ranks of numeric columns that vary and are mostly known; missing get the mean rank."""
    found = {}
    for name in names:
        if column_type(frame[name]) not in ("int", "float", "bool"):
            continue
        values = pd.Series(as_numbers(frame[name]))
        if values.isna().mean() > MOST_MISSING or values.nunique() < 2:
            continue
        ranks = values.rank()
        found[name] = ranks.fillna(ranks.mean())
    return pd.DataFrame(found)


def _pairs(context: Context, names: list[str], matrix: np.ndarray) -> Iterator[Finding]:
    limit = context.number("correlation")
    for first, second in np.argwhere(np.triu(np.abs(matrix) > limit, k=1)):
        value = float(matrix[first, second])
        yield Finding(
            "W5", "warn", (names[first], names[second]), abs(value), limit,
            f"{names[first]!r} and {names[second]!r} move together (Spearman {value:+.3f})",
            "Keep one of them, or importance will be shared between both", "conv",
        )  # fmt: skip


def _inflated(
    context: Context, names: list[str], matrix: np.ndarray, *, rows: int
) -> Iterator[Finding]:
    """Variance inflation: diagonal of the inverse of the rank correlations.

    With n rows and p columns that have nothing to do with each other it is (n - 1) / (n - p) by
    chance; that part is taken out, as the adjusted R2 does.
    """
    limit = context.number("inflation")
    if rows < len(names) + SPARE_ROWS:
        return
    factors = np.diag(np.linalg.pinv(matrix.astype("float64"), hermitian=True))
    factors = factors * (rows - len(names)) / (rows - 1)
    high = [(names[at], float(value)) for at, value in enumerate(factors) if value > limit]
    if high:
        worst = max(value for _, value in high)
        details: dict[str, Json] = {name: round(value, 2) for name, value in high}
        yield Finding(
            "W5", "note", tuple(name for name, _ in high), worst, limit,
            f"{len(high)} columns can be told from the others (variance inflation to {worst:.0f})",
            "Harmless for trees; regularise linear models", "conv", details,
        )  # fmt: skip


def cramers_v(first: pd.Series, second: pd.Series) -> float:
    """Association of two categorical columns in [0, 1]; missing is a category.

    Corrected for what chance alone gives (Bergsma 2013): many categories in few rows have a high
    uncorrected V, and one value per row has 1.
    """
    left, lefts = pd.factorize(first, use_na_sentinel=False)
    right, rights = pd.factorize(second, use_na_sentinel=False)
    r, c, n = len(lefts), len(rights), len(left)
    if min(r, c) < 2 or n < 2:
        return 0.0
    table = np.zeros((r, c))
    np.add.at(table, (left, right), 1)
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / n
    phi = float(np.sum((table - expected) ** 2 / expected)) / n
    phi = max(0.0, phi - (r - 1) * (c - 1) / (n - 1))
    size = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return float(min(1.0, np.sqrt(phi / size))) if size > 0 else 0.0
