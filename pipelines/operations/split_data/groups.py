"""Columns that might have to be the group column, with what the split does to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from pipelines.operations.contract import Json
from pipelines.operations.tables import column_type
from pipelines.operations.writers import looks_like_source


def proposed(
    frame: pd.DataFrame, without: Collection[str], parts: Mapping[str, pd.DataFrame]
) -> list[dict[str, Json]]:
    """Sources that several rows share, and how many stand on both sides of the split."""
    found: list[dict[str, Json]] = []
    for name in map(str, frame.columns):
        values = frame[name]
        if name in without or column_type(values) not in ("text", "int"):
            continue
        known = values.dropna()
        distinct = int(known.nunique())
        if not looks_like_source(name, distinct=distinct, filled=len(known)):
            continue
        sides = [set(part[name].dropna().unique()) for part in parts.values()]
        found.append(
            {
                "column": name,
                "groups": distinct,
                "rows_per_group": round(len(known) / distinct, 2),
                "on_both_sides": len(set.intersection(*sides)),
            }
        )
    return found
