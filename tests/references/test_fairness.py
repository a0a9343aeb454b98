"""Rates and distances of groups against fairlearn, with groups that lack a class or a case."""

import warnings

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    count,
    demographic_parity_ratio,
    equal_opportunity_difference,
    equalized_odds_difference,
    false_positive_rate,
    mean_prediction,
    selection_rate,
    true_positive_rate,
)
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import mean_absolute_error
from statsmodels.stats.multitest import multipletests

from pipelines.operations.learning.candidates import Holdout
from pipelines.operations.learning.resampling import Resampling
from pipelines.operations.screen_fairness import numbers, rates
from pipelines.operations.screen_fairness.screening import Minimum, adjust, groups_of, screen
from tests.references.draws import few, paired

rows = st.lists(
    st.tuples(st.sampled_from("aaaabbc"), st.booleans(), st.sampled_from([0, 0, 0, 1])),
    min_size=2,
    max_size=80,
)


@pytest.fixture(autouse=True, scope="module")
def _few_tables():
    """Of tables drawn at random; all but one test compare what is not drawn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rates, "RESAMPLES", 99)
        yield


def screened(drawn):
    names, flags, labels = (np.asarray(part) for part in zip(*drawn, strict=True))
    groups = groups_of(pd.Series(names, name="g"))
    summed = rates.indicators(groups, flags, labels.astype(np.int64)).sum(axis=0)
    summed = summed.reshape(len(groups.names), rates.COUNTS)
    found = screen(groups, summed, summed[None], minimum=Minimum(0, 1), seed=1)
    return found, {
        "y_true": labels, "y_pred": flags.astype(int), "sensitive_features": names
    }  # fmt: skip


@few
@given(rows)
def test_rates_and_rows_of_groups(drawn) -> None:
    found, same = screened(drawn)
    frame = MetricFrame(
        metrics={"n": count, "s": selection_rate, "t": true_positive_rate,
                 "f": false_positive_rate}, **same,
    )  # fmt: skip
    names = [name.removeprefix("g = ") for name in found.groups.names]
    theirs, ours = frame.by_group.loc[names].to_numpy(), rates.rates(found.counts)
    assert list(found.counts[:, 0]) == list(theirs[:, 0])
    known = np.isfinite(ours)
    assert ours[known] == pytest.approx(theirs[:, 1:][known])
    # a group without a row of a class has no rate here; fairlearn's is 0
    assert (theirs[:, 1:][~known] == 0).all()


@few
@given(rows)
def test_distances_of_groups(drawn) -> None:
    """Without a rate a group takes no part here: fairlearn would hold its 0 against it."""
    found, same = screened(drawn)
    whole = np.isfinite(rates.rates(found.counts)).all() and len(found.groups.names) > 1
    gaps = found.distances
    if same["y_pred"].any() and len(found.groups.names) > 1:
        wanted = demographic_parity_ratio(**same)
        assert gaps["selection_ratio"].value == pytest.approx(wanted)
    else:
        assert np.isnan(gaps["selection_ratio"].value)
    if whole:
        wanted = equal_opportunity_difference(**same)
        assert gaps["opportunity_difference"].value == pytest.approx(wanted)
        assert gaps["odds_difference"].value == pytest.approx(equalized_odds_difference(**same))


@few
@given(paired(least=4, most=60), st.data())
def test_errors_of_groups_for_numbers(pair, data) -> None:
    predicted, truth = pair
    names = np.asarray(data.draw(st.lists(st.sampled_from("aab"), min_size=truth.size,
                                          max_size=truth.size)))  # fmt: skip
    names[:4] = ["a", "a", "b", "b"]
    groups = groups_of(pd.Series(names, name="g"))
    holdout = Holdout(frame=pd.DataFrame(), scores=predicted, labels=truth, classes=())
    drawn = Resampling(np.arange(truth.size), 2, 1, "row")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # scipy's of groups that hardly spread
        found = numbers.compare(groups, holdout, drawn, 1)
    frame = MetricFrame(
        metrics={
            "prediction": mean_prediction,
            "outcome": lambda y_true, y_pred: float(np.mean(y_true)),
            "bias": lambda y_true, y_pred: float(np.mean(y_pred - y_true)),
            "mae": mean_absolute_error,
        },
        y_true=truth, y_pred=predicted, sensitive_features=names,
    )  # fmt: skip
    theirs = frame.by_group.loc[[name.removeprefix("g = ") for name in groups.names]]
    size = 1e-9 * float(np.abs(np.concatenate(pair)).max())
    assert found.means == pytest.approx(theirs.to_numpy(dtype=float), rel=1e-9, abs=size)
    apart, overall = frame.difference(), mean_absolute_error(truth, predicted)
    if overall > size:
        wanted = apart["bias"] / overall
        assert found.distances["bias_difference"].value == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    least = theirs["mae"].min()
    if least > size:
        wanted = 1 / frame.ratio()["mae"]
        assert found.distances["error_ratio"].value == pytest.approx(wanted, rel=1e-6)


@few
@given(st.lists(rows, min_size=1, max_size=3))
def test_p_values_are_corrected_over_all_columns_and_measures(tables) -> None:
    found = [screened(drawn)[0] for drawn in tables]
    known = [p for one in found for p in one.p_values.values() if p is not None]
    adjusted = [p for one in adjust(found) for p in one.adjusted.values() if p is not None]
    if known:
        assert adjusted == pytest.approx(list(multipletests(known, method="fdr_bh")[1]))


def test_tables_drawn_at_random_are_near_the_exact_law_of_three_groups(monkeypatch) -> None:
    """Where a cell expects fewer than five; by all tables of these margins instead of 2,000."""
    monkeypatch.setattr(rates, "RESAMPLES", 2000)
    cases, of = np.array([4, 0, 1]), np.array([5, 4, 5])
    table = np.array([cases, of - cases])
    seen = stats.chi2_contingency(table, correction=False).statistic
    law, p_value = stats.multivariate_hypergeom(of, int(cases.sum())), 0.0
    for first in range(6):
        for second in range(5):
            third = int(cases.sum()) - first - second
            if 0 <= third <= 5:
                other = np.array([first, second, third])
                statistic = stats.chi2_contingency([other, of - other], correction=False).statistic
                p_value += law.pmf(other) * (statistic >= seen - 1e-9)
    found = rates.p_value(list(cases), list(of), seed=1)
    assert found == pytest.approx(p_value, abs=4 * np.sqrt(p_value / 2000))
