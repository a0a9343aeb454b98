"""Calibration inside a family, on folds that part no group.

A machine calibrated on rows of authors that it has learned from believes itself too much: the
folds of its calibration must respect the same groups as those that compare candidates.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import Pipeline

from pipelines.operations.contract import OperationError
from pipelines.operations.learning.metrics import Floats, Labels


@contextmanager
def calibrating_by_group(
    model: BaseEstimator, truth: Labels | Floats, groups: Labels | None
) -> Iterator[None]:
    """Give a calibrated last step folds by group for as long as it is fitted.

    The row numbers of the folds do not stay in the model. Raises OperationError where there are
    too few groups, or where a fold would lack a class.
    """
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    if groups is None or not isinstance(last, CalibratedClassifierCV):
        yield
        return
    asked = last.cv
    if not isinstance(asked, StratifiedKFold):
        raise TypeError("a calibration by group starts from stratified folds")
    dealt = StratifiedGroupKFold(asked.n_splits, shuffle=True, random_state=asked.random_state)
    last.cv = _parted(dealt, truth, groups)
    try:
        yield
    finally:
        last.cv = dealt


def _parted(
    dealt: StratifiedGroupKFold, truth: Labels | Floats, groups: Labels
) -> list[tuple[np.ndarray, np.ndarray]]:
    count, found = dealt.n_splits, np.unique(groups).size
    if found < count:
        raise OperationError(
            "too_few_groups_to_calibrate",
            f"{found} group(s) for {count} folds of calibration",
            field="group_column", value=found, rule=f"has at least {count} groups",
        )  # fmt: skip
    smallest = int(np.unique(truth, return_counts=True)[1].min())
    if smallest < count:
        raise OperationError(
            "too_few_rows_to_calibrate",
            f"a class has {smallest} row(s) for {count} folds of calibration",
            field="train", value=smallest, rule=f"each class has at least {count} rows",
        )  # fmt: skip
    folds = list(dealt.split(np.zeros(truth.size), truth, groups))
    if any(np.unique(truth[train]).size < np.unique(truth).size for train, _ in folds):
        raise OperationError(
            "calibration_lacks_class",
            "all rows of a class lie in groups of one fold of the calibration",
            field="group_column", rule="each class occurs in groups of several folds",
        )  # fmt: skip
    return folds
