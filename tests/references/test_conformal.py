"""Conformal sets, intervals, coverage and calibration error against MAPIE."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapie.classification import SplitConformalClassifier
from mapie.conformity_scores import AbsoluteConformityScore, LACConformityScore
from mapie.metrics.calibration import expected_calibration_error
from mapie.metrics.classification import (
    classification_coverage_score,
    classification_mean_width_score,
)
from mapie.metrics.regression import (
    regression_coverage_score,
    regression_mean_width_score,
    regression_mwi_score,
)
from mapie.regression import ConformalizedQuantileRegressor, SplitConformalRegressor
from sklearn.calibration import calibration_curve

from pipelines.operations.learning import calibration
from pipelines.operations.learning.class_calibration import class_errors
from pipelines.operations.learning.conformal import coverage, margin
from pipelines.operations.learning.values import pinball_losses
from pipelines.operations.measure_coverage import conformal, multiclass
from pipelines.operations.measure_coverage.groups import inside_ends
from pipelines.operations.measure_coverage.quantiles import widened
from tests.references.draws import judged, judged_classes, usual, values_of, whole
from tests.references.given import Classes, Column

levels = st.sampled_from([0.5, 0.75, 0.8, 0.9, 0.95])


def refused(size: int, confidence: float) -> bool:
    """Whether MAPIE may want more rows: more than 1 / (1 - confidence), one more than needed."""
    return size < 1 / (1 - confidence) + 0.5


def sets_of_mapie(scores, truth, asked, confidence):
    model = Classes(scores.shape[1]).fit(None, None)
    split = SplitConformalClassifier(
        model, confidence_level=confidence, conformity_score=LACConformityScore(), prefit=True
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # empty sets are said to be odd
        return split.conformalize(scores, truth).predict_set(asked)[1][:, :, 0]


@usual
@given(judged_classes(least=10), levels)
def test_sets_of_several_classes(rows, confidence: float) -> None:
    scores, truth, _ = rows
    first = np.arange(truth.size) % 2 == 0
    if np.unique(truth[first]).size != scores.shape[1]:
        return
    cuts = multiclass.calibrate(scores[first], truth[first], confidence, by_class=False)
    found = multiclass.sets(scores, cuts)
    if conformal.rank(int(first.sum()), confidence) > first.sum():
        assert found.all()  # too few rows for any cut
        return
    if refused(int(first.sum()), confidence):
        return
    theirs = sets_of_mapie(scores[first], truth[first], scores, confidence)
    assert (found == theirs).all()
    inside = found[np.arange(truth.size), truth]
    sizes = multiclass._sizes(found, inside, scores.argmax(axis=1))
    shown = theirs[:, :, None]
    assert inside.mean() == pytest.approx(classification_coverage_score(truth, shown)[0])
    assert sizes["mean_size"] == pytest.approx(classification_mean_width_score(shown)[0])


@usual
@given(st.data(), levels)
def test_sets_of_two_classes(data, confidence: float) -> None:
    size = data.draw(st.integers(10, 60))
    steps = data.draw(st.sampled_from([4, 1000]))
    scores = data.draw(whole(size, 0, steps)) / steps
    labels = data.draw(whole(size, 0, 1))
    labels[:2] = [0, 1]
    if refused(size, confidence):
        return
    cuts = conformal.calibrate(scores, labels, confidence, by_class=False)
    found = conformal.sets(scores, cuts)
    both = np.column_stack([1 - scores, scores])
    theirs = sets_of_mapie(both, labels, both, confidence)
    # 1 - (1 - p) may miss p by a rounding, which decides ties at the cut: those are left out
    sure = np.abs(conformal.strangeness(scores) - cuts.other) > 1e-12
    assert (found == theirs)[sure].all()


@usual
@given(judged_classes(least=20), levels)
def test_sets_with_a_cut_for_each_class_are_those_of_its_rows_alone(rows, confidence) -> None:
    """Mondrian sets (Vovk 2003): MAPIE gives them class by class, of that class's rows."""
    scores, truth, _ = rows
    cuts = multiclass.calibrate(scores, truth, confidence, by_class=True)
    found = multiclass.sets(scores, cuts)
    for place in range(scores.shape[1]):
        mine = truth == place
        if conformal.rank(int(mine.sum()), confidence) > mine.sum():
            assert found[:, place].all()
            continue
        # MAPIE wants rows of several classes, so the class is made one of two
        pair = np.column_stack([scores[:, place], 1 - scores[:, place]])
        odds = np.zeros(int(mine.sum()), dtype=np.int64)
        strange = 1 - pair[mine, 0]
        cut = np.quantile(
            strange, math.ceil((odds.size + 1) * confidence - 1e-9) / odds.size, method="lower"
        )
        assert (found[:, place] == (1 - pair[:, 0] <= cut)).all()


@usual
@given(st.data(), levels)
def test_margins_with_signed_errors(data, confidence: float) -> None:
    size, scale = data.draw(st.integers(5, 80)), data.draw(st.sampled_from([0, 3, 10**6]))
    numbers = whole(size, -scale, scale)
    predicted, truth = data.draw(numbers) / 7, data.draw(numbers) / 3
    found = margin(truth - predicted, 1 - confidence)
    place = (size + 1) * (1 - Fraction(str(confidence))) / 2  # exactly
    assert (found is None) == (place < 1)
    if found is None:
        return
    ranked = np.sort(truth - predicted)
    assert found.low == ranked[math.floor(place) - 1]
    assert found.high == ranked[size - math.floor(place)]
    if place.denominator == 1 or size < 2 / (1 - confidence) + 0.5:
        return  # MAPIE rounds a whole rank up now and then (59 rows at 90 %), or wants more rows
    rows = predicted[:, None]
    split = SplitConformalRegressor(
        Column().fit(None, None), confidence_level=confidence, prefit=True,
        conformity_score=AbsoluteConformityScore(sym=False),
    )  # fmt: skip
    ends = split.conformalize(rows, truth).predict_interval(rows)[1][:, :, 0]
    ours = rows + np.array([found.low, found.high])
    largest = max(1e-300, float(np.abs(np.concatenate([predicted, truth])).max()))
    assert np.abs(ours - ends).max() <= 1e-12 * largest
    checked = coverage(truth - predicted, found, np.arange(size))
    near = np.abs(ours - truth[:, None]).min(axis=1) <= 1e-9 * largest
    if not near.any():
        assert checked.share == pytest.approx(regression_coverage_score(truth, ends[:, :, None])[0])


@usual
@given(st.data(), levels)
def test_quantiles_made_conformal(data, confidence: float) -> None:
    """MAPIE with one correction for both ends (Romano and others 2019, equation 6 and 7).

    Ends that would pass each other meet in the middle here, and stay crossed there.
    """
    size = data.draw(st.integers(10, 60))
    low, width = data.draw(values_of(size)), np.abs(data.draw(values_of(size)))
    truth = data.draw(values_of(size))
    ends = np.column_stack([low, low + width])
    if refused(size, confidence):
        return
    found = widened(ends, truth, np.ones(size, dtype=bool), confidence)
    rows = np.column_stack([ends, ends.mean(axis=1)])
    models = [Column(place).fit(None, None) for place in (0, 1, 2)]
    conformed = ConformalizedQuantileRegressor(models, confidence_level=confidence, prefit=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that they cross
        wanted = conformed.conformalize(rows, truth).predict_interval(
            rows, symmetric_correction=True, allow_infinite_bounds=True
        )[1][:, :, 0]
    largest = max(1e-300, float(np.abs(np.column_stack([ends, truth])).max()))
    apart = wanted[:, 0] <= wanted[:, 1]
    assert np.abs(found - wanted)[apart].max(initial=0.0) <= 1e-12 * largest
    assert np.abs(found.mean(axis=1) - wanted.mean(axis=1)).max() <= 1e-12 * largest
    assert (found[:, 0] <= found[:, 1]).all()


@usual
@given(st.data())
def test_coverage_width_and_pinball_of_intervals(data) -> None:
    size = data.draw(st.integers(2, 40))
    low, width = data.draw(values_of(size)), np.abs(data.draw(values_of(size)))
    truth, ends = data.draw(values_of(size)), np.column_stack([low, low + width])
    assert inside_ends(ends, truth)[0].mean() == pytest.approx(
        regression_coverage_score(truth, ends[:, :, None])[0]
    )
    wide = regression_mean_width_score(ends[:, :, None])[0]
    assert np.diff(ends, axis=1).mean() == pytest.approx(wide)
    # the Winkler score is 2 / alpha times the sum of both pinball losses (Gneiting 2007)
    alpha = 0.2
    losses = pinball_losses(ends[:, 0], truth, alpha / 2)
    losses = losses + pinball_losses(ends[:, 1], truth, 1 - alpha / 2)
    winkler = regression_mwi_score(truth, ends[:, :, None], 1 - alpha)
    largest = float(np.abs(np.column_stack([ends, truth])).max())
    assert losses.mean() * 2 / alpha == pytest.approx(winkler, rel=1e-6, abs=1e-11 * largest)


# --- calibration ------------------------------------------------------------------------


def error_of_mapie(truth, scores) -> float:
    """In ten bins of equally many rows; MAPIE reads off the ends of bins in the order given."""
    order = np.argsort(scores, kind="stable")
    return expected_calibration_error(
        truth[order], scores[order], num_bins=10, split_strategy="array split"
    )


@usual
@given(st.integers(1, 8), st.integers(0, 2**32))
def test_calibration_error_of_scores_that_differ(tens: int, seed: int) -> None:
    """Ten bins of equally many rows; equal scores stay together here, so none are drawn.

    Where scores are equal MAPIE puts the run into the lower bin and `calibration.bins` into the
    upper one; where the rows are no multiple of ten the first bins are the larger ones there, and
    the larger ones lie in between here. Neither way is more right.
    """
    rng = np.random.default_rng(seed)
    scores, labels = rng.random(10 * tens), rng.integers(0, 2, 10 * tens)
    found = calibration.bins(scores, labels)
    assert calibration.expected_error(found) == pytest.approx(error_of_mapie(labels, scores))
    shares, means = calibration_curve(labels, scores, n_bins=10, strategy="quantile")
    assert [row["share"] for row in found] == pytest.approx(list(shares))
    assert [row["mean_score"] for row in found] == pytest.approx(list(means))


@usual
@given(judged())
def test_bins_hold_every_row_once_and_part_no_equal_scores(rows) -> None:
    scores, labels, _ = rows
    found = calibration.bins(scores, labels)
    inside = [(scores >= row["from"]) & (scores <= row["to"]) for row in found]
    assert (np.sum(inside, axis=0) == 1).all()
    assert [row["rows"] for row in found] == [int(mine.sum()) for mine in inside]
    assert [row["share"] for row in found] == pytest.approx([labels[m].mean() for m in inside])


@usual
@given(st.integers(1, 6), st.integers(0, 2**32))
def test_calibration_error_of_several_classes(tens: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, truth = rng.dirichlet(np.ones(3), 10 * tens), rng.integers(0, 3, 10 * tens)
    found = class_errors(scores, truth, seed=1)
    right = (scores.argmax(axis=1) == truth).astype(int)
    assert found.error == pytest.approx(error_of_mapie(right, scores.max(axis=1)))
    each = [error_of_mapie((truth == place).astype(int), scores[:, place]) for place in range(3)]
    assert list(found.by_class) == pytest.approx(each)
