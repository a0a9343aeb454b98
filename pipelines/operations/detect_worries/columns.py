"""Detectors that look at one column at a time: W1 to W4, W8."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest

from pipelines.operations.contract import Context
from pipelines.operations.detect_worries.findings import Finding
from pipelines.operations.tables import as_numbers, column_type, plain

CLASSES = 20  # a target with more values is no target of classes (own)
FENCE = 1.5  # interquartile ranges beyond the quartiles (conv)
ID_SHARE = 0.5  # distinct values per row from which a column is like an ID (own)
SMALL_P, SMALL_GAP = 0.001, 0.02  # informative missingness: p, and gap in target rate (own)


def imbalance(context: Context, frame: pd.DataFrame, target: str) -> Iterator[Finding]:
    """W1: share of the rarest class."""
    counts = frame[target].value_counts()
    if len(counts) > CLASSES:
        return
    share, rarest = float(counts.min()) / float(counts.sum()), plain(counts.idxmin())
    warn, block = context.number("minority_warn"), context.number("minority_block")
    if share < warn:
        yield Finding(
            "W1",
            "blocker" if share < block else "warn",
            (target,),
            share,
            block if share < block else warn,
            f"class {rarest!r} has {share:.2%} of the labelled rows",
            "Judge by PR-AUC and balanced accuracy, not by accuracy; weight the classes",
        )


def outliers(context: Context, frame: pd.DataFrame, names: list[str]) -> Iterator[Finding]:
    """W2: share beyond the fence per column, and rows an isolation forest finds odd."""
    limit = context.number("outlier_share")
    numeric: dict[str, np.ndarray] = {}
    for name in names:
        if column_type(frame[name]) not in ("int", "float"):
            continue
        values = as_numbers(frame[name])
        known = values[np.isfinite(values)]
        if known.size < 20:
            continue
        numeric[name] = np.where(np.isfinite(values), values, np.median(known))
        low, high = np.quantile(known, [0.25, 0.75])
        slack = FENCE * (high - low)
        share = float(np.mean((known < low - slack) | (known > high + slack)))
        if slack > 0 and share > limit:
            yield Finding(
                "W2",
                "warn",
                (name,),
                share,
                limit,
                f"{share:.1%} of {name!r} lie beyond {FENCE} interquartile ranges",
                "Check for wrong units or sentinels; prefer trees or clip the column",
            )
    if numeric:
        yield from _odd_rows(context, np.column_stack(list(numeric.values())), limit)


def _odd_rows(context: Context, values: np.ndarray, limit: float) -> Iterator[Finding]:
    draw = np.random.default_rng(context.seed)
    if len(values) > context.whole("max_rows"):
        keep = draw.choice(len(values), context.whole("max_rows"), replace=False)
        values = values[np.sort(keep)]
    forest = IsolationForest(n_estimators=50, random_state=context.seed, n_jobs=1)
    share = float(np.mean(forest.fit(values).predict(values) == -1))
    if share > limit:
        yield Finding(
            "W2",
            "note",
            (),
            share,
            limit,
            f"an isolation forest finds {share:.1%} of the rows odd",
            "Look at the oddest rows before training",
        )


def missing(
    context: Context, frame: pd.DataFrame, names: list[str], truth: np.ndarray
) -> Iterator[Finding]:
    """W3: missing share, and whether missing says something about the target."""
    warn, drop = context.number("missing_warn"), context.number("missing_drop")
    for name in names:
        gone = frame[name].isna().to_numpy()
        share = float(gone.mean())
        if share > warn:
            yield Finding(
                "W3",
                "warn",
                (name,),
                share,
                drop if share > drop else warn,
                f"{share:.1%} of {name!r} are missing",
                "Drop the column" if share > drop else "Find out why; impute with a flag",
            )
        p_value, gap = missing_signal(gone, truth)
        if p_value < SMALL_P and abs(gap) > SMALL_GAP:
            yield Finding(
                "W3",
                "note",
                (name,),
                p_value,
                SMALL_P,
                f"the target is {gap:+.1%} where {name!r} is missing (p {p_value:.1g})",
                "Missing is information here: keep a missing flag, and check how it comes about",
            )


def missing_signal(gone: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Chi-square p value of missing against a two-class target, and the gap in its rate."""
    if not gone.any() or gone.all() or not set(np.unique(truth)) <= {0.0, 1.0}:
        return 1.0, 0.0
    a, b = float(truth[gone].sum()), float((1 - truth[gone]).sum())
    c, d = float(truth[~gone].sum()), float((1 - truth[~gone]).sum())
    bottom = (a + b) * (c + d) * (a + c) * (b + d)
    if bottom == 0:
        return 1.0, 0.0
    chi2 = (a + b + c + d) * (a * d - b * c) ** 2 / bottom
    return math.erfc(math.sqrt(chi2 / 2)), a / (a + b) - c / (c + d)


def cardinality(context: Context, frame: pd.DataFrame, names: list[str]) -> Iterator[Finding]:
    """W4: too many categories, or a value of its own for most rows."""
    limit = context.whole("max_categories")
    for name in names:
        if column_type(frame[name]) != "text":
            continue
        distinct = frame[name].nunique()
        share = distinct / len(frame)
        if share > ID_SHARE:
            yield Finding(
                "W4",
                "warn",
                (name,),
                share,
                ID_SHARE,
                f"{name!r} has {distinct:,} values in {len(frame):,} rows, like an identifier",
                "Leave it out, or derive what it stands for",
            )
        elif distinct > limit:
            yield Finding(
                "W4",
                "warn",
                (name,),
                float(distinct),
                float(limit),
                f"{name!r} has {distinct:,} categories; histogram boosting takes {limit}",
                "Encode by target mean or hash, or group the rare ones",
                "tool",
            )


def memory(context: Context, frame: pd.DataFrame) -> Iterator[Finding]:
    """W8: bytes of the table against half of the worker's memory."""
    used = float(frame.memory_usage(deep=False).sum()) / 2**20
    limit = context.whole("memory_mib") / 2
    if used > limit:
        yield Finding(
            "W8",
            "warn",
            (),
            used,
            limit,
            f"the table takes {used:,.0f} MiB, more than half of the worker's memory",
            "Sample, use fewer columns, or a worker with more memory",
        )
