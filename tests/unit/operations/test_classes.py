"""Decisions class by class as scikit-learn counts them, and the abstain band kept honest."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, precision_score, recall_score

from pipelines.operations.contract import OperationError
from pipelines.operations.evaluate_classes.abstaining import Scored, abstaining, choose, curve
from pipelines.operations.evaluate_classes.counts import class_scores, drawn, four_counts
from pipelines.operations.tables import write_document, write_table
from tests.unit.operations.running import perform

pairs = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


@settings(max_examples=25, deadline=None)
@given(pairs)
def test_scores_are_those_of_scikit_learn(rows: list[tuple[bool, bool]]) -> None:
    truth, flagged = (np.asarray(side) for side in zip(*rows, strict=True))
    counts = four_counts(truth, flagged).sum(axis=0)
    expected = confusion_matrix(truth, flagged, labels=[False, True]).ravel()
    assert list(counts) == list(expected)
    found = {name: values[0] for name, values in class_scores(counts[None, :]).items()}
    known = {"labels": [False, True], "zero_division": 0}
    assert found["macro_f1"] == pytest.approx(f1_score(truth, flagged, average="macro", **known))
    for place, label in enumerate((False, True)):
        one = {"labels": [label], "average": "macro", "zero_division": 0}
        assert found[f"recall {place}"] == pytest.approx(recall_score(truth, flagged, **one))
        assert found[f"precision {place}"] == pytest.approx(precision_score(truth, flagged, **one))


def test_drawing_counts_is_drawing_rows() -> None:
    rng = np.random.default_rng(0)
    cells = four_counts(rng.random(400) < 0.4, rng.random(400) < 0.5)
    mine = drawn(cells, None, samples=3000, seed=1)
    theirs = np.asarray([cells[rng.integers(0, 400, 400)].sum(axis=0) for _ in range(3000)])
    assert np.allclose(mine.mean(axis=0), theirs.mean(axis=0), atol=1.0)
    assert np.allclose(mine.std(axis=0), theirs.std(axis=0), rtol=0.06)


def test_groups_widen_the_interval() -> None:
    """Ten groups of equal rows carry the information of ten rows."""
    truth = np.repeat(np.arange(10) % 2 == 0, 40)
    flagged = np.repeat(np.asarray([1, 1, 0, 0, 1, 0, 1, 0, 1, 1]) == 1, 40)
    cells, groups = four_counts(truth, flagged), np.repeat(np.arange(10), 40)
    rows = class_scores(drawn(cells, None, samples=500, seed=0))["accuracy"].std()
    whole = class_scores(drawn(cells, groups, samples=500, seed=0))["accuracy"].std()
    assert whole > 4 * rows


def scored(rows: int, *, seed: int = 0, noise: bool = False) -> Scored:
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0, 1, rows)
    truth = rng.random(rows) < (0.5 if noise else scores)
    return Scored(scores, truth, 0.5)


def test_a_wider_band_leaves_fewer_wrong_answers() -> None:
    found = curve(scored(20_000))
    assert found[0]["coverage"] == 1.0
    coverage = [point["coverage"] for point in found]
    assert coverage == sorted(coverage, reverse=True)
    errors = {round(p["coverage"], 1): p["error"] for p in found if p["error"] is not None}
    # calibrated scores, uniform: answering the outer share c leaves c/4 wrong
    for share in (1.0, 0.8, 0.4):
        assert errors[share] == pytest.approx(share / 4, abs=0.02)


def test_the_band_is_the_narrowest_that_keeps_the_promise() -> None:
    rows = scored(20_000)
    most = choose(rows, 0.1)
    assert most == pytest.approx(0.2, abs=0.02)
    halves = np.arange(20_000) % 2 == 0
    facts = abstaining(rows, 0.1, halves)
    assert facts["low"] == pytest.approx(most)
    assert facts["high"] == pytest.approx(1 - most)
    assert facts["error"] == pytest.approx(0.1, abs=0.01)
    assert facts["error_without"] == pytest.approx(0.25, abs=0.02)


def test_each_half_is_judged_by_the_band_of_the_other() -> None:
    """One half is always right, so it asks for no band; the other is wrong between 0.4 and 0.6."""
    scores = np.tile([0.1, 0.45, 0.55, 0.9], 50)
    right = scores >= 0.5
    halves = np.arange(200) < 100
    truth = np.where(halves, right, np.where(np.abs(scores - 0.5) < 0.1, ~right, right))
    facts = abstaining(Scored(scores, truth, 0.5), 0.1, halves)
    # the right half by the wrong half's band: 50 answered, none wrong; the wrong half without
    # any: 100 answered, 50 wrong
    assert facts["coverage"] == pytest.approx(150 / 200)
    assert facts["error"] == pytest.approx(50 / 150)


def test_scores_that_mean_nothing_have_no_band() -> None:
    facts = abstaining(scored(5_000, noise=True), 0.1, np.arange(5_000) % 2 == 0)
    assert (facts["reachable"], facts["low"], facts["error"]) == (False, None, None)


def test_no_band_is_needed_where_answers_are_right() -> None:
    rows = Scored(np.asarray([0.1, 0.2, 0.8, 0.9]), np.asarray([False, False, True, True]), 0.5)
    facts = abstaining(rows, 0.1, np.asarray([True, False, True, False]))
    assert (facts["low"], facts["high"], facts["coverage"]) == (0.5, 0.5, 1.0)


def inputs(folder: Path, rows: int = 300, **facts: object) -> dict[str, Path]:
    made = scored(rows, seed=4)
    frame = pd.DataFrame({"score": made.scores, "label": made.truth.astype("int64")})
    return {
        "predictions": write_table(frame, folder / "p.parquet"),
        "evaluation": write_document(folder / "e.json", {"facts": {"threshold": 0.5} | facts}),
    }


def test_the_operation_names_the_class_told_least_often(tmp_path: Path) -> None:
    given = inputs(tmp_path)
    given["evaluation"] = write_document(tmp_path / "f.json", {"facts": {"threshold": 0.9}})
    facts = perform("evaluate_classes", tmp_path, given).facts
    recalls = {row["class"]: row["recall"]["value"] for row in facts["classes"]}
    assert recalls["positive"] < 0.4 < recalls["other"]
    assert facts["lowest_recall"]["value"] == recalls["positive"]
    assert facts["confusion"]["tp"] + facts["confusion"]["fn"] == facts["classes"][1]["rows"]
    assert facts["interval"]["unit"] == "row"


def test_decisions_of_thresholds_that_other_rows_chose_are_judged(tmp_path: Path) -> None:
    given = inputs(tmp_path)
    frame = pd.read_parquet(given["predictions"])
    frame["honest"] = frame["score"] >= 0.7
    given["predictions"] = write_table(frame, tmp_path / "honest.parquet")
    facts = perform("evaluate_classes", tmp_path, given).facts
    flagged = facts["confusion"]["tp"] + facts["confusion"]["fp"]
    assert flagged == frame["honest"].sum() < (frame["score"] >= 0.5).sum()
    assert facts["threshold"] == 0.5


def test_rows_of_another_table_are_refused(tmp_path: Path) -> None:
    given = inputs(tmp_path)
    given["holdout"] = write_table(pd.DataFrame({"author": ["a"] * 7}), tmp_path / "h.parquet")
    with pytest.raises(OperationError, match="holdout has 7 rows, predictions have 300"):
        perform("evaluate_classes", tmp_path, given, group_column="author")


def test_an_evaluation_without_threshold_is_refused(tmp_path: Path) -> None:
    given = inputs(tmp_path)
    given["evaluation"] = write_document(tmp_path / "n.json", {"facts": {}})
    with pytest.raises(OperationError, match="states no threshold"):
        perform("evaluate_classes", tmp_path, given)
