"""Training, searching, selecting: folds, determinism, the one-SE rule, refusals."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from pipelines.operations.contract import OperationError
from pipelines.operations.learning import folds, store
from pipelines.operations.learning.example import features, rows, write_features, write_rows
from pipelines.operations.learning.families import build, encode
from pipelines.operations.learning.labels import as_labels
from pipelines.operations.select_candidate.comparison import (
    Entry,
    best_of,
    paired,
    simplest_within_one_se,
)
from pipelines.operations.tables import read_document, write_document, write_table
from tests.unit.operations.running import perform

QUICK = {"settings": {"max_iter": 15}, "folds": 3}


def given(tmp_path, frame=None) -> dict:
    path = tmp_path / "train.parquet"
    train = write_rows(path) if frame is None else write_table(frame, path)
    return {"train": train, "features": write_features(tmp_path)}


def test_folds_go_forward_in_time_and_never_split_a_moment() -> None:
    days = ["2024-01-01"] * 30 + ["2024-01-02"] * 40 + ["2024-01-03"] * 50
    time = pd.Series(pd.to_datetime(days, utc=True))
    labels = np.tile([0, 1], 60)
    for fold in folds.make_folds(labels, count=2, rows=1000, seed=0, time=time):
        assert time[fold.train].max() < time[fold.test].min()


def test_folds_train_on_the_latest_rows() -> None:
    time = pd.Series(pd.date_range("2024-01-01", periods=400, freq="h", tz="UTC"))
    fold = folds.make_folds(np.tile([0, 1], 200), count=3, rows=50, seed=0, time=time)[-1]
    assert fold.train.tolist() == list(range(250, 300))
    assert fold.test.tolist() == list(range(300, 400))


def test_folds_without_time_keep_the_classes_and_cover_each_row_once() -> None:
    labels = np.array([1] * 30 + [0] * 270)
    found = folds.make_folds(labels, count=3, rows=1000, seed=0)
    assert sorted(np.concatenate([fold.test for fold in found])) == list(range(300))
    assert {int(labels[fold.test].sum()) for fold in found} == {10}
    assert all(not set(fold.train) & set(fold.test) for fold in found)
    capped = folds.make_folds(labels, count=3, rows=100, seed=0)[0]
    assert 3 <= labels[capped.train].sum() <= 20


def test_a_fold_with_one_class_is_refused() -> None:
    time = pd.Series(pd.date_range("2024-01-01", periods=100, tz="UTC"))
    with pytest.raises(OperationError) as caught:
        folds.make_folds(np.array([0] * 50 + [1] * 50), count=4, rows=1000, seed=0, time=time)
    assert (caught.value.field, caught.value.value) == ("folds", 4)


@pytest.mark.parametrize("family", ["dummy", "linear", "boosting"])
def test_equal_seed_and_data_give_bit_equal_models(family, tmp_path) -> None:
    inputs = given(tmp_path)
    params = {
        **QUICK,
        "family": family,
        "settings": QUICK["settings"] if family == "boosting" else {},
    }
    runs = [perform("train_candidate", tmp_path / str(n), inputs, seed=5, **params) for n in (1, 2)]
    models = [run.outputs["model"].read_bytes() for run in runs]
    assert models[0] == models[1]
    assert runs[0].outputs["scores"].read_bytes() == runs[1].outputs["scores"].read_bytes()
    frame = rows()[features(rows()).names]
    scores = [store.load(run.outputs["model"]).predict_proba(frame) for run in runs]
    assert np.array_equal(scores[0], scores[1])


def test_fold_scores_agree_with_scikit_learn(tmp_path) -> None:
    outcome = perform("train_candidate", tmp_path, given(tmp_path), family="linear", folds=3)
    frame = rows()
    labels = as_labels(frame["late"], (0, 1))
    _, matrix = encode(features(frame), frame, field="train")
    document = read_document(outcome.outputs["scores"])
    made = folds.make_folds(labels, count=3, rows=50_000, seed=0, time=frame["leaves"])
    assert document["folds_digest"] == folds.digest(made)
    for fold, row in zip(made, document["folds"], strict=True):
        model = build("linear", features(frame), {}, 0).fit(matrix[fold.train], labels[fold.train])
        wanted = roc_auc_score(labels[fold.test], model.predict_proba(matrix[fold.test])[:, 1])
        assert row["roc_auc"] == pytest.approx(wanted)


def test_a_model_that_learns_beats_the_dummy(tmp_path) -> None:
    inputs = given(tmp_path)
    dummy = perform("train_candidate", tmp_path / "d", inputs, family="dummy", folds=3)
    linear = perform("train_candidate", tmp_path / "l", inputs, family="linear", folds=3)
    assert dummy.facts["scores"]["roc_auc"]["mean"] == 0.5
    assert linear.facts["scores"]["roc_auc"]["mean"] > 0.65
    assert dummy.facts["folds_digest"] == linear.facts["folds_digest"]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"max_iter": 0}, "settings.max_iter"),
        ({"max_iter": 2.5}, "settings.max_iter"),
        ({"depth": 3}, "settings.depth"),
        ({"learning_rate": "fast"}, "settings.learning_rate"),
        ({"learning_rate": True}, "settings.learning_rate"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, field, tmp_path) -> None:
    with pytest.raises(OperationError) as caught:
        perform("train_candidate", tmp_path, given(tmp_path), family="boosting", settings=settings)
    assert caught.value.field == field


def test_a_value_that_is_no_number_is_named(tmp_path) -> None:
    frame = rows()
    frame["wind"] = frame["wind"].round(1).astype(str)
    frame.loc[77, "wind"] = "strong"
    with pytest.raises(OperationError) as caught:
        perform("train_candidate", tmp_path, given(tmp_path, frame))
    assert (caught.value.field, caught.value.value) == ("wind", "'strong'")


def test_absent_columns_are_all_named(tmp_path) -> None:
    frame = rows().drop(columns=["wind", "place"])
    with pytest.raises(OperationError) as caught:
        perform("train_candidate", tmp_path, given(tmp_path, frame))
    assert caught.value.value == ["wind", "place"]


@pytest.mark.parametrize("late", [np.nan, 1])
def test_a_target_without_two_classes_is_refused(late, tmp_path) -> None:
    with pytest.raises(OperationError) as caught:
        perform("train_candidate", tmp_path, given(tmp_path, rows().assign(late=late)))
    assert caught.value.field == "target"


def test_another_target_than_that_of_the_features_is_refused(tmp_path) -> None:
    with pytest.raises(OperationError) as caught:
        perform("train_candidate", tmp_path, given(tmp_path), target="holiday")
    assert caught.value.value == "holiday"


def test_a_search_repeats_bit_for_bit_and_logs_every_trial(tmp_path) -> None:
    inputs = given(tmp_path)
    params = {"family": "linear", "n_trials": 8, "folds": 2}
    runs = [
        perform("search_candidate", tmp_path / str(n), inputs, seed=3, **params) for n in (1, 2)
    ]
    for port in ("model", "log", "scores"):
        assert runs[0].outputs[port].read_bytes() == runs[1].outputs[port].read_bytes()
    log = read_document(runs[0].outputs["log"])
    assert [trial["trial"] for trial in log["trials"]] == list(range(8))
    assert log["trials"][0]["settings"] == {}
    best = max(log["trials"], key=lambda trial: trial["score"])
    assert runs[0].facts["settings"] == best["settings"]
    assert runs[0].facts["best_score"] >= runs[0].facts["default_score"]
    assert runs[0].facts["stopped_by"] == "trials"


def test_a_search_that_hits_its_budget_says_so(tmp_path) -> None:
    outcome = perform(
        "search_candidate", tmp_path, given(tmp_path),
        family="boosting", n_trials=1000, budget_seconds=1.0, folds=2,
    )  # fmt: skip
    assert outcome.facts["stopped_by"] == "budget"
    assert outcome.facts["repeatable"] is False
    assert 1 <= outcome.facts["tried"] < 1000


def entry(name: str, values: tuple, *, family: str = "boosting", settings=None, sign=1) -> Entry:
    return Entry(name, family, settings or {}, values, sign, "f", "d")


def test_the_simplest_within_one_standard_error_is_chosen() -> None:
    best = entry("search", (0.71, 0.69, 0.74, 0.70), settings={"max_iter": 50})
    close = entry("linear", (0.70, 0.70, 0.72, 0.70), family="linear")
    dummy = entry("dummy", (0.5, 0.5, 0.5, 0.5), family="dummy")
    entries = [dummy, close, best]
    assert best_of(entries) is best
    assert simplest_within_one_se(entries, best) is close


def test_a_clear_winner_is_kept() -> None:
    best = entry("search", (0.75, 0.74, 0.76), settings={"max_iter": 50})
    behind = entry("linear", (0.70, 0.69, 0.70), family="linear")
    assert simplest_within_one_se([behind, best], best) is best


def test_lower_is_better_for_losses() -> None:
    good, bad = entry("a", (0.50, 0.51), sign=-1), entry("b", (0.60, 0.61), sign=-1)
    assert best_of([bad, good]) is good
    assert paired(good, bad).value == pytest.approx(0.1)


def candidates(tmp_path, **changes) -> dict:
    inputs = given(tmp_path)
    models, scores = {}, {}
    for family in ("dummy", "linear"):
        outcome = perform("train_candidate", tmp_path / family, inputs, family=family, folds=3)
        models[family], scores[family] = outcome.outputs["model"], outcome.outputs["scores"]
    document = read_document(scores["linear"]) | changes
    scores["linear"] = write_document(tmp_path / "linear.json", document)
    return {"models": models, "scores": scores}


def test_selection_hands_on_the_chosen_file_unchanged(tmp_path) -> None:
    inputs = candidates(tmp_path)
    outcome = perform("select_candidate", tmp_path, inputs)
    assert outcome.facts["chosen"] == "linear"
    assert outcome.outputs["candidate"].read_bytes() == inputs["models"]["linear"].read_bytes()
    gain = outcome.facts["baseline_gain"]
    assert 0 < gain["low"] < gain["value"] < gain["high"]
    assert outcome.facts["families"] == ["dummy", "linear"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"folds_digest": "others"}, "not_comparable"),
        ({"features_digest": "others"}, "not_comparable"),
        ({"family": "boosting"}, "scores_of_another_model"),
        ({"folds": [{"fold": 1}]}, "scores_incomplete"),
    ],
)
def test_candidates_that_cannot_be_compared_are_refused(changes, code, tmp_path) -> None:
    with pytest.raises(OperationError) as caught:
        perform("select_candidate", tmp_path, candidates(tmp_path, **changes))
    assert (caught.value.code, caught.value.field) == (code, "scores")


def test_a_model_without_scores_is_refused(tmp_path) -> None:
    inputs = candidates(tmp_path)
    del inputs["scores"]["dummy"]
    with pytest.raises(OperationError, match="2 models came with 1 scores"):
        perform("select_candidate", tmp_path, inputs)


def test_facts_name_the_folds(tmp_path) -> None:
    outcome = perform("train_candidate", tmp_path, given(tmp_path), family="dummy")
    assert json.dumps(outcome.facts)
    assert outcome.facts["forward_in_time"] is True
