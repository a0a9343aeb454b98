"""Evaluating, slicing and explaining a candidate on its holdout."""

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipelines.operations.contract import OperationError
from pipelines.operations.evaluate_slices.areas import ByArea
from pipelines.operations.evaluate_slices.grouping import Slice, declared_slices
from pipelines.operations.evaluate_slices.judging import Limits, judge
from pipelines.operations.learning import store
from pipelines.operations.learning.example import features, rows, write_model
from pipelines.operations.tables import read_document, write_table
from tests.unit.operations.running import perform

COSTS = {"cost_fp": 20, "cost_fn": 50, "benefit_tp": 10, "currency": "EUR"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"))


def given(trained) -> dict:
    return {"candidate": trained.model, "holdout": trained.holdout}


def evaluated(trained, tmp_path, **params):
    return perform("evaluate_model", tmp_path, given(trained), samples=60, **params)


def test_scores_agree_with_scikit_learn(trained, tmp_path) -> None:
    outcome = evaluated(trained, tmp_path)
    holdout = pd.read_parquet(trained.holdout)
    scores = store.load(trained.model).predict_proba(holdout[features(rows()).names])[:, 1]
    found = outcome.facts["metrics"]
    assert found["roc_auc"]["value"] == pytest.approx(
        roc_auc_score(holdout["late"], scores), abs=1e-6
    )
    wanted = average_precision_score(holdout["late"], scores)
    assert found["pr_auc"]["value"] == pytest.approx(wanted, abs=1e-6)
    for row in found.values():
        assert row["low"] <= row["value"] <= row["high"]
    assert outcome.facts["interval"]["unit"] == "day"


def test_predictions_carry_key_score_label_and_decision(trained, tmp_path) -> None:
    outcome = evaluated(trained, tmp_path, costs=COSTS)
    table = pd.read_parquet(outcome.outputs["predictions"])
    assert list(table) == ["journey", "leaves", "score", "label", "flagged", "honest"]
    assert np.array_equal(table["flagged"], table["score"] >= outcome.facts["threshold"])
    assert (
        int(table["flagged"].sum())
        == outcome.facts["confusion"]["tp"] + outcome.facts["confusion"]["fp"]
    )


@pytest.mark.parametrize("costs", [{}, COSTS])
def test_precision_and_recall_are_not_read_off_the_rows_that_chose(
    costs, trained, tmp_path
) -> None:
    outcome = evaluated(trained, tmp_path, costs=costs)
    table = pd.read_parquet(outcome.outputs["predictions"])
    assert not table["honest"].equals(table["flagged"])
    hits = int((table["honest"] & (table["label"] == 1)).sum())
    found = outcome.facts["metrics"]
    assert found["recall"]["value"] == pytest.approx(hits / table["label"].sum(), abs=1e-6)
    assert found["precision"]["value"] == pytest.approx(hits / table["honest"].sum(), abs=1e-6)


def test_worth_is_stated_in_the_analysts_money(trained, tmp_path) -> None:
    facts = evaluated(trained, tmp_path, costs=COSTS).facts
    assert facts["threshold_method"] == "expected cost"
    assert facts["value"]["currency"] == "EUR"
    assert facts["value"]["break_even"] == 20 / 80
    worth = facts["value"]["per_1000"]
    assert worth["low"] < worth["value"] < worth["high"]
    assert any("Of 100 flagged" in sentence for sentence in facts["sentences"])


def test_the_currency_may_come_apart(trained, tmp_path) -> None:
    bare = {"cost_fp": 20, "cost_fn": 50}
    facts = evaluated(trained, tmp_path, costs=bare, currency="USD").facts
    assert facts["value"]["currency"] == "USD"
    assert evaluated(trained, tmp_path, currency="USD").facts["value"] is None


def test_without_costs_nothing_is_said_about_money(trained, tmp_path) -> None:
    facts = evaluated(trained, tmp_path).facts
    assert facts["value"] is None
    assert facts["threshold_method"] == "balanced accuracy"


@pytest.mark.parametrize(("below", "met"), [("low", True), ("value", False)])
def test_the_target_asks_the_worse_end_of_the_interval(below, met, trained, tmp_path) -> None:
    """A target between the lower bound and the value itself is not surely met."""
    measured = evaluated(trained, tmp_path).facts["metrics"]["roc_auc"]
    wanted = measured[below] - 0.001
    facts = evaluated(trained, tmp_path, target_metric="ROC AUC", target_value=wanted).facts
    assert facts["target_metric"]["met"] is met


def test_a_loss_must_stay_below_its_target(trained, tmp_path) -> None:
    facts = evaluated(trained, tmp_path, target_metric="brier", target_value=0.9).facts
    assert facts["target_metric"]["met"] is True


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"target_metric": "accuracy", "target_value": 0.9}, "target_metric"),
        ({"target_metric": "roc_auc"}, "target_value"),
        ({"target_metric": "value_per_1000", "target_value": 5}, "costs"),
        ({"costs": {"cost_fp": -1, "cost_fn": 1}}, "costs.cost_fp"),
        ({"target": "latte"}, "holdout"),
    ],
)
def test_what_does_not_fit_is_refused(params, field, trained, tmp_path) -> None:
    with pytest.raises(OperationError) as caught:
        evaluated(trained, tmp_path, **params)
    assert caught.value.field == field
    assert caught.value.rule


@pytest.mark.parametrize("late", [np.nan, 1])
def test_a_holdout_without_two_classes_is_refused(late, trained, tmp_path) -> None:
    holdout = write_table(rows(300).assign(late=late), tmp_path / "holdout.parquet")
    with pytest.raises(OperationError) as caught:
        perform("evaluate_model", tmp_path, {"candidate": trained.model, "holdout": holdout})
    assert caught.value.field == "target"


def test_two_rows_are_refused(trained, tmp_path) -> None:
    holdout = write_table(rows(2).assign(late=[0, 1]), tmp_path / "holdout.parquet")
    with pytest.raises(OperationError) as caught:
        perform("evaluate_model", tmp_path, {"candidate": trained.model, "holdout": holdout})
    assert caught.value.code == "class_too_small"


def brought_in(tmp_path):
    """A model trained elsewhere: no word about target, key or features."""
    frame = rows()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(
        frame[["wind"]], frame["late"]
    )
    path = tmp_path / "elsewhere.skops"
    skops.io.dump(model, path)
    return path


def test_a_model_trained_elsewhere_is_judged_alike(trained, tmp_path) -> None:
    inputs = {"candidate": brought_in(tmp_path), "holdout": trained.holdout}
    params = {"target": "late", "key_column": "journey", "time_column": "leaves"}
    facts = perform("evaluate_model", tmp_path, inputs, samples=60, **params).facts
    assert facts["family"] == "brought in"
    assert facts["metrics"]["roc_auc"]["value"] > 0.6
    slices = perform("evaluate_slices", tmp_path, inputs, slices=["place"], target="late").facts
    assert slices["declared"] == 5
    explained = perform("explain_model", tmp_path, inputs, target="late", rows=200, repeats=3).facts
    assert explained["top_column"] == "wind"


def test_a_model_trained_elsewhere_needs_a_target(trained, tmp_path) -> None:
    inputs = {"candidate": brought_in(tmp_path), "holdout": trained.holdout}
    with pytest.raises(OperationError) as caught:
        perform("evaluate_model", tmp_path, inputs)
    assert (caught.value.code, caught.value.field) == ("target_unknown", "target")


def test_slices_of_each_kind_cover_every_row_once() -> None:
    frame = rows()
    for name in ("wind", "place", "holiday", "seats", "booked", "vehicle"):
        covered = sum(piece.rows.astype(int) for piece in declared_slices(frame[name]))
        assert set(np.unique(covered)) == {1}, name


def noisy_slice(rng, size: int = 4000):
    """True probabilities everywhere, but for a slice whose labels are pure luck."""
    scores = rng.beta(2, 4, size)
    inside = np.arange(size) < size // 5
    chance = np.where(inside, scores.mean(), scores)
    return scores, (rng.random(size) < chance).astype(np.int64), inside


def test_a_slice_served_by_luck_is_worse_and_another_is_not() -> None:
    scores, labels, inside = noisy_slice(np.random.default_rng(0))
    other = np.random.default_rng(1).random(4000) < 0.2
    slices = [Slice("a", "lucky", inside), Slice("a", "any", other)]
    judged = judge(slices, scores, labels, Limits(), yardstick=ByArea())
    assert [(row.piece.name, row.verdict) for row in judged] == [
        ("lucky", "worse"),
        ("any", "holds"),
    ]


def test_rows_that_are_alike_are_hard_but_not_worse() -> None:
    rng = np.random.default_rng(0)
    scores = rng.beta(1, 3, 8000)
    labels = (rng.random(8000) < scores).astype(np.int64)
    alike = (scores > 0.3) & (scores < 0.36)
    slices = [Slice("a", "alike", alike)]
    judged = judge(slices, scores, labels, Limits(), yardstick=ByArea())
    assert judged[0].verdict == "hard"


def test_random_slices_are_not_found_worse() -> None:
    """False discoveries over many quiet slices stay rare."""
    rng = np.random.default_rng(0)
    scores = rng.beta(2, 4, 6000)
    labels = (rng.random(6000) < scores).astype(np.int64)
    slices = [Slice("a", str(n), rng.random(6000) < 0.05) for n in range(60)]
    judged = judge(slices, scores, labels, Limits(), yardstick=ByArea())
    assert sum(row.verdict == "worse" for row in judged) == 0


def test_small_slices_are_not_judged(trained, tmp_path) -> None:
    outcome = perform(
        "evaluate_slices", tmp_path, given(trained), slices=["place"], minimum_rows=5000, find=False
    )
    assert {row["verdict"] for row in outcome.facts["slices"]} == {"too small"}


def test_slices_are_found_without_being_named(trained, tmp_path) -> None:
    facts = perform("evaluate_slices", tmp_path, given(trained)).facts
    assert facts["declared"] == 0
    assert facts["found"] >= 2
    assert all(row["slice"] for row in facts["slices"])


def test_an_unknown_slice_column_is_refused(trained, tmp_path) -> None:
    with pytest.raises(OperationError) as caught:
        perform("evaluate_slices", tmp_path, given(trained), slices=["plce"])
    assert caught.value.value == ["plce"]


def test_explanation_knows_what_matters(trained, tmp_path) -> None:
    outcome = perform("explain_model", tmp_path, given(trained), rows=300)
    facts = outcome.facts
    ranked = [row["column"] for row in facts["importance"]]
    assert ranked[0] == "wind"  # the example's lateness depends on wind and place
    assert "wind" not in facts["without_benefit"]
    assert set(facts["without_benefit"]) & {"seats", "vehicle", "booked", "holiday"}
    document = read_document(outcome.outputs["explanation"])
    curve = document["dependence"][0]["points"]
    assert curve[-1]["score"] > curve[0]["score"]
    error = document["worst_errors"][0]
    assert abs(error["label"] - error["score"]) > 0.5
    assert len(error["reasons"]) == 3
