"""Intervals and tests against statsmodels and scipy: shares, means, several tests at once."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import integrate, special, stats
from statsmodels.distributions.empirical_distribution import ECDF
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.nonparametric import rank_compare_2indep
from statsmodels.stats.oneway import anova_oneway
from statsmodels.stats.proportion import (
    proportion_confint,
    proportions_chisquare,
    proportions_ztest,
)
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from pipelines.checks.worries.data import SURE, _shared
from pipelines.checks.worries.ensembles import _gain
from pipelines.checks.worries.judging import ALPHA, harmful
from pipelines.checks.worries.looking import WARN
from pipelines.operations.age_model.curve import half_life
from pipelines.operations.anomalies.alerts import alert_rate, per_day
from pipelines.operations.detect_worries import missing
from pipelines.operations.drift import _kolmogorov_smirnov, _same_shares, benjamini_hochberg
from pipelines.operations.evaluate_slices.answers import ByAnswers
from pipelines.operations.evaluate_slices.areas import auc_of
from pipelines.operations.evaluate_slices.grouping import Slice
from pipelines.operations.evaluate_slices.judging import Limits
from pipelines.operations.evaluate_slices.sizes import BySize
from pipelines.operations.explain_model.importance import _summary
from pipelines.operations.learning.calibration import wilson
from pipelines.operations.learning.clustered import LEAST_BLOCKS, equal_means
from pipelines.operations.learning.conformal import caution, design_effect
from pipelines.operations.learning.values import bias_bins
from pipelines.operations.measure_coverage.conformal import OUTSIDE, allowed, drawn
from pipelines.operations.screen_fairness.rates import p_value
from pipelines.operations.select_candidate.comparison import Entry, paired
from tests.references.draws import few, p_values, usual, values, whole
from tests.references.draws import paired as two_columns


@usual
@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_wilson(hits: int, rows: int) -> None:
    hits = hits % (rows + 1)
    found = wilson(hits / rows, rows)
    assert found == pytest.approx(proportion_confint(hits, rows, method="wilson"), abs=1e-12)
    theirs = stats.binomtest(hits, rows).proportion_ci(method="wilson")
    assert found == pytest.approx(tuple(theirs), abs=1e-12)


@usual
@given(st.floats(0, 1), st.floats(0.01, 1e6))
def test_wilson_of_an_effective_number_of_rows(share: float, rows: float) -> None:
    theirs = proportion_confint(share * rows, rows, method="wilson")
    assert wilson(share, rows) == pytest.approx(np.clip(theirs, 0, 1), abs=1e-9)


# --- several tests at once --------------------------------------------------------------


@usual
@given(p_values)
def test_false_discovery_rates(given_values: list[float]) -> None:
    wanted = pytest.approx(list(multipletests(given_values, method="fdr_bh")[1]))
    assert benjamini_hochberg(given_values) == wanted
    assert missing.adjusted(given_values) == wanted


@usual
@given(st.lists(st.tuples(st.integers(-40, 40), st.integers(1, 20)), min_size=1, max_size=30))
def test_harmful_columns_are_those_that_statsmodels_rejects(pairs) -> None:
    rows = [
        {"column": str(place), "value": value, "low": value - 1.96 * error,
         "high": value + 1.96 * error}
        for place, (value, error) in enumerate(pairs)
    ]  # fmt: skip
    alone = [stats.norm.cdf(value / error) for value, error in pairs]
    rejected = multipletests(alone, alpha=ALPHA, method="fdr_bh")[0]
    assert set(harmful(rows)) == {str(place) for place in np.flatnonzero(rejected)}


@usual
@given(st.data())
def test_gaps_by_class_are_corrected_by_bonferroni(data) -> None:
    size, classes = data.draw(st.integers(20, 80)), data.draw(st.integers(3, 4))
    gone = data.draw(whole(size, 0, 1)) == 1
    gone[:2] = [True, False]
    codes = data.draw(whole(size, 0, classes - 1))
    codes[:classes] = np.arange(classes)
    each = []
    for place in range(classes):
        table = np.array(
            [[((codes == place) == b)[gone == a].sum() for b in (0, 1)] for a in (0, 1)]
        )
        tested = stats.chi2_contingency(table, correction=False)
        exact = tested.expected_freq.min() < 5 and tested.pvalue < missing.WORTH_EXACT
        each.append(stats.fisher_exact(table)[1] if exact else tested.pvalue)
    wanted = min(multipletests(each, method="bonferroni")[1])
    assert missing._of_classes(gone, codes)[0] == pytest.approx(wanted, rel=1e-6)


# --- shares of groups -------------------------------------------------------------------


@usual
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 5000)), min_size=2, max_size=6))
def test_equal_rates(pairs) -> None:
    of = np.array([rows for _, rows in pairs], dtype=float)
    cases = np.array([hits % (rows + 1) for hits, rows in pairs], dtype=float)
    if not (0 < cases.sum() < of.sum()):
        return
    expected = np.outer([cases.sum(), (of - cases).sum()], of) / of.sum()
    if expected.min() < 5 and of.size > 2:
        return  # tables drawn at random; test_fairness.py
    found = p_value(list(cases), list(of), seed=0)
    if expected.min() >= 5:
        theirs = proportions_chisquare(cases, of)[1]
        assert found == pytest.approx(theirs, rel=1e-6, abs=1e-300)
        assert _same_shares(np.vstack([cases, of - cases])) == pytest.approx(found)
    else:
        least = stats.fisher_exact([cases.astype(int), (of - cases).astype(int)]).pvalue
        assert found == pytest.approx(least, abs=1e-300)


@few
@given(arrays(np.bool_, 120), whole(120, 0, 2))
def test_slices_of_answers_by_the_hypergeometric_law(inside, truth) -> None:
    inside[:50], inside[50:52] = True, False
    scores = np.tile([0.5, 0.3, 0.2], (120, 1))
    right = truth == 0
    found = ByAnswers().measure(Slice("", "", inside), scores, truth, Limits())
    law = stats.hypergeom(120, int(right.sum()), int(inside.sum()))
    assert found.p_value == pytest.approx(law.cdf(right[inside].sum()), rel=1e-6)


@usual
@given(st.integers(1, 60), st.integers(60, 500), st.integers(1, 400), st.integers(500, 5000))
def test_shared_rows_are_more_than_chance_by_a_normal_test(shared, held, repeated, rows) -> None:
    """Two proportions, with the variance of training's: `prop_var` of statsmodels."""
    found = _shared(
        {"overlap_rows": shared, "holdout_rows": held, "repeated_rows": repeated, "rows": rows}
    )
    usually = repeated / rows
    if usually * (1 - usually) <= 1 / rows:
        return  # one row repeated at least
    z = proportions_ztest([shared, repeated], [held, rows], prop_var=usually)[0]
    if abs(z - SURE) > 1e-9:
        assert found is not None
        assert (found["severity"] == WARN) == (z > SURE)


# --- means ------------------------------------------------------------------------------


@usual
@given(two_columns(least=2, most=20), st.booleans())
def test_paired_gaps_of_folds(pair, higher: bool) -> None:
    entries = [Entry("", "", None, tuple(part), 1 if higher else -1, "", "") for part in pair]
    found, gaps = paired(*entries), (1 if higher else -1) * (pair[0] - pair[1])
    theirs = DescrStatsW(gaps)
    size = 1e-12 * float(np.abs(pair).max())
    assert found.value == pytest.approx(theirs.mean, abs=size)
    assert found.standard_error == pytest.approx(theirs.std_mean, rel=1e-6, abs=size)
    assert (found.low, found.high) == pytest.approx(theirs.tconfint_mean(), rel=1e-6, abs=size * 20)


@usual
@given(two_columns(least=2, most=20), st.sampled_from([-1, 1]))
def test_gains_of_ensembles(pair, sign: int) -> None:
    found = _gain({"folds": list(pair[0])}, {"folds": list(pair[1])}, sign)
    theirs, size = DescrStatsW(sign * (pair[0] - pair[1])), 1e-12 * float(np.abs(pair).max())
    assert found == pytest.approx((theirs.mean, theirs.std_mean), rel=1e-6, abs=size)


@usual
@given(values(least=2, most=20))
def test_intervals_of_importance(losses) -> None:
    found, theirs = _summary("x", losses), DescrStatsW(losses)
    size = 1e-11 * float(np.abs(losses).max())
    wanted = theirs.tconfint_mean()
    assert (found.low, found.high) == pytest.approx(wanted, rel=1e-6, abs=size)


@usual
@given(two_columns(least=2, most=9))
def test_bias_of_a_bin(pair) -> None:
    predicted, truth = pair
    predicted = np.full(truth.size, predicted[0])  # one bin
    (row,) = bias_bins(predicted, truth)
    theirs = DescrStatsW(predicted - truth)
    largest = float(np.abs(np.concatenate([predicted, truth])).max())
    size = 1e-12 * largest + 1e-5  # rounded to six digits
    assert row["bias"] == pytest.approx(theirs.mean, abs=size)
    assert (row["low"], row["high"]) == pytest.approx(theirs.zconfint_mean(), rel=1e-6, abs=size)


@usual
@given(st.data())
def test_errors_of_slices_by_welch(data) -> None:
    truth, scores = data.draw(two_columns(least=60, most=80))
    inside = np.arange(truth.size) < data.draw(st.integers(50, truth.size - 2))
    found = BySize().measure(Slice("", "", inside), scores, truth, Limits())
    errors = np.abs(scores - truth)
    first, second = DescrStatsW(errors[inside]), DescrStatsW(errors[~inside])
    largest = float(np.abs(np.concatenate([truth, scores])).max())
    if first.std_mean + second.std_mean <= 1e-9 * largest:
        return  # errors without a spread: nothing to test
    wanted = CompareMeans(first, second).ttest_ind(alternative="larger", usevar="unequal")[1]
    assert found.p_value == pytest.approx(wanted, rel=1e-5, abs=1e-12)


@usual
@given(st.data())
def test_equal_means_of_independent_rows_by_welch(data) -> None:
    groups, rows = data.draw(st.integers(2, 4)), data.draw(st.integers(20, 60))
    codes = np.arange(rows) % groups
    column = data.draw(whole(rows, -5, 5)).astype(float)
    found = equal_means(column, codes, None)
    parts = [column[codes == place] for place in range(groups)]
    if np.ptp(column) == 0:
        assert found == 1.0
    elif min(float(np.ptp(part)) for part in parts) == 0:
        assert found is None  # statsmodels divides by a spread of 0
    else:
        wanted = anova_oneway(parts, use_var="unequal", welch_correction=True).pvalue
        assert found == pytest.approx(wanted, rel=1e-6)


@usual
@given(st.data())
def test_equal_means_of_tied_rows_by_clustered_errors(data) -> None:
    """The statistic is that of a regression on indicators with clustered errors.

    statsmodels counts all blocks, where Baton counts those of the group with fewest (derived in
    `clustered`): its covariance is put back by B / (B - 1), and F has B - 1 for the fewest blocks.
    """
    groups, rows = data.draw(st.integers(2, 3)), data.draw(st.integers(80, 120))
    blocks = data.draw(whole(rows, 0, 24))
    codes = data.draw(whole(rows, 0, groups - 1))
    codes[:groups] = np.arange(groups)
    column = data.draw(whole(rows, -5, 5)).astype(float)
    fewest = min(np.unique(blocks[codes == place]).size for place in range(groups))
    found = equal_means(column, codes, blocks)
    if np.ptp(column) == 0 or fewest < LEAST_BLOCKS:
        assert found == (1.0 if np.ptp(column) == 0 else None)
        return
    design = (codes[:, None] == np.arange(groups)).astype(float)
    fitted = OLS(column, design).fit(
        cov_type="cluster", cov_kwds={"groups": blocks, "use_correction": True}
    )
    contrast = np.column_stack([-np.ones(groups - 1), np.eye(groups - 1)])
    if not (found is not None):
        return
    count = np.unique(blocks).size
    scale = (count / (count - 1)) / (fewest / (fewest - 1))
    statistic = float(np.squeeze(fitted.f_test(contrast).statistic)) * scale
    wanted = stats.f.sf(statistic, groups - 1, fewest - 1)
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-12)


@usual
@given(st.data())
def test_design_effect_by_clustered_errors(data) -> None:
    """Of one side: n times the clustered variance of the mean over that of the promise."""
    rows = data.draw(st.integers(20, 80))
    inside = data.draw(whole(rows, 0, 1)).astype(float)
    blocks = data.draw(whole(rows, 0, 12))
    count = np.unique(blocks).size
    if not (5 <= count < rows):
        return
    fitted = OLS(inside, np.ones((rows, 1))).fit(
        cov_type="cluster", cov_kwds={"groups": blocks, "use_correction": True}
    )
    effect = rows * float(fitted.cov_params()[0, 0]) / (0.1 * 0.9)
    found = design_effect([(inside, blocks)], 0.1)
    assert found == pytest.approx(max(1.0, effect) * caution(count - 1), rel=1e-6)


@usual
@given(st.data())
def test_alert_rates_by_clustered_errors(data) -> None:
    """1.96 stands for 1.959964, and ends are kept between 0 and 1."""
    import pandas as pd

    rows = data.draw(st.integers(20, 80))
    alerts = data.draw(whole(rows, 0, 1)) == 1
    days = data.draw(whole(rows, 0, 9))
    days[:2] = [0, 1]
    times = pd.Series(pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(days, unit="D"))
    found = alert_rate(alerts, times, expected=0.1)
    fitted = OLS(alerts.astype(float), np.ones((rows, 1))).fit(
        cov_type="cluster", cov_kwds={"groups": days, "use_correction": True}
    )
    error = math.sqrt(max(0.0, float(fitted.cov_params()[0, 0])))
    wanted = np.clip([alerts.mean() - 1.96 * error, alerts.mean() + 1.96 * error], 0, 1)
    assert (found["low"], found["high"]) == pytest.approx(tuple(wanted), abs=2e-6)
    counts = pd.Series(alerts.astype(float)).groupby(days).sum()
    daily = DescrStatsW(counts.to_numpy())
    ours = per_day(times, alerts, 5.0)["alerts_per_day"]
    wanted = daily.mean + np.array([-1.96, 1.96]) * daily.std_mean
    assert (ours["low"], ours["high"]) == pytest.approx(tuple(wanted), abs=2e-6)


# --- ranks and distributions ------------------------------------------------------------


def _ranked(first, second):
    with np.errstate(invalid="ignore", divide="ignore"):  # its test statistic of all ties
        return rank_compare_2indep(first, second)


@usual
@given(st.data())
def test_the_areas_error_is_that_of_brunner_and_munzel(data) -> None:
    """DeLong's placements are theirs; both variances are the same."""
    least = st.integers(2, 30)
    first = data.draw(values(least=2, most=30))
    second = data.draw(whole(data.draw(least), -9, 9)) / 7
    column = np.concatenate([first, second])
    labels = np.repeat([1, 0], [first.size, second.size])
    theirs = _ranked(first, second)
    area, error = auc_of(column, labels)
    assert area == pytest.approx(theirs.prob1)
    assert error == pytest.approx(math.sqrt(theirs.var_prob), abs=1e-12)


@usual
@given(two_columns(least=1, most=40))
def test_kolmogorov_smirnov_is_the_distance_of_the_empirical_laws(pair) -> None:
    found, p_value = _kolmogorov_smirnov(*pair)
    marks = np.concatenate(pair)
    assert found == pytest.approx(np.abs(ECDF(pair[0])(marks) - ECDF(pair[1])(marks)).max())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of ties it may say that it goes the other way
        wanted = stats.ks_2samp(*pair, method="exact").pvalue
    assert p_value == pytest.approx(wanted, rel=1e-6)


@few
@given(st.permutations(range(8)), st.integers(2, 6))
def test_kolmogorov_smirnov_counts_all_ways_to_part_the_rows(order, size: int) -> None:
    from itertools import combinations

    column = np.array(order, dtype=float)
    found, p_value = _kolmogorov_smirnov(column[:size], column[size:])
    least = 0
    ways = list(combinations(range(8), size))
    for way in ways:
        other = [place for place in range(8) if place not in way]
        marks = np.arange(8.0)
        gap = np.abs(ECDF(np.array(way))(marks) - ECDF(np.array(other))(marks)).max()
        least += gap >= found - 1e-12
    assert p_value == pytest.approx(least / len(ways))


@usual
@given(st.data())
def test_gaps_before_numbers_by_ranks(data) -> None:
    numbers = data.draw(values(least=6, most=60))
    gone = data.draw(whole(numbers.size, 0, 1)) == 1
    gone[:4] = [True, True, False, False]
    p_value_, gap = missing._of_numbers(gone, numbers)
    assert gap + 0.5 == pytest.approx(_ranked(numbers[gone], numbers[~gone]).prob1)
    if np.ptp(numbers) == 0:
        assert p_value_ == 1.0
        return
    # without the correction for continuity it is Kruskal and Wallis' test of two groups
    ranks = stats.rankdata(numbers)
    m, n = int(gone.sum()), int((~gone).sum())
    below = abs(ranks[gone].sum() - m * (m + n + 1) / 2)
    h = stats.kruskal(numbers[gone], numbers[~gone]).statistic
    z = math.sqrt(h) * (max(0.0, below - 0.5) / below if below else 0.0)
    assert p_value_ == pytest.approx(2 * stats.norm.sf(z), rel=1e-6)


@few
@given(st.integers(12, 200), st.integers(1, 15), st.sampled_from([0.5, 0.8, 0.9]))
def test_allowed_coverage_is_a_binomial_over_what_calibration_draws(
    calibrated: int, rows: int, confidence: float
) -> None:
    one, two = drawn(calibrated, confidence, 1.0)
    low, high = allowed(rows, calibrated, confidence)
    tails = []
    for hits in range(rows + 1):
        inner = integrate.quad(
            lambda p, k=hits: (
                special.comb(rows, k) * stats.beta.pdf(p, one, two) * p**k * (1 - p) ** (rows - k)
            ),
            0, 1, points=[one / (one + two)], limit=200,
        )[0]  # fmt: skip
        tails.append(inner)
    below = np.cumsum(tails)
    assert below[-1] == pytest.approx(1, abs=1e-6)
    at = round(low * rows)
    assert below[at] >= OUTSIDE / 2 - 1e-7
    assert at == 0 or below[at - 1] <= OUTSIDE / 2 + 1e-7
    at = round(high * rows)
    assert below[at] >= 1 - OUTSIDE / 2 - 1e-7
    assert at == 0 or below[at - 1] <= 1 - OUTSIDE / 2 + 1e-7


@usual
@given(whole(6, 1, 100))
def test_half_lives_are_slopes_of_least_squares(parts) -> None:
    skill = parts / 100
    found, _ = half_life(skill, np.vstack([skill, skill]))
    halvings = -np.log2(np.maximum(skill / skill[0], 0.05))
    slope = stats.linregress(np.arange(6), halvings).slope
    if slope > 1e-8:
        assert found.value == pytest.approx(1 / slope, rel=1e-6)
    elif slope < 1e-10:
        assert math.isinf(found.value)
