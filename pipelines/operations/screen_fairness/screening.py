"""One sensitive column: rates by group, the distances between them, how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from pipelines.operations.contract import Json, finite
from pipelines.operations.evaluate_slices.grouping import declared_slices
from pipelines.operations.learning.calibration import wilson
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import Interval, interval
from pipelines.operations.screen_fairness.rates import (
    COUNTS,
    MEASURES,
    Groups,
    Tied,
    larger,
    p_value,
    rates,
    ratio,
    spread,
    tied_p_value,
)
from pipelines.operations.tables import column_type


@dataclass(frozen=True)
class Minimum:
    """Rows a group needs to be judged, and rows of a class for an error rate."""

    rows: int
    cases: int


@dataclass(frozen=True)
class Screened:
    """A column with its counts (groups x COUNTS), distances with intervals, and p-values.

    The lowest and highest group are chosen anew in every bootstrap sample, so with many small
    groups the intervals lean towards inequality: the p-value is what tells chance.
    """

    groups: Groups
    counts: Floats
    judged: npt.NDArray[np.bool_]  # groups x MEASURES
    distances: Mapping[str, Interval]
    p_values: Mapping[str, float | None]
    adjusted: Mapping[str, float | None]


def groups_of(values: pd.Series) -> Groups:
    """The groups a column makes: categories, months, or numbers in quarters; missing is one."""
    if column_type(values) in ("int", "float"):
        values = values.replace([np.inf, -np.inf], np.nan)
    pieces = declared_slices(values)
    codes = np.zeros(len(values), dtype=np.int64)
    for place, piece in enumerate(pieces):
        codes[piece.rows] = place
    return Groups(str(values.name), tuple(piece.name for piece in pieces), codes)


def screen(
    groups: Groups,
    counts: Floats,
    samples: Floats,
    *,
    minimum: Minimum,
    seed: int,
    told: Tied | None = None,
) -> Screened:
    """Distances of one column; `samples` are bootstrap counts (samples x groups x COUNTS).

    `told` are the rows by block, where rows of one block may stray together.
    """
    needed = np.asarray([minimum.rows, minimum.cases, minimum.cases])
    judged = (counts[:, 0:COUNTS:2] >= needed) & (counts[:, :1] >= minimum.rows)
    value = np.where(judged, rates(counts), np.nan).T  # MEASURES x groups
    drawn = np.moveaxis(np.where(judged, rates(samples), np.nan), -1, 0)
    p_values = {
        name: _p_value(counts[:, 2 * place : 2 * place + 2], judged[:, place], seed=seed)
        if told is None
        else tied_p_value(groups, judged[:, place], told, name)
        for place, name in enumerate(MEASURES)
    }
    return Screened(groups, counts, judged, _distances(value, drawn), p_values, p_values)


def _p_value(counts: Floats, judged: npt.NDArray[np.bool_], *, seed: int) -> float | None:
    return p_value(counts[judged, 1], counts[judged, 0], seed=seed)


def _distances(value: Floats, drawn: Floats) -> dict[str, Interval]:
    selection, opportunity, alarms = value
    drawn_selection, drawn_opportunity, drawn_alarms = drawn
    gaps, drawn_gaps = spread(opportunity), spread(drawn_opportunity)
    odds = larger(gaps, spread(alarms))
    return {
        "selection_ratio": interval(float(ratio(selection)), ratio(drawn_selection)),
        "opportunity_difference": interval(float(gaps), drawn_gaps),
        "odds_difference": interval(float(odds), larger(drawn_gaps, spread(drawn_alarms))),
    }


def adjust(found: Sequence[Screened]) -> list[Screened]:
    """The same with p-values after Benjamini-Hochberg over all columns and measures."""
    known = [
        (place, name)
        for place, screened in enumerate(found)
        for name in MEASURES
        if screened.p_values[name] is not None
    ]
    given = [found[place].p_values[name] for place, name in known]
    corrected = stats.false_discovery_control(given, method="bh") if given else []
    table = {key: float(value) for key, value in zip(known, corrected, strict=True)}
    return [
        replace(one, adjusted={name: table.get((place, name)) for name in MEASURES})
        for place, one in enumerate(found)
    ]


def column_json(found: Screened) -> dict[str, Json]:
    """One row per column: distances, p-values, the groups at both ends."""
    selection = np.where(found.judged[:, 0], rates(found.counts)[:, 0], np.nan)
    ends = _ends_of(found.groups.names, selection)
    small = int((~found.judged[:, 0]).sum())
    odds = [found.adjusted[name] for name in ("opportunity", "false_alarms")]
    known = [value for value in odds if value is not None]
    return {
        "column": found.groups.column,
        "groups": len(found.groups.names),
        "too_small": small,
        **{name: _interval_json(gap) for name, gap in found.distances.items()},
        "lowest": ends[0],
        "highest": ends[1],
        "p_selection": finite(found.adjusted["selection"], 6),
        "p_opportunity": finite(found.adjusted["opportunity"], 6),
        "p_odds": finite(min(known), 6) if known else None,
    }


def _ends_of(names: Sequence[str], values: Floats) -> tuple[str, str]:
    known = np.flatnonzero(np.isfinite(values))
    if not known.size:
        return "", ""
    low, high = known[values[known].argmin()], known[values[known].argmax()]
    return names[int(low)], names[int(high)]


def _interval_json(gap: Interval) -> dict[str, Json]:
    return {
        "value": finite(gap.value, 6),
        "low": finite(gap.low, 6),
        "high": finite(gap.high, 6),
    }


def group_rows(found: Screened) -> list[dict[str, Json]]:
    """One row per group: rows, rates with Wilson intervals, whether it was judged."""
    labels = ("selection_rate", "true_positive_rate", "false_positive_rate")
    rows: list[dict[str, Json]] = []
    for place, name in enumerate(found.groups.names):
        counts = found.counts[place]
        row: dict[str, Json] = {
            "column": found.groups.column,
            "group": name,
            "rows": int(counts[0]),
            "positives": int(counts[2]),
        }
        for measure, label in enumerate(labels):
            cases, of = counts[2 * measure + 1], counts[2 * measure]
            share = float(cases / of) if of else float("nan")
            low, high = wilson(share, int(of)) if of else (None, None)
            row |= {
                label: finite(share, 6),
                f"{label}_low": finite(low, 6),
                f"{label}_high": finite(high, 6),
            }
        rows.append(row | {"judged": bool(found.judged[place, 0])})
    return rows
