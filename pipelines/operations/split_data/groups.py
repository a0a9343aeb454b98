"""Groups of rows: drawing whole ones for the holdout, and columns that might have to be one."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json
from pipelines.operations.tables import column_type
from pipelines.operations.writers import looks_like_source

DRAWS = 20  # tried for equal shares of the classes (own)


def draw_groups(
    codes: np.ndarray, classes: np.ndarray | None, context: Context
) -> tuple[np.ndarray, int]:
    """Which rows are held out, and how many groups that are; `codes` name each row's group."""
    count = int(codes.max()) + 1
    sizes = np.bincount(codes, minlength=count)
    rng, share = np.random.default_rng(context.seed), context.number("holdout_share")
    best = (float("inf"), np.zeros(len(codes), dtype=bool), 0)
    for _ in range(1 if classes is None else DRAWS):
        order = rng.permutation(count)
        before = np.cumsum(sizes[order]) - sizes[order]
        chosen = order[before < share * len(codes)]
        held = np.isin(codes, chosen)
        distance = 0.0 if classes is None else _distance(held, classes)
        if distance < best[0] or not best[2]:
            best = (distance, held, len(chosen))
    return best[1], best[2]


def _distance(held: np.ndarray, classes: np.ndarray) -> float:
    """How far apart the shares of the classes lie on both sides; infinite for an empty side."""
    if held.all() or not held.any():
        return float("inf")
    size = int(classes.max()) + 1
    shares = [np.bincount(classes[side], minlength=size) / side.sum() for side in (held, ~held)]
    return float(np.abs(shares[0] - shares[1]).sum())


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
