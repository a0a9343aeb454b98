"""What sets each segment apart, variable by variable, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipelines.operations.clusters.segmenter import OUTSIDE
from pipelines.operations.clusters.stability import Labels
from pipelines.operations.contract import Json, finite
from pipelines.operations.tables import as_numbers, column_type, deviation, plain

MUCH, SOME = 1.0, 0.4  # standard deviations from the others: "much", "somewhat" (own)
RARE = 0.02  # shares within so much of each other are not told apart (own)
WORDS = 4  # differences told in a segment's sentence
VALUES = 20  # categories looked at, the most frequent first


def profile(
    frame: pd.DataFrame, labels: Labels, membership: np.ndarray, columns: Sequence[str]
) -> list[dict[str, Json]]:
    """One entry per segment, in their order: size, certainty, differences, a sentence."""
    return [
        _segment(frame, labels == number, membership[labels == number], columns, int(number))
        for number in np.unique(labels)
    ]


def _segment(
    frame: pd.DataFrame,
    inside: np.ndarray,
    membership: np.ndarray,
    columns: Sequence[str],
    number: int,
) -> dict[str, Json]:
    found = [row for name in columns for row in differences(frame[name], inside)]
    found.sort(key=lambda row: (-abs(float(str(row["effect"]))), str(row["column"])))
    share = float(inside.mean())
    return {
        "segment": number,
        "name": "outside" if number == OUTSIDE else f"segment {number}",
        "rows": int(inside.sum()),
        "share": finite(share, 6),
        "membership": finite(float(membership.mean()), 6),
        "sentence": sentence(found, share),
        "differences": list[Json](found[:WORDS * 3]),
    }  # fmt: skip


def differences(values: pd.Series, inside: np.ndarray) -> list[dict[str, Json]]:
    """How rows inside differ from the others in one column; nothing where they do not."""
    kind = column_type(values)
    if kind in ("int", "float"):
        return _number(values, inside)
    if kind in ("text", "bool"):
        return _category(values.astype("str"), inside)
    return []


def _number(values: pd.Series, inside: np.ndarray) -> list[dict[str, Json]]:
    """Effect: mean inside minus mean of the others, in standard deviations of all rows."""
    every = as_numbers(values)
    known = np.isfinite(every)
    part, rest = every[known & inside], every[known & ~inside]
    spread = deviation(every[known])
    if not part.size or not rest.size or spread <= 0:
        return []
    effect = float(part.mean() - rest.mean()) / spread
    if abs(effect) < SOME:
        return []
    here, there = float(np.median(part)), float(np.median(rest))
    return [
        {
            "column": str(values.name),
            "effect": finite(effect, 3),
            "inside": finite(here, 4),
            "others": finite(there, 4),
            "words": f"{'much' if abs(effect) >= MUCH else 'somewhat'}"
            f" {'higher' if effect > 0 else 'lower'} {values.name}"
            f" (median {_told(here)}, of the others {_told(there)})",
        }
    ]


def _category(values: pd.Series, inside: np.ndarray) -> list[dict[str, Json]]:
    """Effect of a category: difference of shares in standard deviations of its indicator."""
    found: list[dict[str, Json]] = []
    if inside.all():
        return found
    for value in values.value_counts().head(VALUES).index:
        flags = (values == value).to_numpy()
        here, there = float(flags[inside].mean()), float(flags[~inside].mean())
        spread = float(flags.std())
        if spread <= 0 or abs(here - there) < RARE or abs(here - there) / spread < SOME:
            continue
        found.append(
            {
                "column": str(values.name),
                "value": plain(value),
                "effect": finite((here - there) / spread, 3),
                "inside": finite(here, 4),
                "others": finite(there, 4),
                "words": f"{'more' if here > there else 'less'} often {values.name} {value}"
                f" ({here:.0%}, of the others {there:.0%})",
            }
        )
    return found


def sentence(found: Sequence[dict[str, Json]], share: float) -> str:
    """A segment in one sentence: its size, then what sets it apart most."""
    told: list[str] = []
    seen: set[str] = set()
    for row in found:
        if str(row["column"]) not in seen and len(told) < WORDS:
            seen.add(str(row["column"]))
            told.append(str(row["words"]))
    return f"{share:.0%} of the rows: " + ("; ".join(told) or "like the others in everything")


def _told(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
