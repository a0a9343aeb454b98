"""Scores, intervals and thresholds agree with scikit-learn and with counting by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as reference

from pipelines.operations.contract import OperationError
from pipelines.operations.evaluate_model.curves import POINTS, pr_curve, roc_curve
from pipelines.operations.evaluate_slices.areas import auc_of, expected_auc
from pipelines.operations.learning import calibration, thresholds
from pipelines.operations.learning.metrics import Ranking, all_scores, metric_name
from pipelines.operations.learning.resampling import (
    area_samples,
    by_day_or_row,
    interval,
    sum_samples,
)


@st.composite
def judged_rows(draw: st.DrawFn):
    """Scores with many ties, labels of both classes, weights."""
    size = draw(st.integers(4, 60))
    grid = draw(st.sampled_from([3, 10, 1000]))
    scores = draw(arrays(np.int64, size, elements=st.integers(0, grid))) / grid
    labels = draw(arrays(np.int64, size, elements=st.integers(0, 1)))
    labels[:2] = [0, 1]
    weights = draw(arrays(np.int64, size, elements=st.integers(0, 4))).astype(float)
    weights[:2] = 1.0
    return scores, labels, weights


@given(judged_rows())
@settings(deadline=None, max_examples=150)
def test_areas_agree_with_scikit_learn_under_any_weights(rows) -> None:
    scores, labels, weights = rows
    auc, average = Ranking(scores, labels).areas(np.vstack([weights, np.ones_like(weights)]))
    for place, given_weights in enumerate((weights, None)):
        wanted = reference.roc_auc_score(labels, scores, sample_weight=given_weights)
        assert auc[place] == pytest.approx(wanted)
        wanted = reference.average_precision_score(labels, scores, sample_weight=given_weights)
        assert average[place] == pytest.approx(wanted)


@given(judged_rows())
@settings(deadline=None, max_examples=50)
def test_losses_agree_with_scikit_learn(rows) -> None:
    scores, labels, _ = rows
    found = all_scores(scores, labels)
    assert found["brier"] == pytest.approx(reference.brier_score_loss(labels, scores))
    assert found["log_loss"] == pytest.approx(reference.log_loss(labels, scores, labels=[0, 1]))


@given(judged_rows())
@settings(deadline=None, max_examples=50)
def test_delong_gives_the_same_area(rows) -> None:
    scores, labels, _ = rows
    assert auc_of(scores, labels)[0] == pytest.approx(reference.roc_auc_score(labels, scores))


def test_delong_error_is_the_spread_over_new_samples() -> None:
    rng = np.random.default_rng(0)
    found, errors = [], []
    for _ in range(300):
        labels = (rng.random(300) < 0.3).astype(np.int64)
        auc, error = auc_of(rng.normal(0.8 * labels, 1.0), labels)
        found.append(auc)
        errors.append(error)
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.15)


def test_expected_area_is_the_mean_over_labels_drawn_from_the_scores() -> None:
    rng = np.random.default_rng(0)
    scores = rng.choice([0.1, 0.2, 0.5, 0.7], 400)
    drawn = [auc_of(scores, (rng.random(400) < scores).astype(np.int64))[0] for _ in range(400)]
    assert expected_auc(scores) == pytest.approx(np.mean(drawn), abs=0.005)


def test_a_score_is_undefined_for_one_class() -> None:
    auc, average = Ranking(np.array([0.1, 0.9]), np.array([0, 0])).areas(np.ones((1, 2)))
    assert math.isnan(auc[0])
    assert math.isnan(average[0])


def test_curves_run_from_corner_to_corner_and_are_thin() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.random(5000), rng.integers(0, 2, 5000)
    roc, pr = roc_curve(scores, labels), pr_curve(scores, labels)
    assert (roc[0]["fpr"], roc[0]["tpr"]) == (0.0, 0.0)
    assert (roc[-1]["fpr"], roc[-1]["tpr"]) == (1.0, 1.0)
    assert pr[-1]["recall"] == 1.0
    assert pr[-1]["precision"] == pytest.approx(labels.mean())
    assert max(len(roc), len(pr)) <= POINTS


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("PR-AUC", "pr_auc"),
        ("ROC AUC", "roc_auc"),
        ("Brier", "brier"),
        ("accuracy", "accuracy"),
        ("f7", ""),
    ],
)
def test_metrics_are_understood_as_people_write_them(given_name, name) -> None:
    assert metric_name(given_name) == name


def test_days_are_drawn_as_a_whole() -> None:
    time = pd.Series(pd.date_range("2024-01-01", periods=480, freq="h", tz="UTC"))
    resampling = by_day_or_row(480, time, samples=40, seed=3)
    assert (resampling.unit, resampling.size) == ("day", 20)
    sums = sum_samples(np.ones((480, 1)), resampling)
    assert np.all(sums == 480)
    alike = by_day_or_row(480, time, samples=40, seed=3)
    rng = np.random.default_rng(1)
    scores, labels = rng.random(480), rng.integers(0, 2, 480)
    first, second = area_samples(scores, labels, resampling), area_samples(scores, labels, alike)
    assert np.array_equal(first[0], second[0])


def test_few_days_fall_back_to_rows() -> None:
    time = pd.Series(pd.date_range("2024-01-01", periods=100, freq="h", tz="UTC"))
    assert by_day_or_row(100, time, samples=10, seed=0).unit == "row"
    assert by_day_or_row(100, None, samples=10, seed=0).size == 100


def test_dependent_days_widen_the_interval() -> None:
    """Rows of one day share their luck; drawing rows one by one would hide it."""
    rng = np.random.default_rng(0)
    day = np.repeat(rng.normal(0, 1, 40), 50)
    values = (day + rng.normal(0, 1, 2000))[:, None]
    time = pd.Series(pd.date_range("2024-01-01", periods=40, tz="UTC").repeat(50))
    widths = {}
    for name, moments in (("day", time), ("row", None)):
        sums = sum_samples(values, by_day_or_row(2000, moments, samples=400, seed=1))[:, 0] / 2000
        found = interval(0.0, sums)
        widths[name] = found.high - found.low
    assert widths["day"] > 3 * widths["row"]


def test_noise_floor_is_what_perfect_models_exceed_in_one_of_twenty_samples() -> None:
    """The measured table of the check, re-measured here for one size."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        scores = rng.random(1000)
        labels = (rng.random(1000) < scores).astype(np.int64)
        found.append(calibration.expected_error(calibration.bins(scores, labels)))
    assert calibration.noise_floor(1000) == pytest.approx(np.quantile(found, 0.95), abs=0.006)


def test_noise_floor_falls_with_rows() -> None:
    floors = [calibration.noise_floor(rows) for rows in (50, 200, 350, 1000, 3000, 5000, 50_000)]
    assert floors == sorted(floors, reverse=True)
    assert calibration.noise_floor(2000) == pytest.approx(0.029)


def test_calibration_bins_keep_equal_scores_together() -> None:
    scores = np.array([0.2] * 500 + [0.8] * 500)
    labels = np.array([1] * 100 + [0] * 400 + [1] * 450 + [0] * 50)
    found = calibration.bins(scores, labels)
    assert [row["rows"] for row in found] == [500, 500]
    assert calibration.expected_error(found) == pytest.approx(0.05)


COSTS = thresholds.Costs(false_alarm=20, miss=60, hit=10, currency="EUR")


@given(judged_rows())
@settings(deadline=None, max_examples=60)
def test_no_threshold_is_worth_more_than_the_chosen_one(rows) -> None:
    scores, labels, _ = rows
    chosen = thresholds.cheapest(scores, labels, COSTS)

    def worth(threshold: float) -> float:
        return float(thresholds.worth(scores >= threshold, labels, COSTS).sum())

    assert worth(chosen) >= max(worth(t) for t in [*np.unique(scores), 2.0]) - 1e-9


def test_the_best_threshold_of_true_probabilities_is_the_break_even_point() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(100_000)
    labels = (rng.random(100_000) < scores).astype(np.int64)
    assert COSTS.break_even == pytest.approx(20 / 90)
    assert thresholds.cheapest(scores, labels, COSTS) == pytest.approx(COSTS.break_even, abs=0.03)


def test_worth_is_not_read_off_the_rows_that_chose_the_threshold() -> None:
    """Scores of pure noise are worth nothing, however the threshold falls."""
    rng = np.random.default_rng(0)
    gains = []
    for seed in range(40):
        scores, labels = rng.random(400), (rng.random(400) < 20 / 90).astype(np.int64)
        resampling = by_day_or_row(400, None, samples=10, seed=seed)
        flags = thresholds.honest_flags(scores, labels, COSTS, resampling)
        gains.append(thresholds.worth(flags, labels, COSTS).sum())
    assert np.mean(gains) < 3 * np.std(gains) / math.sqrt(len(gains))


def test_balanced_accuracy_of_noise_is_a_half_on_rows_that_did_not_choose() -> None:
    rng = np.random.default_rng(0)
    honest, own = [], []
    for seed in range(40):
        scores, labels = rng.random(200), np.arange(200) % 4 == 0
        drawn = by_day_or_row(200, None, samples=10, seed=seed)
        truth = labels.astype(np.int64)
        mine = scores >= thresholds.balanced(scores, truth)
        apart = thresholds.honest_flags(scores, truth, None, drawn)
        for found, flags in ((own, mine), (honest, apart == 1)):
            found.append((flags[labels].mean() + (~flags[~labels]).mean()) / 2)
    assert np.mean(own) > 0.54
    assert abs(np.mean(honest) - 0.5) < 0.03


def test_sweep_counts_as_a_confusion_matrix_does() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.random(500), rng.integers(0, 2, 500)
    for row in thresholds.sweep(scores, labels, COSTS)[::40]:
        flagged = scores >= row["threshold"]
        tn, fp, fn, tp = reference.confusion_matrix(labels, flagged, labels=[0, 1]).ravel()
        assert (row["tn"], row["fp"], row["fn"], row["tp"]) == (tn, fp, fn, tp)
        assert row["worth_per_1000"] == pytest.approx((70 * tp - 20 * fp) * 2)


def test_costs_are_understood_in_both_spellings() -> None:
    long = thresholds.parse_costs({"cost_fp": 20, "cost_fn": 60, "benefit_tp": 10})
    assert thresholds.parse_costs({"fp": 20, "fn": 60, "tp": 10}) == long
    assert thresholds.parse_costs({"fp": {"amount": "20"}, "fn": 60, "tp": 10}) == long
    assert thresholds.parse_costs({}) is None


@pytest.mark.parametrize(
    ("costs", "field"),
    [
        ({"cost_fp": -1, "cost_fn": 5}, "costs.cost_fp"),
        ({"cost_fp": 1, "cost_fn": "much"}, "costs.cost_fn"),
        ({"cost_fp": 0, "cost_fn": 5}, "costs"),
        ({"cost_fp": 5}, "costs"),
    ],
)
def test_costs_that_leave_nothing_to_weigh_are_refused(costs, field) -> None:
    with pytest.raises(OperationError) as caught:
        thresholds.parse_costs(costs)
    assert caught.value.field == field
    assert caught.value.rule
