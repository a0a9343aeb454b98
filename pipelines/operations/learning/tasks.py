"""What a model is asked: the one place that knows how classification and regression differ.

Everything else works on a `Task`: truths are an array of 0/1 labels, of places of classes or of
numbers; scores are probabilities of the positive class, a row of probabilities of all classes, or
the predicted numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning.classification import Classification
from pipelines.operations.learning.definition import TASK_NAMES, FeatureSet, TaskName
from pipelines.operations.learning.folds import Dealer
from pipelines.operations.learning.metrics import Floats, metric_name
from pipelines.operations.learning.multiclass import Multiclass
from pipelines.operations.learning.regression import Regression
from pipelines.operations.learning.resampling import Resampling
from pipelines.operations.learning.settings import Space
from pipelines.operations.learning.several import count_classes

__all__ = [
    "TASKS",
    "TASK_NAMES",
    "Task",
    "need_metric",
    "need_task",
    "task_for",
    "task_named",
    "task_of",
    "task_of_metric",
]


class Task(Protocol):
    """How targets are read, models built and scores measured."""

    @property
    def name(self) -> TaskName:
        """The task's name."""
        ...

    @property
    def scores(self) -> tuple[str, ...]:
        """Measured on every fold and in every evaluation; any of them may decide."""
        ...

    def classes(self, values: pd.Series, *, positive: Json = None) -> tuple[Json, ...]:
        """(other, positive), or none; raises OperationError for a target that will not do."""
        ...

    def judged(self, values: pd.Series, known: tuple[Json, ...] | None) -> tuple[Json, ...]:
        """The classes that labelled rows are judged by; raises OperationError where they cannot."""
        ...

    def truth(self, values: pd.Series, classes: tuple[Json, ...]) -> np.ndarray:
        """The target of every row; raises OperationError for a value that is none."""
        ...

    def dealer(self, groups: pd.Series | None) -> Dealer:
        """How rows are dealt into folds where there is no time."""
        ...

    def space(self, family: str) -> Space:
        """The parameters of a family."""
        ...

    def fitting(self, family: str, metric: str) -> dict[str, Json]:
        """Settings that make a family minimise what the metric measures."""
        ...

    def dummy(self, settings: Mapping[str, Json]) -> BaseEstimator:
        """Always the same answer."""
        ...

    def linear(self, settings: Mapping[str, Json]) -> BaseEstimator:
        """The linear model on prepared numbers."""
        ...

    def trees(self, settings: Mapping[str, Json], shared: Mapping[str, object]) -> BaseEstimator:
        """Boosting, with the parameters that do not depend on the task."""
        ...

    def target_means(self, seed: int) -> BaseEstimator:
        """Encodes a category by the target of other rows."""
        ...

    def means_per_column(self, classes: tuple[Json, ...]) -> int:
        """Numbers that `target_means` makes of one column."""
        ...

    def predict(self, model: BaseEstimator, rows: Floats | pd.DataFrame) -> Floats:
        """One score per row."""
        ...

    def measure(
        self, scores: Floats, truth: np.ndarray, weights: Floats | None = None
    ) -> dict[str, float]:
        """Each of `scores`, of rows that weigh so much each; NaN where undefined."""
        ...

    def samples(
        self, scores: Floats, truth: np.ndarray, resampling: Resampling
    ) -> dict[str, Floats]:
        """Each of `scores` in every bootstrap sample."""
        ...

    def losses(self, scores: Floats, truth: np.ndarray) -> Floats:
        """How wrong each row is."""
        ...

    def excess(self, scores: Floats, truth: np.ndarray) -> Floats:
        """How wrong each row is beyond what its score admits."""
        ...

    def draw(self, truth: np.ndarray, rng: np.random.Generator, rows: int) -> np.ndarray:
        """Positions of a sample of rows that can be scored."""
        ...

    def usual(self, truth: np.ndarray) -> dict[str, Json]:
        """What a model file keeps of the training target."""
        ...


TASKS: Mapping[str, Task] = {
    "classification": Classification(),
    "multiclass": Multiclass(),
    "regression": Regression(),
}


def task_named(name: str) -> Task:
    """The task of that name; raises OperationError for an unknown one."""
    if name not in TASKS:
        raise OperationError(
            "unknown_task", f"there is no task {name!r}",
            field="task", value=name, rule=f"is one of {', '.join(TASKS)}",
        )  # fmt: skip
    return TASKS[name]


def task_for(name: str, target: pd.Series) -> Task:
    """The task asked for, as the target has it: a classification of more than two classes is
    another task. Raises OperationError for an unknown name.
    """
    several = name == "classification" and count_classes(target) > 2
    return task_named("multiclass" if several else name)


def task_of(features: FeatureSet | None, model: BaseEstimator) -> Task:
    """The task of a model: its definition's, else by what it can answer."""
    if features is not None:
        return TASKS[features.task]
    if not hasattr(model, "predict_proba"):
        return TASKS["regression"]
    return TASKS["multiclass" if len(getattr(model, "classes_", ())) > 2 else "classification"]


def task_of_metric(metric: str) -> Task | None:
    """The task that a metric, as people spell it, belongs to; None for an unknown one."""
    name = metric_name(metric)
    return next((task for task in TASKS.values() if name in task.scores), None)


def need_task(task: Task, wanted: TaskName, *, field: str = "candidate") -> None:
    """Raises OperationError for a model that is asked something else."""
    if task.name != wanted:
        raise OperationError(
            "task_not_suited", f"{field} is a model of {task.name}",
            field=field, value=task.name, rule=f"is a model of {wanted}",
        )  # fmt: skip


def need_metric(task: Task, metric: str) -> str:
    """The metric's own name; raises OperationError where the task does not measure it."""
    name = metric_name(metric)
    if name not in task.scores:
        raise OperationError(
            "metric_of_another_task", f"{metric!r} is no score of a {task.name}",
            field="metric", value=metric, rule=f"is one of {', '.join(task.scores)}",
        )  # fmt: skip
    return name
