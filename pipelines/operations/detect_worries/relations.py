"""Detectors that compare columns: W5 correlation, W6 leakage, W7 definitions."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json
from pipelines.operations.detect_worries.findings import Finding
from pipelines.operations.signals import as_target, make_folds, signal
from pipelines.operations.tables import as_numbers, column_type

MOST_CATEGORIES = 60  # columns with more are left out of Cramer's V (own)
MOST_MISSING = 0.6


def sample_of(context: Context, frame: pd.DataFrame) -> pd.DataFrame:
    """At most max_rows rows, drawn by the seed, in their order."""
    if len(frame) <= context.whole("max_rows"):
        return frame
    draw = np.random.default_rng(context.seed)
    keep = draw.choice(len(frame), context.whole("max_rows"), replace=False)
    return frame.iloc[np.sort(keep)]


def correlated(context: Context, frame: pd.DataFrame, names: list[str]) -> Iterator[Finding]:
    """W5: rank correlation and variance inflation of numbers, Cramer's V of categories."""
    ranks = _ranks(frame, names)
    if ranks.shape[1] > 1:
        matrix = np.corrcoef(ranks.to_numpy(), rowvar=False)
        yield from _pairs(context, list(ranks.columns), matrix)
        yield from _inflated(context, list(ranks.columns), matrix)
    texts = [
        name
        for name in names
        if column_type(frame[name]) == "text" and 1 < frame[name].nunique() <= MOST_CATEGORIES
    ]
    for first, second in combinations(texts, 2):
        value = cramers_v(frame[first], frame[second])
        if value > context.number("association"):
            yield Finding(
                "W5",
                "warn",
                (first, second),
                value,
                context.number("association"),
                f"{first!r} and {second!r} say nearly the same (Cramer's V {value:.2f})",
                "Keep one of them",
                "conv",
            )


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
    for first, second in combinations(range(len(names)), 2):
        value = float(matrix[first, second])
        if abs(value) > limit:
            yield Finding(
                "W5",
                "warn",
                (names[first], names[second]),
                abs(value),
                limit,
                f"{names[first]!r} and {names[second]!r} move together (Spearman {value:+.3f})",
                "Keep one of them, or importance will be shared between both",
                "conv",
            )


def _inflated(context: Context, names: list[str], matrix: np.ndarray) -> Iterator[Finding]:
    """Variance inflation: diagonal of the inverse of the rank correlations."""
    limit = context.number("inflation")
    factors = np.diag(np.linalg.pinv(matrix, hermitian=True))
    high = [(names[at], float(value)) for at, value in enumerate(factors) if value > limit]
    if high:
        worst = max(value for _, value in high)
        details: dict[str, Json] = {name: round(value, 2) for name, value in high}
        yield Finding(
            "W5",
            "note",
            tuple(name for name, _ in high),
            worst,
            limit,
            f"{len(high)} columns can be told from the others (variance inflation to {worst:.0f})",
            "Harmless for trees; regularise linear models",
            "conv",
            details,
        )


def cramers_v(first: pd.Series, second: pd.Series) -> float:
    """Association of two categorical columns in [0, 1]; missing is a category."""
    left, lefts = pd.factorize(first, use_na_sentinel=False)
    right, rights = pd.factorize(second, use_na_sentinel=False)
    size = min(len(lefts), len(rights)) - 1
    if size < 1:
        return 0.0
    table = np.zeros((len(lefts), len(rights)))
    np.add.at(table, (left, right), 1)
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
    chi2 = float(np.sum((table - expected) ** 2 / expected))
    return float(np.sqrt(chi2 / (table.sum() * size)))


def leaking(
    context: Context, frame: pd.DataFrame, names: list[str], target: str
) -> Iterator[Finding]:
    """W6: columns that alone predict the target. The leakage scan looks closer."""
    truth, binary = as_target(frame[target])
    folds = make_folds(len(frame), context.seed)
    limit = context.number("leak_score")
    for name in names:
        found = signal(frame[name], truth, binary=binary, folds=folds)
        if found.score > limit:
            yield Finding(
                "W6",
                "blocker",
                (name,),
                found.score,
                limit,
                f"{name!r} alone predicts the target ({found.measure} {found.score:.3f})",
                "Known only afterwards? Declare it so in the data contract, or exclude it",
            )


def inconsistent(frame: pd.DataFrame, contract: Mapping[str, Json]) -> Iterator[Finding]:
    """W7: one content under two names, and types other than the contract's."""
    seen: dict[str, str] = {}
    for name in frame.columns:
        hashed = pd.util.hash_pandas_object(frame[name], index=False)
        key = f"{int(hashed.sum())}:{int((hashed * np.arange(1, len(hashed) + 1)).sum())}"
        if key in seen and frame[name].equals(frame[seen[key]].rename(name)):
            yield Finding(
                "W7",
                "warn",
                (seen[key], str(name)),
                1.0,
                0.0,
                f"{seen[key]!r} and {name!r} hold the same values",
                "Keep one of them and say where it is defined",
            )
        seen.setdefault(key, str(name))
    columns = contract.get("columns")
    for entry in columns if isinstance(columns, list) else []:
        if isinstance(entry, dict) and str(entry["name"]) in frame.columns:
            yield from _other_type(frame[str(entry["name"])], str(entry["type"]))


def _other_type(series: pd.Series, expected: str) -> Iterator[Finding]:
    found = column_type(series)
    if found != expected and not series.isna().all() and {found, expected} != {"int", "float"}:
        yield Finding(
            "W7",
            "blocker",
            (str(series.name),),
            1.0,
            0.0,
            f"{series.name!r} holds {found}, its definition in the contract says {expected}",
            "Correct the source, or sign a new data contract",
        )
