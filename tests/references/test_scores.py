"""Scores of probabilities, classes and numbers against scikit-learn, under weights and ties."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import dummy, metrics

from pipelines.operations import signals
from pipelines.operations.age_model.curve import no_skill
from pipelines.operations.evaluate_classes.counts import class_scores as from_counts
from pipelines.operations.evaluate_classes.counts import four_counts
from pipelines.operations.evaluate_model.curves import pr_curve, roc_curve
from pipelines.operations.evaluate_slices.areas import auc_of
from pipelines.operations.learning import class_scores, thresholds
from pipelines.operations.learning.metrics import EPS, Ranking, all_scores
from pipelines.operations.learning.resampling import Resampling, interval, sum_samples
from pipelines.operations.learning.values import pinball_losses, value_samples, value_scores
from pipelines.operations.measure_drift.texts import _auc as auc_of_texts
from pipelines.operations.score_baseline import compute as baseline
from tests.references.draws import few, judged, judged_classes, paired, shares, usual, values


@usual
@given(judged())
def test_scores_of_two_classes(rows) -> None:
    scores, labels, given_weights = rows
    for weights in (None, given_weights):
        found = all_scores(scores, labels, weights)
        same = {"sample_weight": weights}
        assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(labels, scores, **same))
        wanted = metrics.average_precision_score(labels, scores, **same)
        assert found["pr_auc"] == pytest.approx(wanted)
        assert found["brier"] == pytest.approx(metrics.brier_score_loss(labels, scores, **same))
        wanted = metrics.log_loss(labels, scores, labels=[0, 1], **same)
        assert found["log_loss"] == pytest.approx(wanted, abs=1e-12)


@usual
@given(judged())
def test_areas_of_every_other_place(rows) -> None:
    """One column's signal, the baseline, slices and texts have sums of their own."""
    scores, labels, weights = rows
    area = metrics.roc_auc_score(labels, scores)
    assert signals.auc(labels, scores) == pytest.approx(area)
    assert auc_of(scores, labels)[0] == pytest.approx(area)
    assert auc_of_texts(labels, scores) == pytest.approx(area)
    for name, wanted in (
        ("roc_auc", metrics.roc_auc_score),
        ("pr_auc", metrics.average_precision_score),
        ("brier", metrics.brier_score_loss),
    ):
        found = baseline.CLASS_METRICS[name](labels, scores, weights)
        assert found == pytest.approx(wanted(labels, scores, sample_weight=weights))
    found = baseline.CLASS_METRICS["log_loss"](labels, scores, weights)
    wanted = metrics.log_loss(labels, scores, labels=[0, 1], sample_weight=weights)
    assert found == pytest.approx(wanted, abs=1e-12)


@usual
@given(judged())
def test_curves(rows) -> None:
    scores, labels, _ = rows
    rates, hits, cuts = metrics.roc_curve(labels, scores, drop_intermediate=False)
    ours = roc_curve(scores, labels)
    assert [row["fpr"] for row in ours] == pytest.approx(list(rates))
    assert [row["tpr"] for row in ours] == pytest.approx(list(hits))
    assert [row["threshold"] for row in ours[1:]] == list(cuts[1:])
    precision, recall, cuts = metrics.precision_recall_curve(labels, scores)
    found = pr_curve(scores, labels)
    assert [row["precision"] for row in found] == pytest.approx(list(precision[:-1][::-1]))
    assert [row["recall"] for row in found] == pytest.approx(list(recall[:-1][::-1]))
    assert [row["threshold"] for row in found] == list(cuts[::-1])


@usual
@given(judged(), st.floats(0, 1))
def test_counts_of_decisions(rows, threshold: float) -> None:
    scores, labels, _ = rows
    flags = scores >= threshold
    (tn, fp), (fn, tp) = metrics.confusion_matrix(labels, flags, labels=[0, 1])
    ours = thresholds.confusion(
        flagged=int(flags.sum()), hits=int(flags[labels == 1].sum()),
        positives=int(labels.sum()), total=labels.size,
    )  # fmt: skip
    assert [ours[name] for name in ("tn", "fp", "fn", "tp")] == [tn, fp, fn, tp]
    if flags.any():
        assert ours["precision"] == pytest.approx(metrics.precision_score(labels, flags))
    assert ours["recall"] == pytest.approx(metrics.recall_score(labels, flags))
    found = from_counts(four_counts(labels == 1, flags).sum(axis=0)[None])
    recalls = metrics.recall_score(labels, flags, average=None, labels=[0, 1])
    precisions = metrics.precision_score(
        labels, flags, average=None, labels=[0, 1], zero_division=0
    )
    for place in (0, 1):
        assert found[f"recall {place}"][0] == pytest.approx(recalls[place])
        assert found[f"precision {place}"][0] == pytest.approx(precisions[place])
    macro = metrics.f1_score(labels, flags, average="macro", zero_division=0)
    assert found["macro_f1"][0] == pytest.approx(macro)
    assert found["accuracy"][0] == pytest.approx(metrics.accuracy_score(labels, flags))


@usual
@given(judged())
def test_the_balanced_threshold_has_the_greatest_balanced_accuracy(rows) -> None:
    scores, labels, _ = rows
    found = thresholds.balanced(scores, labels)
    every = [metrics.balanced_accuracy_score(labels, scores >= cut) for cut in np.unique(scores)]
    ours = metrics.balanced_accuracy_score(labels, scores >= found)
    assert ours == pytest.approx(max(every))


@usual
@given(judged_classes())
def test_scores_of_several_classes(rows) -> None:
    scores, truth, given_weights = rows
    known = np.arange(scores.shape[1])
    hot, answers = np.eye(known.size)[truth], scores.argmax(axis=1)
    for weights in (None, given_weights):
        same = {"sample_weight": weights}
        found = class_scores.all_scores(scores, truth, weights)
        wanted = {
            "roc_auc": metrics.roc_auc_score(hot, scores, average="macro", **same),
            "pr_auc": metrics.average_precision_score(hot, scores, average="macro", **same),
            "log_loss": metrics.log_loss(truth, scores, labels=known, **same),
            "brier": metrics.brier_score_loss(
                truth, scores, labels=known, scale_by_half=False, **same
            ),
            "macro_f1": metrics.f1_score(
                truth, answers, average="macro", zero_division=0, labels=known, **same
            ),
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, answers, **same),
            "accuracy": metrics.accuracy_score(truth, answers, **same),
        }
        for name, value in wanted.items():
            assert found[name] == pytest.approx(value, abs=1e-12), name
    counts = class_scores.confusion(truth, answers, known.size)
    assert (counts == metrics.confusion_matrix(truth, answers, labels=known)).all()


@usual
@given(paired(least=1), st.data())
def test_scores_of_numbers(pair, data) -> None:
    predicted, truth = pair
    weights = data.draw(st.sampled_from([None, np.arange(1.0, truth.size + 1)]))
    same = {"sample_weight": weights}
    found = value_scores(predicted, truth, weights)
    largest = np.abs(np.concatenate(pair)).max()
    wanted = metrics.mean_absolute_error(truth, predicted, **same)
    assert found["mae"] == pytest.approx(wanted, abs=1e-12 * largest)
    wanted = metrics.root_mean_squared_error(truth, predicted, **same)
    assert found["rmse"] == pytest.approx(wanted, abs=1e-12 * largest)
    if np.ptp(truth) == 0:
        assert np.isnan(found["r2"])  # scikit-learn divides by what rounding leaves, or says 1 or 0
        assert np.isnan(signals.r_squared(truth, predicted))
    else:
        wanted = metrics.r2_score(truth, predicted, **same)
        assert found["r2"] == pytest.approx(wanted, rel=1e-6, abs=1e-9)
        if weights is None:
            assert signals.r_squared(truth, predicted) == pytest.approx(wanted, rel=1e-6, abs=1e-9)
    for quantile in (0.05, 0.5, 0.95):
        losses = pinball_losses(predicted, truth, quantile)
        wanted = metrics.mean_pinball_loss(truth, predicted, alpha=quantile, **same)
        assert np.average(losses, weights=weights) == pytest.approx(wanted, abs=1e-12 * largest)


@few
@given(paired(least=3))
def test_every_sample_of_numbers_is_the_score_of_the_drawn_rows(pair) -> None:
    predicted, truth = pair
    drawn = Resampling(np.arange(truth.size), 8, 3, "row")
    found = value_samples(predicted, truth, drawn)
    largest = np.abs(np.concatenate(pair)).max()
    for place, weight in enumerate(next(drawn.weights(8)).astype(int)):
        rows = np.repeat(np.arange(truth.size), weight)
        mine, outcome = predicted[rows], truth[rows]
        wanted = metrics.mean_absolute_error(outcome, mine)
        assert found["mae"][place] == pytest.approx(wanted, rel=1e-9, abs=1e-9 * largest)
        wanted = metrics.root_mean_squared_error(outcome, mine)
        assert found["rmse"][place] == pytest.approx(wanted, rel=1e-9, abs=1e-9 * largest)
        if np.ptp(outcome) == 0:
            assert np.isnan(found["r2"][place])
        else:
            wanted = metrics.r2_score(outcome, mine)
            assert found["r2"][place] == pytest.approx(wanted, rel=1e-5, abs=1e-6)


@few
@given(values(least=2, most=40), st.integers(0, 2**31))
def test_percentile_intervals_are_scipys_to_the_last_draw(column, seed: int) -> None:
    """The same generator draws the same rows, so even the ends of the interval agree."""
    drawn = Resampling(np.arange(column.size), 60, seed, "row")
    sums = sum_samples(np.column_stack([column, np.ones(column.size)]), drawn)
    ours = interval(float(column.mean()), sums[:, 0] / sums[:, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a constant column it says that it is degenerate
        theirs = stats.bootstrap(
            (column,), np.mean, n_resamples=60, method="percentile", vectorized=True,
            rng=np.random.default_rng(seed),
        ).confidence_interval  # fmt: skip
    size = 1e-9 * float(np.abs(column).max())
    assert ours.low == pytest.approx(theirs.low, abs=size)
    assert ours.high == pytest.approx(theirs.high, abs=size)


@few
@given(judged(least=4))
def test_no_skill_is_the_prior_of_scikit_learn(rows) -> None:
    _, labels, _ = rows
    prior = dummy.DummyClassifier(strategy="prior").fit(np.zeros((labels.size, 1)), labels)
    scores = prior.predict_proba(np.zeros((labels.size, 1)))[:, 1]
    wanted = {
        "roc_auc": metrics.roc_auc_score(labels, scores),
        "pr_auc": metrics.average_precision_score(labels, scores),
        "log_loss": metrics.log_loss(labels, scores),
        "brier": metrics.brier_score_loss(labels, scores),
    }
    for name, value in wanted.items():
        assert no_skill(labels, name) == pytest.approx(value)


@given(st.integers(2, 30).flatmap(shares))
@few
def test_one_class_alone_has_no_area_where_scikit_learn_warns(scores) -> None:
    labels = np.zeros(scores.size, dtype=np.int64)
    with pytest.warns(metrics._ranking.UndefinedMetricWarning):
        theirs = metrics.roc_auc_score(labels, scores)
    found = Ranking(scores, labels).areas(np.ones((1, scores.size)))
    assert np.isnan(theirs)
    assert np.isnan(found[0][0])
    assert np.isnan(found[1][0])  # scikit-learn: 0 with a warning; unknown here


def test_log_loss_is_clipped_where_scikit_learn_clips() -> None:
    assert np.finfo(np.float64).eps == EPS
    found = all_scores(np.array([0.0, 1.0]), np.array([1, 0]))["log_loss"]
    assert found == pytest.approx(metrics.log_loss([1, 0], [0.0, 1.0]))
