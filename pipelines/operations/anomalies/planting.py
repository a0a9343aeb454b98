"""Anomalies that are made on purpose, so that it can be counted how many are found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipelines.operations.anomalies.detector import MAD
from pipelines.operations.contract import Json, OperationError
from pipelines.operations.tables import as_numbers
from pipelines.operations.unlabelled.columns import is_number

KINDS = ("spike", "shift", "mix")
PLANTED, KIND = "injected", "injected_kind"


def plant(
    frame: pd.DataFrame, names: Sequence[str], *, kinds: Sequence[str], count: int, strength: float,
    seed: int,
) -> pd.DataFrame:  # fmt: skip
    """The rows with `count` changed copies below them, marked in two more columns.

    spike: one number `strength` spreads further out. shift: half of the numbers, half as far,
    all in a direction of their own. mix: every column from another row, so that each value is
    ordinary and the whole is not. Raises OperationError where no number can be moved.
    """
    draw = np.random.default_rng(seed)
    spreads = {name: _spread(frame[name]) for name in names if is_number(frame[name])}
    spreads = {name: spread for name, spread in spreads.items() if spread > 0}
    if not spreads and set(kinds) & {"spike", "shift"}:
        raise OperationError(
            "nothing_to_move",
            "no column holds numbers that differ, so none can be moved far out",
            field="kinds",
            value=list[Json](kinds),
            rule="the rows are compared by at least one number",
        )
    rows = draw.integers(0, len(frame), count)
    made = frame.iloc[rows].reset_index(drop=True)
    which = np.asarray([kinds[place % len(kinds)] for place in range(count)])
    numbers = list(spreads)
    changed = {name: as_numbers(made[name]).copy() for name in numbers}
    for row in range(count):
        if which[row] == "mix":
            continue
        far = which[row] == "spike"
        chosen = draw.permutation(len(numbers))[: 1 if far else max(2, (len(numbers) + 1) // 2)]
        for place in chosen:
            name = numbers[place]
            step = strength * spreads[name] * (1.0 if far else 0.5)
            changed[name][row] = _moved(changed[name][row], frame[name], step, draw)
    for name, values in changed.items():
        made[name] = values
    mixed = np.flatnonzero(which == "mix")
    for name in names if mixed.size else ():
        other = frame[name].iloc[draw.integers(0, len(frame), mixed.size)].to_numpy()
        column = made[name].astype("object").to_numpy(copy=True)
        column[mixed] = other
        made[name] = pd.Series(column).astype(made[name].dtype)
    real = frame.copy(deep=False)
    real[PLANTED], real[KIND] = 0, ""
    made[PLANTED], made[KIND] = 1, which
    return pd.concat([real, made], ignore_index=True)


def _spread(values: pd.Series) -> float:
    """1.4826 median deviations, else the standard deviation: as the robust rule measures."""
    known = as_numbers(values)
    known = known[np.isfinite(known)]
    if not known.size:
        return 0.0
    robust = MAD * float(np.median(np.abs(known - np.median(known))))
    return robust if robust > 0 else float(known.std())


def _moved(value: float, column: pd.Series, step: float, draw: np.random.Generator) -> float:
    """Further out on its own side; a column that is never negative stays so."""
    known = as_numbers(column)
    middle = float(np.nanmedian(known))
    start = middle if not np.isfinite(value) else value
    up = start > middle if start != middle else bool(draw.random() < 0.5)
    if not up and float(np.nanmin(known)) >= 0 and start - step < 0:
        up = True
    return start + step if up else start - step
