"""Folds for comparing candidates: forward in time when there is a time column.

Otherwise rows are dealt at random: classes in equal shares, and rows of one group together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from pipelines.operations.contract import OperationError
from pipelines.operations.learning.resampling import group_codes
from pipelines.operations.learning.spanning import kept_apart

Index = npt.NDArray[np.int64]
KEPT = 10  # rows of a class that a thinned sample keeps, where there are as many (own)


@dataclass(frozen=True)
class Fold:
    """Row positions to train on and to score; in time order where there is time."""

    train: Index
    test: Index


class Dealer(Protocol):
    """How rows are dealt where there is no time, and what every side of a fold must hold."""

    def deal(self, truth: np.ndarray, *, count: int, seed: int) -> list[Fold]:
        """Random folds; raises OperationError where there are too few rows for so many."""
        ...

    def problem(self, truth: np.ndarray) -> OperationError | None:
        """Why nothing can be learned from or judged on these rows."""
        ...


@dataclass(frozen=True)
class ByClass:
    """Both classes in their shares on each side; rows of one group on one side."""

    groups: pd.Series | None = None

    def deal(self, truth: np.ndarray, *, count: int, seed: int) -> list[Fold]:
        """Stratified folds; raises OperationError where a class has fewer rows than folds."""
        smallest = int(np.bincount(truth, minlength=2).min())
        if smallest < count:
            raise OperationError(
                "too_few_rows_for_folds",
                f"the smaller class has {smallest} rows for {count} folds",
                field="folds", value=count, rule="at most the rows of the smaller class",
            )  # fmt: skip
        if self.groups is None:
            splitter = StratifiedKFold(count, shuffle=True, random_state=seed)
            return _shuffled(splitter.split(np.zeros(truth.size), truth), truth.size, seed)
        codes = _codes(self.groups, count)
        splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        return _shuffled(splitter.split(np.zeros(truth.size), truth, codes), truth.size, seed)

    def problem(self, truth: np.ndarray) -> OperationError | None:
        """One class only."""
        if np.unique(truth).size >= 2:
            return None
        return OperationError(
            "fold_with_one_class", "would hold one class only",
            field="folds", rule="every fold trains on and scores both classes",
        )  # fmt: skip


@dataclass(frozen=True)
class BySeveralClasses:
    """Every class in its share on each side; rows of one group on one side.

    A side to train on must hold every class, or its scores would have fewer columns than there
    are classes; a side to score may lack some, and is scored on those that it has.
    """

    groups: pd.Series | None = None

    def deal(self, truth: np.ndarray, *, count: int, seed: int) -> list[Fold]:
        """Stratified folds; raises OperationError where a class has fewer rows than folds."""
        folds = ByClass(self.groups).deal(truth, count=count, seed=seed)
        every = np.unique(truth)
        for number, fold in enumerate(folds, start=1):
            absent = np.setdiff1d(every, truth[fold.train])
            if absent.size:
                raise _lacks_class(f"fold {number} of {count}", int(absent[0]), count)
        return folds

    def problem(self, truth: np.ndarray) -> OperationError | None:
        """One class only."""
        return ByClass().problem(truth)

    def problem_of_training(self, truth: np.ndarray, all_rows: np.ndarray) -> OperationError | None:
        """A class that all rows have and these lack."""
        absent = np.setdiff1d(np.unique(all_rows), truth)
        return _lacks_class("", int(absent[0]), None) if absent.size else None


def _lacks_class(where: str, place: int, count: int | None) -> OperationError:
    return OperationError(
        "fold_lacks_class",
        f"{where} would train without class number {place + 1}".strip(),
        field="folds", value=count,
        rule="every fold trains on all classes; use fewer folds, or join rare classes",
    )  # fmt: skip


@dataclass(frozen=True)
class ByRow:
    """Every row alike; rows of one group on one side."""

    groups: pd.Series | None = None

    def deal(self, truth: np.ndarray, *, count: int, seed: int) -> list[Fold]:
        """Shuffled folds; raises OperationError where there are fewer rows than folds."""
        if truth.size < count:
            raise OperationError(
                "too_few_rows_for_folds",
                f"there are {truth.size} rows for {count} folds",
                field="folds", value=count, rule="at most the number of rows",
            )  # fmt: skip
        if self.groups is None:
            splitter = KFold(count, shuffle=True, random_state=seed)
            return _shuffled(splitter.split(np.zeros(truth.size)), truth.size, seed)
        codes = _codes(self.groups, count)
        splitter = GroupKFold(count, shuffle=True, random_state=seed)
        return _shuffled(splitter.split(np.zeros(truth.size), None, codes), truth.size, seed)

    def problem(self, truth: np.ndarray) -> OperationError | None:
        """Too few rows for a spread."""
        if truth.size >= 2:
            return None
        return OperationError(
            "fold_too_small", f"would hold {truth.size} rows",
            field="folds", rule="every fold trains on and scores two rows or more",
        )  # fmt: skip


@dataclass(frozen=True)
class Clock:
    """When the outcome of each row is, when (a forecast) it was asked for, what it belongs to."""

    moment: pd.Series
    origin: pd.Series | None = None
    group: pd.Series | None = None


def make_folds(
    truth: np.ndarray,
    *,
    count: int,
    rows: int,
    seed: int,
    time: pd.Series | Clock | None = None,
    dealer: Dealer = ByClass(),
) -> list[Fold]:
    """`count` folds with at most `rows` training rows each.

    With time, fold i trains on the latest rows before block i and scores block i: rows of
    one moment never lie on both sides. Blocks of forecasts are by their origin, and train on
    outcomes known by then. Groups stay on one side, as `spanning` says.

    Raises OperationError if a side cannot be used.
    """
    if time is None:
        folds = dealer.deal(truth, count=count, seed=seed)
    else:
        clock = time if isinstance(time, Clock) else Clock(time)
        folds = _forward_folds(clock, count=count)
        if clock.group is not None:
            codes = group_codes(clock.group)
            folds = [_apart(fold, codes, [seed, place]) for place, fold in enumerate(folds)]
    folds = [Fold(_latest(fold.train, rows), fold.test) for fold in folds]
    for number, fold in enumerate(folds, start=1):
        for side in (fold.train, fold.test):
            problem = dealer.problem(truth[side])
            if problem is None and side is fold.train and isinstance(dealer, BySeveralClasses):
                problem = dealer.problem_of_training(truth[side], truth)
            if problem is not None:
                raise OperationError(
                    problem.code,
                    f"fold {number} of {count} {problem.message}",
                    field="folds", value=count, rule=problem.rule,
                )  # fmt: skip
    return folds


def _shuffled(pairs: Iterable[tuple[Index, Index]], rows: int, seed: int) -> list[Fold]:
    """The training side is shuffled so that a cap on its rows takes a fair sample."""
    order = np.random.default_rng(seed).permutation(rows)
    return [Fold(order[np.isin(order, train)], test) for train, test in pairs]


def _codes(groups: pd.Series, count: int) -> Index:
    """A number for each group; a row without a group is one of its own."""
    codes, known = pd.factorize(groups, sort=True)
    codes = codes.astype(np.int64)
    alone = np.flatnonzero(codes < 0)
    codes[alone] = len(known) + np.arange(alone.size)
    found = np.unique(codes).size
    if found < count:
        raise OperationError(
            "too_few_groups_for_folds",
            f"{groups.name} has {found} groups for {count} folds",
            field="folds", value=count, rule="at most the number of groups",
        )  # fmt: skip
    return codes


def _forward_folds(clock: Clock, *, count: int) -> list[Fold]:
    moments = _moments(clock.moment)
    asked = moments if clock.origin is None else _moments(clock.origin)
    order = np.argsort(asked, kind="stable").astype(np.int64)
    ordered = asked[order]
    wanted = [len(order) * block // (count + 1) for block in range(1, count + 1)]
    # move each bound back to the first row of its moment
    bounds = [int(np.searchsorted(ordered, ordered[place])) for place in wanted]
    ends = [*bounds[1:], len(order)]
    folds = []
    for start, end in zip(bounds, ends, strict=True):
        train = order[:start]
        if clock.origin is not None and start < len(order):
            train = train[moments[train] < ordered[start]]
        folds.append(Fold(train, order[start:end]))
    return folds


def _apart(fold: Fold, codes: Index, seed: Sequence[int]) -> Fold:
    """The fold with no group on both sides, where that is possible."""
    every = np.concatenate([fold.train, fold.test])
    early = np.arange(every.size) < fold.train.size
    kept = kept_apart(codes[every], early, seed=seed)
    return Fold(every[early & kept], every[~early & kept])


def _moments(time: pd.Series) -> np.ndarray:
    found = pd.to_datetime(time, utc=True) if time.dtype == object else time
    return found.to_numpy()


def _latest(rows: Index, limit: int) -> Index:
    return rows[-limit:] if rows.size > limit else rows


def thinned(fold: Fold, *, rows: int, seed: int, classes: np.ndarray | None = None) -> Fold:
    """A seeded sample of both sides, at most `rows` each, for cheap trials.

    With `classes` of all rows, up to KEPT rows of each class join a sample that has fewer.
    """
    rng = np.random.default_rng(seed)
    train, test = _sample(fold.train, rows, rng), _sample(fold.test, rows, rng)
    if classes is None:
        return Fold(train, test)
    return Fold(_with_all(train, fold.train, classes), test)


def _with_all(drawn: Index, rows: Index, classes: np.ndarray) -> Index:
    """The sample and the first rows of classes that it holds too few of, in the rows' order."""
    wanted = np.isin(rows, drawn)
    for code in np.unique(classes[rows]):
        own = np.flatnonzero(classes[rows] == code)
        if int(wanted[own].sum()) < KEPT:
            wanted[own[:KEPT]] = True
    return rows[wanted]


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
