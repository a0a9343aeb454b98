"""Regression by the same operations as classification: scores, folds, interval, package."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.base import BaseEstimator

from pipelines.operations.contract import Json, OperationError, Outcome
from pipelines.operations.evaluate_slices.grouping import Slice
from pipelines.operations.evaluate_slices.judging import Limits, judge
from pipelines.operations.evaluate_slices.sizes import BySize
from pipelines.operations.learning import conformal, example, store
from pipelines.operations.learning.definition import from_json
from pipelines.operations.learning.example_values import (
    rows,
    write_model,
    write_rows,
)
from pipelines.operations.learning.folds import ByClass, ByRow, make_folds
from pipelines.operations.learning.resampling import Resampling
from pipelines.operations.learning.tasks import TASKS, need_metric, task_of_metric
from pipelines.operations.learning.unit_costs import parse_unit_cost
from pipelines.operations.learning.values import (
    as_values,
    bias_bins,
    pinball_losses,
    value_samples,
    value_scores,
)
from pipelines.operations.learning.weights import fit_weighted
from pipelines.operations.load_test.probe import probe as load_test
from pipelines.operations.packages.loaded import load_package, plain_rows
from pipelines.operations.retrain_clean.probe import probe as retrain
from pipelines.operations.tables import read_document, write_table
from tests.unit.operations.running import perform

COSTS: Json = {"unit_cost": 5.0, "currency": "EUR"}
COUNTS: dict[str, Json] = {"rows": 40, "singles": 20}
numbers = st.floats(-1e6, 1e6, allow_nan=False, width=32)


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=60))
@settings(max_examples=60, deadline=None)
def test_scores_agree_with_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    predicted, truth = np.asarray(pairs).T
    found = value_scores(predicted, truth)
    assert found["mae"] == pytest.approx(reference.mean_absolute_error(truth, predicted))
    assert found["rmse"] == pytest.approx(reference.root_mean_squared_error(truth, predicted))
    if np.ptp(truth) > 1e-3:
        assert found["r2"] == pytest.approx(reference.r2_score(truth, predicted), rel=1e-6)
    if np.ptp(truth) == 0:
        assert np.isnan(found["r2"])
    for quantile in (0.05, 0.5, 0.95):
        losses = pinball_losses(predicted, truth, quantile)
        wanted = reference.mean_pinball_loss(truth, predicted, alpha=quantile)
        assert float(losses.mean()) == pytest.approx(wanted)


def test_samples_agree_with_scores_of_drawn_rows() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(1e4, 3, 60)
    predicted = truth + rng.normal(0, 1, 60)
    drawn = Resampling(np.arange(60), 20, 3, "row")
    found = value_samples(predicted, truth, drawn)
    weights = next(drawn.weights(20))
    for place, weight in enumerate(weights.astype(int)):
        wanted = value_scores(np.repeat(predicted, weight), np.repeat(truth, weight))
        for name in ("mae", "rmse", "r2"):
            assert found[name][place] == pytest.approx(wanted[name], rel=1e-6)


def test_bias_bins_hold_every_row_once() -> None:
    predicted = np.repeat([1.0, 2.0, 3.0], [50, 1, 49])
    found = bias_bins(predicted, predicted - 0.5)
    assert sum(int(str(row["rows"])) for row in found) == 100
    assert {row["bias"] for row in found} == {0.5}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (["1", "x"] * 20, "target_not_a_number"),
        ([1.0, np.inf] * 20, "target_not_a_number"),
        ([True, False] * 20, "target_not_a_number"),
        ([1.0] * 40, "target_constant"),
        ([1.0, 2.0], "too_few_rows"),
        ([np.nan] * 40, "target_missing"),
    ],
)
def test_a_target_that_will_not_do_is_refused(values: list[object], code: str) -> None:
    with pytest.raises(OperationError) as refused:
        TASKS["regression"].classes(pd.Series(values, name="minutes"))
    assert refused.value.code == code


def test_numbers_as_text_are_numbers() -> None:
    assert as_values(pd.Series(["1.5", "2"], name="minutes")).tolist() == [1.5, 2.0]


def test_a_definition_of_classes_keeps_its_digest() -> None:
    """Stored definitions have neither task nor group; the digest is of those made before."""
    found = example.features(example.rows())
    assert not {"task", "group"} & found.as_json().keys()
    assert found.digest().startswith("af317da3dcfb9b21")
    value = replace(found, task="regression", classes=(), group="place")
    assert from_json(value.as_json()) == value
    assert value.digest() != found.digest()
    with pytest.raises(OperationError, match="clustering"):
        from_json({**found.as_json(), "task": "clustering", "digest": None})


@pytest.mark.parametrize("dealer", [ByRow, ByClass])
def test_rows_of_one_group_stay_together(dealer: type[ByRow] | type[ByClass]) -> None:
    groups = pd.Series(np.repeat(np.arange(20), 10), name="crew").astype("float64")
    groups[5] = np.nan
    truth = np.tile([0, 1], 100)
    folds = make_folds(truth, count=4, rows=1000, seed=0, dealer=dealer(groups))
    for fold in folds:
        assert not set(groups[fold.train].dropna()) & set(groups[fold.test].dropna())
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(200))
    with pytest.raises(OperationError, match="crew has 21 groups for 30 folds"):
        make_folds(truth, count=30, rows=1000, seed=0, dealer=dealer(groups))


def test_metrics_know_their_task() -> None:
    assert [task_of_metric(name) for name in ("R²", "RMSE", "roc auc", "nonsense")] == [
        TASKS["regression"],
        TASKS["regression"],
        TASKS["classification"],
        None,
    ]
    with pytest.raises(OperationError, match="no score of a regression"):
        need_metric(TASKS["regression"], "roc_auc")


def test_the_margin_covers_exchangeable_rows_as_promised() -> None:
    """Over many calibrations the mean coverage is exact, by counting ranks."""
    rng = np.random.default_rng(0)
    drawn = rng.exponential(size=(2000, 41))
    shares = []
    for row in drawn:
        margin = conformal.margin(row[:40], 0.1)
        assert margin is not None
        shares.append(margin.low <= row[40] <= margin.high)
    # 40 errors, the 2nd smallest and largest: of 41 places 38 lie between them
    exact = 1 - 2 * 2 / 41
    assert np.mean(shares) == pytest.approx(exact, abs=3 * np.sqrt(exact * (1 - exact) / 2000))


def test_the_tolerance_is_what_chance_allows() -> None:
    """Deviations over its effective rows have about unit spread: also where days stray."""
    rng = np.random.default_rng(1)
    for strength, size in ((0.0, 40), (1.0, 60)):
        ratios = []
        for _ in range(150):
            day = np.repeat(np.arange(size), 25)
            errors = rng.normal(0, strength, size)[day] + rng.normal(0, 1, day.size)
            first = day < size // 2
            margin = conformal.margin(errors[first], 0.1)
            assert margin is not None
            found = conformal.coverage(errors[~first], margin, day[~first])
            ratios.append((found.share - found.promised) / (found.tolerance / conformal.SIGMAS))
        assert 0.75 < float(np.std(ratios)) < 1.3, strength


def test_too_few_rows_give_no_margin() -> None:
    assert conformal.margin(np.arange(18.0), 0.1) is None
    assert conformal.margin(np.arange(19.0), 0.1) == conformal.Margin(0.0, 18.0, 0.9, 19)


def test_an_unsound_slice_is_worse_and_a_spread_out_one_is_hard() -> None:
    rng = np.random.default_rng(2)
    group = rng.integers(0, 3, 6000)
    spread = np.asarray([1.0, 6.0, 3.0])[group]
    signal = rng.normal(0, 1, 6000) * spread
    truth = signal + rng.normal(0, 0.5, 6000) * spread
    predicted = np.where(group == 2, 0.0, signal)
    slices = [Slice("g", str(name), group == name) for name in range(3)]
    slices.append(Slice("g", "any", rng.random(6000) < 0.3))
    found = judge(slices, predicted, truth, Limits(), yardstick=BySize())
    assert {row.piece.name: row.verdict for row in found} == {
        "0": "holds",
        "1": "hard",
        "2": "worse",
        "any": "holds",
    }
    quiet = [Slice("g", str(n), rng.random(6000) < 0.05) for n in range(60)]
    judged = judge(quiet, predicted, truth, Limits(), yardstick=BySize())
    assert sum(row.verdict == "worse" for row in judged) == 0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """The whole way from rows to a report on late labels, once."""
    folder = tmp_path_factory.mktemp("values")
    train, holdout = write_rows(folder / "t.parquet"), folder / "h.parquet"
    write_table(rows(400, seed=2, start="2024-03-01"), holdout)
    found: dict[str, Outcome] = {}
    contract = example.write_contract(folder)
    found["build"] = perform(
        "build_features", folder, {"train": train, "contract": contract},
        target="minutes", task="regression", exclude=["note"], key_column="journey",
        time_column="leaves",
    )  # fmt: skip
    given = {"train": train, "features": found["build"].outputs["features"]}
    for family in ("dummy", "linear"):
        place = folder / family
        found[family] = perform("train_candidate", place, given, family=family, folds=3)
    found["search"] = perform(
        "search_candidate", folder, given, metric="mae", n_trials=2, folds=3, sample_rows=200
    )
    parts = ("dummy", "linear", "search")
    many = {
        "models": {name: found[name].outputs["model"] for name in parts},
        "scores": {name: found[name].outputs["scores"] for name in parts},
    }
    found["select"] = perform("select_candidate", folder, many, metric="mae")
    judged = {"candidate": found["select"].outputs["candidate"], "holdout": holdout}
    found["evaluate"] = perform(
        "evaluate_model", folder, judged, costs=COSTS, target_metric="MAE", target_value=9.0,
        samples=60,
    )  # fmt: skip
    found["slices"] = perform("evaluate_slices", folder, judged, slices=["place"])
    found["explain"] = perform(
        "explain_model", folder, judged, metric="mae", rows=200, repeats=3, curves=2, errors=3
    )
    evaluation = {"evaluation": found["evaluate"].outputs["evaluation"]}
    found["package"] = perform("package_model", folder, {**judged, **evaluation}, golden=50)
    found["holdout"] = Outcome({"rows": holdout, "train": train}, {})
    return found


def test_features_say_what_is_asked(made) -> None:
    definition = from_json(read_document(made["build"].outputs["features"]))
    assert (definition.task, definition.classes, definition.target) == ("regression", (), "minutes")
    assert definition.time == "leaves"


def test_candidates_are_scored_by_the_tasks_metrics(made) -> None:
    assert list(made["linear"].facts["scores"]) == ["mae", "rmse", "r2"]
    facts = made["select"].facts
    assert facts["baseline_gain"]["low"] > 0
    assert facts["families"] == ["dummy", "linear", "boosting"]
    assert made["search"].facts["settings"]["loss"] == "absolute_error"
    assert store.about(made["dummy"].outputs["model"])["usual"]["median"] == np.median(
        rows()["minutes"]
    )


@pytest.mark.parametrize(
    ("metric", "wanted"), [("", "median"), ("mae", "median"), ("rmse", "mean"), ("R²", "mean")]
)
def test_the_dummy_is_the_best_constant_of_the_metric(made, metric, wanted, tmp_path) -> None:
    """Else a model of noise beats it by going from the median to the mean."""
    truth = pd.read_parquet(made["holdout"].outputs["train"])["minutes"]
    inputs = {
        "train": made["holdout"].outputs["train"],
        "features": made["build"].outputs["features"],
    }
    found = perform("train_candidate", tmp_path, inputs, family="dummy", folds=2, metric=metric)
    answer = store.load(found.outputs["model"]).steps[-1][1].constant_.item()
    assert answer == pytest.approx(getattr(truth, wanted)())
    assert truth.mean() != pytest.approx(truth.median())


def test_what_is_set_goes_over_what_suits_the_metric(made, tmp_path) -> None:
    inputs = {
        "train": made["holdout"].outputs["train"],
        "features": made["build"].outputs["features"],
    }
    given = {"family": "dummy", "folds": 2, "metric": "rmse"}
    found = perform("train_candidate", tmp_path, inputs, **given, settings={"strategy": "median"})
    assert found.facts["settings"] == {"strategy": "median"}
    with pytest.raises(OperationError, match="no score of a regression"):
        perform("train_candidate", tmp_path, inputs, **given | {"metric": "roc_auc"})


def test_the_evaluation_agrees_with_scikit_learn(made) -> None:
    facts, table = made["evaluate"].facts, pd.read_parquet(made["evaluate"].outputs["predictions"])
    metrics: dict[str, dict[str, float]] = facts["metrics"]
    wanted = reference.mean_absolute_error(table["label"], table["score"])
    assert metrics["mae"]["value"] == pytest.approx(wanted, abs=1e-6)
    assert metrics["r2"]["value"] == pytest.approx(
        reference.r2_score(table["label"], table["score"]), abs=1e-6
    )
    for row in metrics.values():
        assert row["low"] <= row["value"] <= row["high"]
    assert facts["target_metric"]["met"] is True
    saved = 5000 * (
        (table["label"] - table["usual"]).abs() - (table["label"] - table["score"]).abs()
    )
    assert facts["value"]["per_1000"]["value"] == pytest.approx(saved.mean(), rel=1e-6)


def test_the_interval_is_set_by_earlier_rows_and_checked_by_later_ones(
    made,
) -> None:
    table = pd.read_parquet(made["evaluate"].outputs["predictions"])
    found: dict[str, float] = made["evaluate"].facts["prediction_interval"]
    first, later = table[table["calibrates"]], table[~table["calibrates"]]
    assert first["leaves"].max() < later["leaves"].min()
    errors = np.sort((first["label"] - first["score"]).to_numpy())
    place = int((len(errors) + 1) * 0.05)
    assert (found["low"], found["high"]) == (errors[place - 1], errors[-place])
    held = later["label"].between(later["low"], later["high"]).mean()
    assert found["coverage"] == pytest.approx(held)
    assert found["holds"] == (abs(held - 0.9) <= found["tolerance"])
    losses = [
        reference.mean_pinball_loss(later["label"], later[end], alpha=alpha)
        for end, alpha in (("low", 0.05), ("high", 0.95))
    ]
    pinball = made["evaluate"].facts["metrics"]["pinball"]
    assert pinball["value"] == pytest.approx(np.mean(losses), abs=1e-6)
    assert pinball["low"] <= pinball["value"] <= pinball["high"]


@pytest.mark.parametrize(("ends", "holds"), [(1.0, True), (2.0, False)])
def test_an_interval_whose_ends_tie_with_many_rows_holds(ends, holds) -> None:
    """Whole numbers: no interval holds 90 % of -1, 0 and 1, and one wider than needed is none."""
    errors = np.tile([-1.0, 0.0, 1.0], 300)
    margin = conformal.Margin(-ends, ends, 0.9, 900)
    found = conformal.coverage(errors, margin, np.arange(900))
    assert (found.share, found.holds) == (1.0, holds)
    assert found.strict == pytest.approx(1 / 3 if ends == 1 else 1.0)
    assert conformal.margin(errors, 0.1) == conformal.Margin(-1.0, 1.0, 0.9, 900)


def test_costs_of_classes_are_refused(made, tmp_path: Path) -> None:
    judged = {
        "candidate": made["select"].outputs["candidate"],
        "holdout": made["holdout"].outputs["rows"],
    }
    with pytest.raises(OperationError) as refused:
        perform("evaluate_model", tmp_path, judged, costs={"cost_fp": 1, "cost_fn": 2})
    assert refused.value.field == "costs.unit_cost"
    with pytest.raises(OperationError, match="not measured of this candidate"):
        perform("evaluate_model", tmp_path, judged, target_metric="roc_auc", target_value=0.6)
    with pytest.raises(OperationError, match="no error would matter"):
        parse_unit_cost({"unit_cost": 0})


def test_slices_and_importance_speak_of_errors(made) -> None:
    assert made["slices"].facts["metric"] == "mae"
    assert made["slices"].facts["declared"] == 5
    assert made["explain"].facts["top_column"] == "wind"
    worst = read_document(made["explain"].outputs["explanation"])["worst_errors"]
    assert len(worst) == 3


def test_a_package_answers_a_number_with_its_interval(made) -> None:
    loaded = load_package(made["package"].outputs["package"])
    assert [output.name for output in loaded.signature.outputs] == ["prediction", "low", "high"]
    frame = pd.read_parquet(made["holdout"].outputs["rows"])[list(loaded.signature.names)].head(5)
    table = pd.read_parquet(made["evaluate"].outputs["predictions"]).head(5)
    found = loaded.predict(plain_rows(frame, loaded.signature))
    assert found.scores == pytest.approx(table["score"].tolist(), rel=1e-12)
    answers = loaded.more(found)
    assert answers[0]["low"] == pytest.approx(table["low"][0])
    assert answers[0]["high"] == pytest.approx(table["high"][0])
    assert loaded.row_form is not None, made["package"].facts["row_form_reason"]


@pytest.mark.parametrize("family", ["dummy", "linear", "boosting"])
def test_every_family_is_packed_retrained_and_tried(family: str, tmp_path: Path) -> None:
    """By the functions that run in a clean process elsewhere, here in this one."""
    trained = write_model(tmp_path, family=family)
    given = {"candidate": trained.model, "holdout": trained.holdout}
    train = write_rows(tmp_path / "train.parquet")
    request: dict[str, Json] = {"train": str(train), "folder": str(tmp_path), "rows": 100}
    again = retrain(request | {name: str(path) for name, path in given.items()})
    assert (again["predictions_equal"], again["file_equal"]) == (True, True)
    packed = perform("package_model", tmp_path, given, golden=30)
    assert packed.facts["interval"] is None
    package = {"package": packed.outputs["package"], "holdout": trained.holdout}
    tried = load_test({name: str(path) for name, path in package.items()} | COUNTS)
    assert (tried["schema_problems"], tried["skew_rows"]) == ([], 0)
    sides = {
        "challenger": package["package"],
        "champion": package["package"],
        "holdout": package["holdout"],
    }
    compared = perform(
        "compare_champion", tmp_path, sides, primary="mae", costs=COSTS, samples=100
    ).facts
    assert [row["gain"] for row in compared["metrics"]] == [0, 0, 0, 0]


def test_scores_of_weighted_rows_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    truth, predicted, weights = rng.normal(size=40), rng.normal(size=40), rng.uniform(1, 9, 40)
    found = value_scores(predicted, truth, weights)
    assert found["mae"] == pytest.approx(
        reference.mean_absolute_error(truth, predicted, sample_weight=weights)
    )
    assert found["r2"] == pytest.approx(reference.r2_score(truth, predicted, sample_weight=weights))
    assert found["rmse"] ** 2 == pytest.approx(
        reference.mean_squared_error(truth, predicted, sample_weight=weights)
    )


def test_a_family_that_takes_no_weights_is_refused_them() -> None:
    with pytest.raises(OperationError) as refused:
        fit_weighted(Isotonic(), np.zeros((3, 1)), np.zeros(3), np.ones(3))
    assert refused.value.code == "weights_not_taken"


class Isotonic(BaseEstimator):
    """Learns nothing, and knows no weights."""

    def fit(self, rows: np.ndarray, truth: np.ndarray) -> "Isotonic":
        return self
