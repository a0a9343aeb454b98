"""Operations that challenge a model take classes and numbers; decisions are of classes only."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines import catalogue
from pipelines.operations.contract import Context, OperationError, clean_params
from pipelines.operations.learning.candidates import Holdout
from pipelines.operations.learning.decisions import decide
from pipelines.operations.learning.example_values import write_model
from tests.unit.operations.running import perform

OF_BOTH = {
    "measure_coverage": {},
    "explain_rows": {},
    "screen_fairness": {"sensitive": ["place"]},
    "stress_model": {},
}


@pytest.mark.parametrize("name", OF_BOTH)
def test_a_model_that_always_says_the_same_number_is_challenged_too(
    name: str, tmp_path: Path
) -> None:
    trained = write_model(tmp_path, family="dummy")
    given = {"candidate": trained.model, "holdout": trained.holdout}
    assert perform(name, tmp_path, given, **OF_BOTH[name]).facts["task"] == "regression"


def test_numbers_are_not_flagged(tmp_path: Path) -> None:
    spec = catalogue.spec("stress_model")
    context = Context(spec=spec, folder=tmp_path, inputs={}, params=clean_params(spec, {}))
    holdout = Holdout(pd.DataFrame(), np.asarray([0, 1]), np.asarray([0.2, 0.7]), ("no", "yes"))
    assert decide(context, holdout).flags.tolist() == [False, True]
    with pytest.raises(OperationError) as refused:
        decide(context, replace(holdout, classes=()))
    assert refused.value.code == "task_not_suited"
