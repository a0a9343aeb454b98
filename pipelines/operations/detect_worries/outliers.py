"""W2: values far out in one column, and rows that are odd in several at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest

from pipelines.operations.contract import Context
from pipelines.operations.detect_worries.findings import Finding, Found, Unjudged, examples
from pipelines.operations.detect_worries.spread import FENCE, fences
from pipelines.operations.tables import as_numbers, column_type

LEAST = 100  # known values: of fifty, three far out are chance (own, meas: docs/worries.md)
LEAST_ROWS = 100  # rows for a forest's scores to have a tail (own)
LEAST_COLUMNS = 3  # with two, odd rows fill the forest's own tail and widen its fence (meas)
SHOWN = 5


def outliers(context: Context, frame: pd.DataFrame, names: list[str]) -> Iterator[Found]:
    """Share beyond fences that follow the skew, and rows an isolation forest finds odd."""
    numeric: dict[str, np.ndarray] = {}
    for name in names:
        if column_type(frame[name]) not in ("int", "float"):
            continue
        values = as_numbers(frame[name])
        known = values[np.isfinite(values)]
        if known.size < LEAST:
            continue
        numeric[name] = np.where(np.isfinite(values), values, np.median(known))
        yield from _far_out(context, frame, name, values)
    if not any(column_type(frame[name]) in ("int", "float") for name in names):
        yield Unjudged("W2", "does not apply", "no column holds numbers")
    elif not numeric:
        yield Unjudged("W2", "not enough data", f"no column has {LEAST} known numbers")
    elif len(frame) >= LEAST_ROWS and len(numeric) >= LEAST_COLUMNS:
        yield from _odd_rows(context, frame, np.column_stack(list(numeric.values())))


def _far_out(
    context: Context, frame: pd.DataFrame, name: str, values: np.ndarray
) -> Iterator[Finding]:
    limit = context.number("outlier_share")
    known = np.isfinite(values)
    low, high = fences(values[known])
    out = known & ((values < low) | (values > high))
    share = float(out.sum() / known.sum())
    if share > limit:
        distance = np.where(out, np.maximum(low - values, values - high), -1.0)
        worst = np.argsort(-distance, kind="stable")[: min(SHOWN, int(out.sum()))]
        yield Finding(
            "W2", "warn", (name,), share, limit,
            f"{share:.1%} of {name!r} lie far out, beyond {FENCE} interquartile ranges and skew",
            "Check for wrong units or sentinels; prefer trees or clip the column",
            details={"below": float(low), "above": float(high)},
            rows=int(out.sum()),
            examples=examples(frame, worst, key=context.text("key_column"), value=name),
        )  # fmt: skip


def _odd_rows(context: Context, frame: pd.DataFrame, values: np.ndarray) -> Iterator[Finding]:
    """Rows whose isolation scores lie beyond the fences of all rows' scores.

    Not the forest's own cut at 0.5, which finds a tenth and more of plain normal rows odd.
    """
    limit, places = context.number("outlier_share"), np.arange(len(values))
    if len(values) > context.whole("max_rows"):
        draw = np.random.default_rng(context.seed)
        places = np.sort(draw.choice(len(values), context.whole("max_rows"), replace=False))
    forest = IsolationForest(n_estimators=50, random_state=context.seed, n_jobs=1)
    oddness = -forest.fit(values[places]).score_samples(values[places])
    _, high = fences(oddness)
    odd = oddness > high
    share = float(odd.mean())
    if share > limit:
        worst = places[np.argsort(-oddness, kind="stable")[:SHOWN]]
        yield Finding(
            "W2", "note", (), share, limit,
            f"an isolation forest finds {share:.1%} of the rows odd in several columns at once",
            "Look at the oddest rows before training",
            rows=int(odd.sum()),
            examples=examples(frame, worst, key=context.text("key_column")),
        )  # fmt: skip
