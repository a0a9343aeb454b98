"""Folds for comparing candidates: forward in time when there is a time column."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from pipelines.operations.contract import OperationError

Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Fold:
    """Row positions to train on and to score; in time order where there is time."""

    train: Index
    test: Index


def make_folds(
    labels: Index,
    *,
    count: int,
    rows: int,
    seed: int,
    time: pd.Series | None = None,
    groups: pd.Series | None = None,
) -> list[Fold]:
    """`count` folds with at most `rows` training rows each.

    With time, fold i trains on the latest rows before block i and scores block i: rows of
    one moment never lie on both sides. Without time but with groups, rows of one group never
    do. Raises OperationError if a side has one class only.
    """
    if time is None and groups is not None:
        folds = _group_folds(labels, groups, count=count, seed=seed)
    elif time is None:
        folds = _random_folds(labels, count=count, seed=seed)
    else:
        folds = _forward_folds(time, count=count)
    folds = [Fold(_latest(fold.train, rows), fold.test) for fold in folds]
    for number, fold in enumerate(folds, start=1):
        for side in (fold.train, fold.test):
            if np.unique(labels[side]).size < 2:
                raise OperationError(
                    "fold_with_one_class",
                    f"fold {number} of {count} would hold one class only",
                    field="folds", value=count,
                    rule="every fold trains on and scores both classes",
                )  # fmt: skip
    return folds


def _enough(labels: Index, count: int) -> None:
    smallest = int(np.bincount(labels, minlength=2).min())
    if smallest < count:
        raise OperationError(
            "too_few_rows_for_folds",
            f"the smaller class has {smallest} rows for {count} folds",
            field="folds", value=count, rule="at most the rows of the smaller class",
        )  # fmt: skip


def _random_folds(labels: Index, *, count: int, seed: int) -> list[Fold]:
    _enough(labels, count)
    splitter = StratifiedKFold(count, shuffle=True, random_state=seed)
    order = np.random.default_rng(seed).permutation(labels.size)
    pairs = splitter.split(np.zeros(labels.size), labels)
    # the training side is shuffled so that a cap on its rows takes a fair sample
    return [Fold(order[np.isin(order, train)], test) for train, test in pairs]


def _group_folds(labels: Index, groups: pd.Series, *, count: int, seed: int) -> list[Fold]:
    _enough(labels, count)
    codes, known = pd.factorize(groups.astype("str"), sort=True)
    if len(known) < count:
        raise OperationError(
            "too_few_groups_for_folds",
            f"{groups.name} has {len(known)} groups for {count} folds",
            field="folds", value=count, rule="at most as many folds as groups",
        )  # fmt: skip
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    order = np.random.default_rng(seed).permutation(labels.size)
    pairs = splitter.split(np.zeros(labels.size), labels, codes)
    return [Fold(order[np.isin(order, train)], test) for train, test in pairs]


def _forward_folds(time: pd.Series, *, count: int) -> list[Fold]:
    moments = pd.to_datetime(time, utc=True) if time.dtype == object else time
    order = np.argsort(moments.to_numpy(), kind="stable").astype(np.int64)
    ordered = moments.to_numpy()[order]
    wanted = [len(order) * block // (count + 1) for block in range(1, count + 1)]
    # move each bound back to the first row of its moment
    bounds = [int(np.searchsorted(ordered, ordered[place])) for place in wanted]
    ends = [*bounds[1:], len(order)]
    return [Fold(order[:start], order[start:end]) for start, end in zip(bounds, ends, strict=True)]


def _latest(rows: Index, limit: int) -> Index:
    return rows[-limit:] if rows.size > limit else rows


def thinned(fold: Fold, *, rows: int, seed: int) -> Fold:
    """A seeded sample of both sides, at most `rows` each, for cheap trials."""
    rng = np.random.default_rng(seed)
    return Fold(_sample(fold.train, rows, rng), _sample(fold.test, rows, rng))


def _sample(rows: Index, limit: int, rng: np.random.Generator) -> Index:
    if rows.size <= limit:
        return rows
    return rows[np.sort(rng.choice(rows.size, size=limit, replace=False))]


def digest(folds: Sequence[Fold]) -> str:
    """Identity of the folds: candidates are comparable only when it is equal."""
    found = hashlib.sha256()
    for fold in folds:
        found.update(np.ascontiguousarray(fold.train).tobytes() + b"|")
        found.update(np.ascontiguousarray(fold.test).tobytes() + b";")
    return found.hexdigest()
