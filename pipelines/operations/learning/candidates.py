"""A trained model with what is known about it: task, target, classes, key, time, features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from pipelines.operations.contract import Context, Json, OperationError
from pipelines.operations.learning import store
from pipelines.operations.learning.definition import FeatureSet, from_json
from pipelines.operations.learning.families import bad_value
from pipelines.operations.learning.frames import read_columns
from pipelines.operations.learning.labels import labelled, plain
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.tasks import Task, task_of
from pipelines.operations.learning.transformers import BadValueError


@dataclass(frozen=True)
class Candidate:
    """A model and how to read rows for it; `features` is None for one trained elsewhere."""

    model: Pipeline
    about: dict[str, Json]
    columns: tuple[str, ...]
    target: str
    key: tuple[str, ...]
    time: str
    classes: tuple[Json, ...] | None
    features: FeatureSet | None

    @property
    def task(self) -> Task:
        """What the model is asked."""
        return task_of(self.features, self.model)

    @property
    def group(self) -> str:
        """Column whose rows belong together, as declared with the features; "" for none."""
        return self.features.group if self.features else ""

    @property
    def grouped(self) -> tuple[str, ...]:
        """What ties rows together, to read with the holdout: group, when a forecast was made."""
        return tuple(filter(None, (self.group, self.origin)))

    @property
    def origin(self) -> str:
        """Column that says when a forecast was made; "" for none."""
        return self.features.origin if self.features else ""

    @property
    def brought(self) -> bool:
        """Whether it was trained elsewhere: its features are declared, and it has no recipe."""
        return self.features is None or "brought" in self.about

    @property
    def family(self) -> str:
        """The model's family; "brought in" for one trained elsewhere."""
        return str(self.about.get("family") or "brought in")


@dataclass(frozen=True)
class Holdout:
    """Labelled rows that the candidate never saw, with its scores.

    `labels` are 0/1, places of classes where there are several, or the numbers that came out;
    with several classes `scores` has a column for each.
    """

    frame: pd.DataFrame
    labels: np.ndarray
    scores: Floats
    classes: tuple[Json, ...]


def about_model(
    features: FeatureSet, *, family: str, settings: dict[str, Json], seed: int
) -> dict[str, Json]:
    """What a model file carries, so that it can be judged and served on its own."""
    return {
        "format": "baton/model/1",
        "family": family,
        "settings": settings,
        "seed": seed,
        "target": features.target,
        "classes": list(features.classes),
        "key": list(features.key),
        "time": features.time,
        "features": features.as_json(),
    }


def open_candidate(path: Path, context: Context, *, field: str = "candidate") -> Candidate:
    """Load a model; target, key and time come from its file, the params fill what it lacks.

    Raises OperationError for an unreadable or untrusted file, or when no target is known.
    """
    model = store.load(path, field=field)
    about = store.about(path)
    definition = about.get("features")
    features = from_json(definition) if isinstance(definition, dict) else None
    target = context.text("target") or str(about.get("target") or "")
    if not target:
        raise OperationError(
            "target_unknown",
            f"{field} does not say what it predicts, and no target is given",
            field="target",
            rule="names a column of the table",
        )
    key = features.key if features else tuple(filter(None, [context.text("key_column")]))
    time = features.time if features else context.text("time_column")
    columns = tuple(features.names) if features else _inputs(model, field)
    known = features.classes if features and features.target == target else None
    return Candidate(model, about, columns, target, key, time, known, features)


def _inputs(model: Pipeline, field: str) -> tuple[str, ...]:
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        raise OperationError(
            "columns_unknown",
            f"{field} was fitted without column names",
            field=field,
            rule="is a scikit-learn pipeline fitted on a table with named columns",
        )
    return tuple(str(name) for name in names)


def score_frame(candidate: Candidate, frame: pd.DataFrame, *, field: str) -> Floats:
    """The task's score of every row; raises OperationError for a bad value."""
    try:
        found = candidate.task.predict(candidate.model, frame[list(candidate.columns)])
    except BadValueError as error:
        raise bad_value(error, field=field) from error
    except (ValueError, TypeError) as error:
        raise OperationError(
            "model_refuses_rows",
            f"the model cannot score {field}: {error}",
            field=field,
            rule="holds rows as in training",
        ) from error
    return found


def _known(candidate: Candidate) -> tuple[Json, ...] | None:
    """The classes of the model: its file's, or those that a model brought in was fitted on."""
    if candidate.classes or candidate.task.name != "multiclass":
        return candidate.classes
    return tuple(plain(value) for value in candidate.model.classes_)


def open_holdout(
    path: Path, candidate: Candidate, *, extra: Sequence[str] = (), field: str = "holdout"
) -> Holdout:
    """Read the labelled rows and score them; raises OperationError naming what is wrong."""
    time = [candidate.time] if candidate.time else []
    wanted = [*candidate.columns, candidate.target, *candidate.key, *time, *extra]
    frame = labelled(read_columns(path, wanted, field=field), candidate.target)
    classes = candidate.task.judged(frame[candidate.target], _known(candidate))
    labels = candidate.task.truth(frame[candidate.target], classes)
    return Holdout(frame, labels, score_frame(candidate, frame, field=field), classes)
