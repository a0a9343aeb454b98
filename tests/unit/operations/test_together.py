"""The two best families averaged: what unseen rows were told, and what that is worth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, mean_absolute_error, roc_auc_score

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning.example import write_features, write_rows
from pipelines.operations.learning.folds import Fold
from pipelines.operations.learning.tasks import TASKS
from pipelines.operations.learning.unseen import averaged, read_unseen, write_unseen
from pipelines.operations.learning.weights import WEIGHT
from pipelines.operations.tables import read_document, read_table, write_table
from tests.unit.operations.running import perform

FOLDS = [Fold(np.arange(30, 90), np.arange(30)), Fold(np.arange(30), np.arange(30, 90))]
DRAW = np.random.default_rng(0)
SETTINGS: dict[str, Json] = {"max_iter": 15}


def candidates(folder: Path, weight: bool = False) -> dict[str, dict[str, Path]]:
    """Three families trained on the same folds."""
    train = write_rows(folder / "train.parquet")
    if weight:
        frame = read_table(train)
        frame[WEIGHT] = np.where(frame["late"] == 1, 1.0, 4.0)
        train = write_table(frame, folder / "weighed.parquet")
    inputs = {"train": train, "features": write_features(folder)}
    found: dict[str, dict[str, Path]] = {"models": {}, "scores": {}, "unseen": {}}
    for family in ("dummy", "linear", "boosting"):
        more = {"settings": SETTINGS} if family == "boosting" else {}
        made = perform("train_candidate", folder / family, inputs, family=family, folds=3, **more)
        for port, name in (("models", "model"), ("scores", "scores"), ("unseen", "unseen")):
            found[port][family] = made.outputs[name]
    return found


@pytest.mark.parametrize("weight", [False, True])
def test_what_unseen_rows_were_told_gives_the_scores_again(tmp_path: Path, weight: bool) -> None:
    found = candidates(tmp_path, weight)
    for family, path in found["unseen"].items():
        folds = read_document(found["scores"][family])["folds"]
        again = read_unseen(path).measured(TASKS["classification"], "log_loss")
        assert list(again) == [row["log_loss"] for row in folds]  # type: ignore[index,call-overload,union-attr]


def test_the_average_is_that_of_the_two_best_and_its_gain_is_paired(tmp_path: Path) -> None:
    found = candidates(tmp_path)
    facts = perform("select_candidate", tmp_path, found, metric="log_loss").facts
    average = facts["average"]
    assert isinstance(average, dict)
    tables = {name: read_table(path) for name, path in found["unseen"].items()}
    mean = (tables["linear"]["score_0"] + tables["boosting"]["score_0"]) / 2
    rows = tables["linear"].assign(mean=mean)
    expected = [log_loss(part["truth"], part["mean"]) for _, part in rows.groupby("fold")]
    assert average["folds"] == pytest.approx(expected)
    means = {row["name"]: row["mean"] for row in facts["candidates"]}  # type: ignore[index,union-attr,call-overload]
    best = min(means, key=means.__getitem__)
    assert average["names"] == [best, {"linear", "boosting"}.difference([best]).pop()]
    over = average["over_best"]
    assert over["value"] == pytest.approx(means[best] - np.mean(expected))  # type: ignore[index,call-overload]


def test_without_what_they_told_there_is_no_average(tmp_path: Path) -> None:
    found = candidates(tmp_path)
    unseen = found.pop("unseen")
    assert perform("select_candidate", tmp_path, found).facts["average"] is None
    few = {**found, "unseen": {"linear": unseen["linear"]}}
    with pytest.raises(OperationError, match="3 models came with 1 tables"):
        perform("select_candidate", tmp_path, few)
    one = {port: {k: v for k, v in paths.items() if k != "linear"} for port, paths in
           {**found, "unseen": unseen}.items()}  # fmt: skip
    assert perform("select_candidate", tmp_path, one).facts["average"] is None  # dummy is none


@pytest.mark.parametrize("task", ["classification", "multiclass", "regression"])
def test_averages_of_every_task_agree_with_scikit_learn(tmp_path: Path, task: str) -> None:
    truth = {
        "classification": DRAW.integers(0, 2, 90), "multiclass": DRAW.integers(0, 3, 90),
        "regression": DRAW.normal(size=90),
    }[task]  # fmt: skip
    tables = []
    for number in range(2):
        told: list[np.ndarray] = [
            DRAW.dirichlet(np.ones(3), fold.test.size) if task == "multiclass"
            else DRAW.random(fold.test.size) for fold in FOLDS
        ]  # fmt: skip
        path = tmp_path / f"{number}.parquet"
        tables.append(read_unseen(write_unseen(path, FOLDS, told, truth=truth, weights=None)))
    found = averaged({"a": tables[0], "b": tables[1]})
    metric = (
        "mae" if task == "regression" else "roc_auc" if task == "classification" else "log_loss"
    )
    for number, value in enumerate(found.measured(TASKS[task], metric), start=1):
        chosen = (found.rows["fold"] == number).to_numpy()
        means = (tables[0].scores[chosen] + tables[1].scores[chosen]) / 2
        given = truth[FOLDS[number - 1].test]
        expected = {
            "mae": mean_absolute_error, "roc_auc": roc_auc_score, "log_loss": log_loss,
        }[metric](given, means)  # fmt: skip
        assert value == pytest.approx(expected)


def test_scores_of_other_rows_are_not_averaged(tmp_path: Path) -> None:
    truth = DRAW.integers(0, 2, 90)
    told = [DRAW.random(fold.test.size) for fold in FOLDS]
    one = read_unseen(write_unseen(tmp_path / "1.parquet", FOLDS, told, truth=truth, weights=None))
    others = [Fold(fold.train, fold.test[::-1]) for fold in FOLDS]
    other = read_unseen(
        write_unseen(tmp_path / "2.parquet", others, told, truth=truth, weights=None)
    )
    with pytest.raises(OperationError) as refused:
        averaged({"a": one, "b": other})
    assert refused.value.code == "not_comparable"
    strange = write_table(pd.DataFrame({"x": [1.0]}), tmp_path / "3.parquet")
    with pytest.raises(OperationError, match="no scores of unseen rows"):
        read_unseen(strange)
