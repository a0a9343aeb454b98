"""What one column can be worried about, where nothing is predicted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context
from pipelines.operations.detect_worries.columns import (
    FEW_ROWS,
    FEW_SHARE,
    LEAST_ROWS,
    numbered,
)
from pipelines.operations.detect_worries.findings import Finding, examples
from pipelines.operations.detect_worries.outliers import LEAST
from pipelines.operations.detect_worries.spread import fences
from pipelines.operations.tables import as_numbers, column_type
from pipelines.operations.unlabelled.columns import is_number

ID_SHARE = 0.5  # distinct texts per row from which a column only names rows (own)
FENCE = 3.0  # interquartile ranges beyond the quartiles, widened by skew: far out (conv, Tukey)
SHOWN = 5
MOST_CATEGORIES = 255  # as where something is predicted (tool)


def find_in_column(context: Context, frame: pd.DataFrame, name: str) -> Iterator[Finding]:
    """W2 to W4 of one column."""
    values = frame[name]
    missing = float(values.isna().mean())
    if missing == 1.0:
        yield Finding(
            "W3", "warn", (name,), 1.0, context.number("missing_drop"),
            f"{name!r} is missing in every row: it tells no row from another", "Leave it out",
        )  # fmt: skip
        return
    if values.nunique() < 2:
        yield Finding(
            "W4", "note", (name,), 1.0, 2.0,
            f"{name!r} has one value only: it tells no row from another", "It is left out",
        )  # fmt: skip
        return
    if missing > context.number("missing_warn"):
        drop = missing > context.number("missing_drop")
        yield Finding(
            "W3", "warn", (name,), missing,
            context.number("missing_drop" if drop else "missing_warn"),
            f"{missing:.1%} of {name!r} are missing, and would be taken as its median",
            "Leave it out" if drop else "Find out why; leave it out where the gap means something",
            rows=int(values.isna().sum()),
            examples=examples(
                frame, np.flatnonzero(values.isna())[:SHOWN], key=context.text("key_column")
            ),
        )  # fmt: skip
    if column_type(values) == "text":
        yield from _texts(values, name)
    elif is_number(values):
        if column_type(values) == "int":
            yield from numbered(
                frame, name, severity="warn", harm="rows would be near by where they stand"
            )
        yield from _far_out(context, frame, name)


def _texts(values: pd.Series, name: str) -> Iterator[Finding]:
    distinct, known = values.nunique(), int(values.notna().sum())
    most = ID_SHARE if known >= FEW_ROWS else FEW_SHARE
    if known >= LEAST_ROWS and distinct > most * known:
        yield Finding(
            "W4", "warn", (name,), distinct / known, ID_SHARE,
            f"{name!r} has {distinct:,} texts in {known:,} rows, like an identifier",
            "Leave it out, or name it as the key", rows=known,
        )  # fmt: skip
    elif distinct > MOST_CATEGORIES:
        yield Finding(
            "W4", "warn", (name,), float(distinct), float(MOST_CATEGORIES),
            f"{name!r} has {distinct:,} categories, which tell no distance",
            "Group the rare ones", "tool",
        )  # fmt: skip


def _far_out(context: Context, frame: pd.DataFrame, name: str) -> Iterator[Finding]:
    values = as_numbers(frame[name])
    known = np.isfinite(values)
    if known.sum() < LEAST:
        return
    low, high = fences(values[known], reach=FENCE)
    out = known & ((values < low) | (values > high))
    share = float(out.sum() / known.sum())
    if share > context.number("outlier_share"):
        distance = np.where(out, np.maximum(low - values, values - high), -1.0)
        worst = np.argsort(-distance, kind="stable")[: min(SHOWN, int(out.sum()))]
        yield Finding(
            "W2", "warn", (name,), share, context.number("outlier_share"),
            f"{share:.1%} of {name!r} lie far out: they would decide alone who is near to whom",
            "Compare by ranks (scale), or clip the column",
            rows=int(out.sum()),
            examples=examples(frame, worst, key=context.text("key_column"), value=name),
        )  # fmt: skip
