"""Scores of many tables by few calls of the model, and labels by distinct values."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.operations.contract import Context, OperationError
from pipelines.operations.explain_model import view as views
from pipelines.operations.explain_model.spec import SPEC
from pipelines.operations.explain_model.view import View
from pipelines.operations.learning.candidates import open_candidate, open_holdout
from pipelines.operations.learning.example import write_model
from pipelines.operations.learning.labels import as_labels


@pytest.mark.parametrize("at_once", [1, 70, 100_000])
def test_stacked_tables_score_as_each_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """To the last bit, and in order, however many fit into one call."""
    monkeypatch.setattr(views, "ROWS_AT_ONCE", at_once)
    trained = write_model(tmp_path)
    candidate = open_candidate(trained.model, Context(spec=SPEC, folder=tmp_path))
    view = View.of(candidate, open_holdout(trained.holdout, candidate))
    tables = [
        view.rows(np.arange(start, start + size)) for start, size in ((0, 30), (7, 1), (3, 50))
    ]
    alone = [view.scores(table) for table in tables]
    stacked = list(view.scores_each(tables))
    assert [len(scores) for scores in stacked] == [30, 1, 50]
    for one, other in zip(alone, stacked, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (pd.Series([True, False, True]), (False, True)),
        (pd.Series([1, 0, 1]), (0, 1)),
        (pd.Series([1.0, 0.0, 1.0]), (0, 1)),
        (pd.Series(["yes", "no", "yes"]), ("no", "yes")),
        (pd.Series(["yes", "no", "yes"], dtype=object), ("no", "yes")),
        (pd.Series(["yes", "no", "yes"], dtype="category"), ("no", "yes")),
        (pd.Series([True, False, True], dtype="boolean"), (False, True)),
    ],
    ids=["flags", "numbers", "floats", "text", "objects", "categories", "nullable"],
)
def test_labels_of_every_type(values: pd.Series, classes: tuple[object, object]) -> None:
    """1 is the positive class, whatever the column is made of."""
    assert as_labels(values, classes).tolist() == [1, 0, 1]  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [[1.0, 0.0, None], [1, 0, 2], [1, 0, "1.5"]])
def test_a_value_of_neither_class_is_named(values: list[object]) -> None:
    """A missing one too: it must not be taken as the last class that was seen."""
    with pytest.raises(OperationError) as caught:
        as_labels(pd.Series(values, name="late"), (0, 1))
    assert caught.value.code == "class_unknown"
    assert caught.value.field == "target"
