"""Figures of columns and pairs of columns against statsmodels, scipy, scikit-learn and numpy."""

import math
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import cityblock
from sklearn.ensemble import IsolationForest
from statsmodels.robust.scale import iqr
from statsmodels.stats.outliers_influence import variance_inflation_factor
from statsmodels.stats.stattools import medcouple as medcouple_of_statsmodels
from statsmodels.stats.weightstats import DescrStatsW

from pipelines.operations import drift
from pipelines.operations.anomalies.detector import Detector
from pipelines.operations.anomalies.forest import grow, strangeness
from pipelines.operations.anomalies.planting import reach_of
from pipelines.operations.clusters.profiles import SOME, _number
from pipelines.operations.detect_worries.relations import _inflated, _ranks, cramers_v
from pipelines.operations.detect_worries.spread import FENCE, fences, medcouple
from pipelines.operations.profile.compute import describe
from pipelines.operations.profile.counted import weighted_quantile
from pipelines.operations.profile.shown import QUANTILES
from pipelines.operations.signals import closest, make_folds
from pipelines.operations.tables import deviation
from pipelines.readiness.correlation import spearman
from tests.references.draws import few, usual, values, whole
from tests.references.draws import paired as two_columns


@usual
@given(values(least=3, most=40))
def test_medcouple(column) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        slow = float(medcouple_of_statsmodels(column, use_fast=False))
    assert medcouple(column) == pytest.approx(slow, abs=1e-9)


@usual
@given(values(least=4, most=60))
def test_fences_without_skew_are_tukeys(column) -> None:
    low, high = fences(column)
    spread = float(iqr(column, c=1.0))
    if spread <= 0:
        assert (low, high) == (-np.inf, np.inf)
        return
    quarter, three = np.quantile(column, [0.25, 0.75])
    size = 1e-9 * float(np.abs(column).max())
    assert low <= quarter - FENCE * spread + size  # widened on one side, narrowed on none
    assert high >= three + FENCE * spread - size
    assert min(quarter - low, high - three) == pytest.approx(FENCE * spread, abs=size)


@usual
@given(st.integers(0, 2**32), st.integers(40, 90), st.integers(2, 5))
def test_variance_inflation(seed: int, rows: int, count: int) -> None:
    """Of ranks, as in a regression with a constant; less what chance gives (`_inflated`)."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(rows, count)) + rng.normal(size=(rows, 1))
    ranks = stats.rankdata(table, axis=0)
    names = [f"c{place}" for place in range(count)]
    asked = SimpleNamespace(number=lambda _: 0.0)
    (found,) = _inflated(asked, names, np.corrcoef(ranks, rowvar=False), rows=rows)
    design = np.column_stack([np.ones(rows), ranks])
    by_chance = (rows - 1) / (rows - count)
    for place, name in enumerate(names):
        wanted = variance_inflation_factor(design, place + 1) / by_chance
        assert found.details[name] == pytest.approx(wanted, abs=6e-3)


@usual
@given(two_columns(least=5, most=60))
def test_rank_correlations(pair) -> None:
    if not (np.ptp(pair[0]) > 0 and np.ptp(pair[1]) > 0):
        return
    wanted = stats.spearmanr(*pair).statistic
    assert spearman(*map(list, pair)) == pytest.approx(wanted, abs=1e-9)
    ranks = _ranks(pd.DataFrame({"a": pair[0], "b": pair[1]}), ["a", "b"])
    found = np.corrcoef(ranks.to_numpy(dtype="float32"), rowvar=False)[0, 1]
    assert found == pytest.approx(wanted, abs=1e-5)


@usual
@given(two_columns(least=12, most=60))
def test_squared_correlations_of_one_column_with_the_target(pair) -> None:
    column, target = (part / max(1.0, float(np.abs(part).max())) for part in pair)
    if not (np.ptp(column) > 1e-4 and np.ptp(target) > 1e-4):
        return
    found = closest(pd.Series(column), target, binary=False, folds=make_folds(target.size, 1))
    straight = stats.pearsonr(column, target).statistic ** 2
    ranked = stats.spearmanr(column, target).statistic ** 2
    assert found.score >= max(straight, ranked) - 1e-6


@usual
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("vwxyz")), min_size=3, max_size=90)
)
def test_cramers_v_corrected_by_bergsma(pairs) -> None:
    """scipy has the uncorrected V; Bergsma (2013, Journal of the Korean Statistical Society 42)
    takes (r - 1)(c - 1) / (n - 1) from phi squared and shrinks r and c."""
    first, second = (pd.Series(part) for part in zip(*pairs, strict=True))
    table = pd.crosstab(first, second).to_numpy()
    r, c, n = *table.shape, len(pairs)
    found = cramers_v(first, second)
    if min(r, c) < 2:
        assert found == 0.0
        return
    phi = stats.contingency.association(table, method="cramer") ** 2 * (min(r, c) - 1)
    left, right = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    size = min(left, right) - 1
    if size <= 0:
        assert found == 0.0
        return
    wanted = math.sqrt(max(0.0, phi - (r - 1) * (c - 1) / (n - 1)) / size)
    assert found == pytest.approx(min(1.0, wanted), abs=1e-6)


@usual
@given(values(least=1, most=60), st.integers(1, 12))
def test_profiles_of_numbers(column, bins: int) -> None:
    if not (np.abs(column).max() < 1e12):
        return
    found = describe(pd.Series(column, name="x"), bins=bins, top=3)
    theirs = DescrStatsW(column)
    size = 1e-6 * max(1.0, float(np.abs(column).max()))
    assert found["mean"] == pytest.approx(theirs.mean, abs=size)
    assert found["std"] == pytest.approx(theirs.std, abs=size)
    known, counts = np.unique(column, return_counts=True)
    for share in QUANTILES:
        wanted = float(np.quantile(column, share))
        assert weighted_quantile(known, counts, share) == pytest.approx(wanted, abs=size)


@usual
@given(values(least=6, most=60), st.data())
def test_effects_of_segments_are_distances_in_deviations(column, data) -> None:
    inside = data.draw(whole(column.size, 0, 1)) == 1
    inside[:2] = [True, False]
    found = _number(pd.Series(column, name="x"), inside)
    everything = DescrStatsW(column)
    if np.ptp(column) == 0:
        assert found == []  # though the deviation of seven times 0.1 is 1e-17, not 0
        return
    gap = DescrStatsW(column[inside]).mean - DescrStatsW(column[~inside]).mean
    effect = gap / everything.std
    if found:
        assert found[0]["effect"] == pytest.approx(effect, abs=6e-4)
    else:
        assert abs(effect) < SOME + 1e-9


# --- drift ------------------------------------------------------------------------------

counts = whole(6, 0, 4000).map(lambda found: found.astype(float))


@usual
@given(counts, counts)
def test_psi_is_the_divergence_both_ways(old, new) -> None:
    """Jeffreys' divergence, with a share of 0.0001 for what is rarer than that (`FLOOR`)."""
    if not (old.sum() > 0 and new.sum() > 0):
        return
    p, q = (np.maximum(part / part.sum(), drift.FLOOR) for part in (old, new))
    wanted = float(np.sum(p * np.log(p / q)) + np.sum(q * np.log(q / p)))
    assert drift.psi(old, new) == pytest.approx(wanted, abs=1e-12)
    if min(old.min() / old.sum(), new.min() / new.sum()) > drift.FLOOR:  # then scipy's are shares
        wanted = float(stats.entropy(old, new) + stats.entropy(new, old))
        assert drift.psi(old, new) == pytest.approx(wanted, abs=1e-9)


@usual
@given(values(least=3, most=60), st.data())
def test_bins_of_numbers_are_numpys(reference, data) -> None:
    window = data.draw(values(least=1, most=60))
    old, new = drift.numeric_counts(reference, window)
    known = np.unique(reference)
    if known.size <= drift.BINS:
        wanted = [float((reference == value).sum()) for value in known]
        assert list(old) == [*wanted, 0.0]
    else:
        marks = np.unique(np.quantile(reference, np.linspace(0, 1, drift.BINS + 1)[1:-1]))
        edges = np.concatenate([[-np.inf], marks, [np.inf]])
        assert list(old) == [*(float(n) for n in np.histogram(reference, edges)[0]), 0.0]
        assert list(new) == [*(float(n) for n in np.histogram(window, edges)[0]), 0.0]
    assert (old.sum(), new.sum()) == (reference.size, window.size)


@usual
@given(values(least=1, most=60), values(least=1, most=60))
def test_shifts_are_distances_in_deviations_of_the_reference(reference, window) -> None:
    found = drift._shift(reference, window)
    if np.ptp(reference) == 0:
        assert found is None  # not 1e16 deviations of what rounding leaves
        return
    largest = max(np.abs(reference).max(), np.abs(window).max())
    old, new = DescrStatsW(reference / largest), DescrStatsW(window / largest)
    if old.std > 1e-9:
        assert found == pytest.approx((new.mean - old.mean) / old.std, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    "pair",
    [(1.0, np.nextafter(1.0, 2.0)), (0.0, 5e-324), (-1.7e308, 1.7e308), (1e308, 1.7e308)],
)
def test_two_values_are_two_bins_however_near_or_large(pair) -> None:
    reference, window = pd.Series([*pair] * 150, name="x"), pd.Series([pair[1]] * 250, name="x")
    found = drift.column_drift(reference, window, drift.Limits())
    assert [list(side) for side in drift.numeric_counts(*map(np.asarray, (reference, window)))] == [
        [150.0, 150.0, 0.0],
        [0.0, 250.0, 0.0],
    ]
    assert found.psi == pytest.approx(drift.psi(np.array([150.0, 150]), np.array([0.0, 250])))
    assert found.shift is None or np.isfinite(found.shift)


@usual
@given(st.sampled_from([0.1, 0.3, 1e9 + 0.1, 1e-9]), st.integers(1, 60))
def test_one_value_has_no_deviation(value: float, rows: int) -> None:
    column = np.full(rows, value)
    assert deviation(column) == 0.0
    assert reach_of(pd.Series(column)).spread == 0.0
    table = np.column_stack([column, np.arange(rows) % 2])
    detector = Detector(family="robust_z")
    detector._fit_robust_z(table)
    assert detector.spread_[0] == 1.0


@usual
@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=90), st.data())
def test_distances_of_categories(reference, data) -> None:
    window = data.draw(st.lists(st.sampled_from("abcef"), min_size=2, max_size=90))
    old, new = pd.Series(reference, name="x"), pd.Series(window, name="x")
    found = drift.column_drift(old, new, drift.Limits())
    # what the reference does not know is one bin, and its own categories one each
    kinds = sorted(set(reference))
    sides = [[*(side == kind for kind in kinds), ~side.isin(kinds)] for side in (old, new)]
    table = np.array([[int(part.sum()) for part in parts] for parts in sides])
    shares = table / table.sum(axis=1, keepdims=True)
    assert found.distance == pytest.approx(cityblock(*shares) / 2)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] > 1:
        wanted = stats.chi2_contingency(table, correction=False).pvalue
        assert found.p_value == pytest.approx(wanted, rel=1e-9)
    else:
        assert found.p_value == 1.0


@few
@given(st.integers(200, 10**6), st.integers(200, 10**6), st.integers(2, 21))
def test_the_limit_of_psi_is_a_point_of_chi_squared(n: int, m: int, bins: int) -> None:
    limit = drift.psi_limit(n, m, bins)
    assert stats.chi2.sf(limit / (1 / n + 1 / m), bins - 1) == pytest.approx(0.01)


@few
@given(st.integers(0, 2**16), st.integers(20, 300))
def test_strangeness_is_the_score_of_the_isolation_forest(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-3, 4, (rows, 3)).astype(float)
    forest = IsolationForest(n_estimators=5, random_state=seed).fit(matrix)
    found = strangeness(grow(matrix, trees=5, seed=seed), matrix)
    assert list(found) == pytest.approx(list(-forest.score_samples(matrix)))
