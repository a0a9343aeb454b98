"""Fitting a family on encoded rows: fold by fold for scores, then on all rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning

from pipelines.operations.contract import Context, Json, OperationError, finite
from pipelines.operations.learning import store
from pipelines.operations.learning.candidates import about_model
from pipelines.operations.learning.definition import FeatureSet
from pipelines.operations.learning.families import build, encode, whole
from pipelines.operations.learning.folds import Clock, Fold, digest, make_folds
from pipelines.operations.learning.frames import read_features, read_training
from pipelines.operations.learning.metrics import Floats, Labels
from pipelines.operations.learning.resampling import group_codes
from pipelines.operations.learning.tasks import TASKS, Task
from pipelines.operations.learning.unseen import write_unseen
from pipelines.operations.learning.weights import fit_weighted, weights_in

Settings = Mapping[str, Json]


@dataclass(frozen=True)
class Training:
    """Encoded training rows, their truth and folds: everything a family is fitted on."""

    features: FeatureSet
    columns: ColumnTransformer
    matrix: Floats
    truth: np.ndarray
    folds: list[Fold]
    seed: int
    weights: Floats | None = None  # of a sampled table
    groups: Labels | None = None  # a number for each declared group

    @property
    def task(self) -> Task:
        """What the model is asked."""
        return TASKS[self.features.task]


@dataclass(frozen=True)
class Fitted:
    """A fitted "model" step, and whether its solver came to an end."""

    model: BaseEstimator
    converged: bool


def open_training(context: Context) -> Training:
    """Read and encode the rows, and deal them into folds; raises OperationError."""
    features = read_features(context.inputs["features"])
    target = context.text("target", features.target)
    if target != features.target:
        raise OperationError(
            "target_differs",
            f"target is {target!r}, the features were built for {features.target!r}",
            field="target",
            value=target,
            rule="is the target of the features",
        )
    frame = read_training(context.inputs["train"], features, field="train")
    task = TASKS[features.task]
    task.classes(frame[target])
    truth = task.truth(frame[target], features.classes)
    context.progress(0.05, "encoding", len(frame))
    columns, matrix = encode(features, frame, field="train")
    folds = make_folds(
        truth,
        count=context.whole("folds"),
        rows=context.whole("fold_rows"),
        seed=context.whole("fold_seed"),
        time=_clock(features, frame),
        dealer=task.dealer(frame[features.group] if features.group else None),
    )
    groups = group_codes(frame[features.group]) if features.group else None
    weights = weights_in(frame)
    return Training(features, columns, matrix, truth, folds, context.seed, weights, groups)


def _clock(features: FeatureSet, frame: pd.DataFrame) -> Clock | None:
    if not features.time:
        return None
    origin = frame[features.origin] if features.origin else None
    group = frame[features.group] if features.group else None
    return Clock(frame[features.time], origin, group)


def fit(training: Training, family: str, settings: Settings, rows: Fold | None = None) -> Fitted:
    """Fit on a fold's training side, or on all rows."""
    matrix, truth, weights = training.matrix, training.truth, training.weights
    groups = training.groups
    if rows is not None:
        matrix, truth = matrix[rows.train], truth[rows.train]
        groups = None if groups is None else groups[rows.train]
        weights = None if weights is None else weights[rows.train]
    model = build(family, training.features, settings, training.seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit_weighted(model, matrix, truth, weights, groups)
    stopped = any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    return Fitted(model, not stopped)


def score_folds(
    training: Training,
    family: str,
    settings: Settings,
    *,
    folds: Sequence[Fold],
    done: Callable[[int], None],
    kept: list[Floats] | None = None,
) -> list[dict[str, float]]:
    """The task's scores on each fold's test side; `kept` is given what each row was told."""
    found = []
    for number, fold in enumerate(folds, start=1):
        fitted = fit(training, family, settings, fold)
        scores = training.task.predict(fitted.model, training.matrix[fold.test])
        weights = None if training.weights is None else training.weights[fold.test]
        found.append(training.task.measure(scores, training.truth[fold.test], weights))
        if kept is not None:
            kept.append(scores)
        done(number)
    return found


def scores_document(
    training: Training, family: str, settings: Settings, *, found: Sequence[Mapping[str, float]]
) -> dict[str, Json]:
    """Scores as `select_candidate` reads them; the digest says on which folds."""
    rows: list[Json] = [
        {
            "fold": number,
            "trained_on": int(fold.train.size),
            "scored_on": int(fold.test.size),
            **{name: finite(score[name]) for name in training.task.scores},
        }
        for number, (fold, score) in enumerate(zip(training.folds, found, strict=True), start=1)
    ]
    return {
        "format": "baton/scores/1",
        "family": family,
        "settings": dict(settings),
        "forward_in_time": bool(training.features.time),
        "folds_digest": digest(training.folds),
        "features_digest": training.features.digest(),
        "folds": rows,
    }


def write_told(training: Training, told: Sequence[Floats], path: Path) -> Path:
    """What a candidate told each row that its fold had not seen."""
    return write_unseen(path, training.folds, told, truth=training.truth, weights=training.weights)


def write_model(
    training: Training, family: str, settings: Settings, *, fitted: Fitted, path: Path
) -> Path:
    """The whole pipeline as a file that says what it is."""
    about = about_model(
        training.features, family=family, settings=dict(settings), seed=training.seed
    )
    about |= training.task.usual(training.truth)
    return store.dump(whole(training.columns, fitted.model), path, about)


def mean_scores(found: Sequence[Mapping[str, float]]) -> dict[str, Json]:
    """Mean and standard error over folds of each score."""
    summary: dict[str, Json] = {}
    for name in found[0] if found else ():
        values = np.asarray([score[name] for score in found])
        error = float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else None
        summary[name] = {
            "mean": finite(float(values.mean()), 6),
            "standard_error": finite(error, 6),
        }
    return summary
