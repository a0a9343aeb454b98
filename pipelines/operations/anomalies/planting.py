"""Anomalies that are made on purpose, so that it can be counted how many are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.operations.anomalies.detector import MAD
from pipelines.operations.contract import Json, OperationError
from pipelines.operations.tables import as_numbers, deviation
from pipelines.operations.unlabelled.columns import is_number

KINDS = ("spike", "shift", "mix")
PLANTED, KIND = "injected", "injected_kind"


@dataclass(frozen=True)
class Reach:
    """Where a column's numbers lie: middle, spread, and the lowest."""

    middle: float
    spread: float
    lowest: float

    def moved(self, value: float, step: float, *, up: bool) -> float:
        """Further out on its own side; a column that is never negative stays so."""
        start = value if np.isfinite(value) else self.middle
        if start != self.middle:
            up = start > self.middle
        if not up and self.lowest >= 0 and start - step < 0:
            up = True
        return start + step if up else start - step


def reach_of(values: pd.Series) -> Reach:
    """Spread: 1.4826 median deviations, else the standard deviation, as the robust rule has it."""
    known = as_numbers(values)
    known = known[np.isfinite(known)]
    if not known.size:
        return Reach(0.0, 0.0, 0.0)
    middle = float(np.median(known))
    robust = MAD * float(np.median(np.abs(known - middle)))
    spread = robust if robust > 0 else deviation(known)
    return Reach(middle, spread, float(known.min()))


def plant(
    frame: pd.DataFrame,
    names: Sequence[str],
    *,
    kinds: Sequence[str],
    count: int,
    strength: float,
    seed: int,
) -> pd.DataFrame:
    """The rows with `count` changed copies below them, marked in two more columns.

    spike: one number `strength` spreads further out. shift: half of the numbers, half as far.
    mix: every column from another row, so that each value is ordinary and the whole is not.
    Raises OperationError where no number can be moved.
    """
    draw = np.random.default_rng(seed)
    reaches = {name: reach_of(frame[name]) for name in names if is_number(frame[name])}
    reaches = {name: reach for name, reach in reaches.items() if reach.spread > 0}
    if not reaches and set(kinds) & {"spike", "shift"}:
        raise OperationError(
            "nothing_to_move",
            "no column holds numbers that differ, so none can be moved far out",
            field="kinds",
            value=list[Json](kinds),
            rule="the rows are compared by at least one number",
        )
    made = frame.iloc[draw.integers(0, len(frame), count)].reset_index(drop=True)
    which = np.asarray([kinds[place % len(kinds)] for place in range(count)])
    _move(made, which, reaches, strength, draw)
    _mix(made, np.flatnonzero(which == "mix"), frame[list(names)], draw)
    real = frame.copy()
    real[PLANTED], real[KIND] = 0, ""
    made[PLANTED], made[KIND] = 1, which
    found: pd.DataFrame = pd.concat([real, made], ignore_index=True)
    return found


def _move(
    made: pd.DataFrame,
    which: np.ndarray,
    reaches: Mapping[str, Reach],
    strength: float,
    draw: np.random.Generator,
) -> None:
    """Spikes and shifts, in place; whole numbers stay whole."""
    numbers = list(reaches)
    changed = {name: as_numbers(made[name]).copy() for name in numbers}
    for row in np.flatnonzero(which != "mix"):
        spike = which[row] == "spike"
        most = 1 if spike else max(2, (len(numbers) + 1) // 2)
        for place in draw.permutation(len(numbers))[:most]:
            name, up = numbers[place], bool(draw.random() < 0.5)
            step = strength * reaches[name].spread * (1.0 if spike else 0.5)
            changed[name][row] = reaches[name].moved(changed[name][row], step, up=up)
    for name, values in changed.items():
        if pd.api.types.is_integer_dtype(made[name].dtype) and np.isfinite(values).all():
            values = np.rint(values)
        made[name] = pd.Series(values).astype(made[name].dtype)


def _mix(
    made: pd.DataFrame, rows: np.ndarray, frame: pd.DataFrame, draw: np.random.Generator
) -> None:
    """Each column of these rows from a row of its own, in place."""
    for name in frame.columns if rows.size else ():
        column = made[name].astype("object").to_numpy(copy=True)
        column[rows] = frame[name].iloc[draw.integers(0, len(frame), rows.size)].to_numpy()
        made[name] = pd.Series(column).astype(made[name].dtype)
