"""Drift: the measured table of the catalogue (6.4) is the reference."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipelines.operations.drift import (
    MINIMUM_ROWS,
    Limits,
    benjamini_hochberg,
    column_drift,
    judge,
    numeric_counts,
    psi,
    psi_limit,
    table_drift,
)


def quiet_psis(n: int, m: int, times: int = 400) -> np.ndarray:
    rng = np.random.default_rng(7)
    return np.asarray(
        [psi(*numeric_counts(rng.normal(size=n), rng.normal(size=m))) for _ in range(times)]
    )


@pytest.mark.parametrize(
    ("rows", "mean", "p95", "over_10", "over_25"),
    [
        (50, 0.487, 1.13, 0.98, 0.77),
        (100, 0.189, 0.366, 0.85, 0.21),
        (200, 0.091, 0.169, 0.37, 0.0),
        (500, 0.037, 0.069, 0.0, 0.0),
        (1000, 0.019, 0.037, 0.0, 0.0),
        (5000, 0.0036, 0.007, 0.0, 0.0),
    ],
)
def test_without_drift_psi_behaves_as_measured(
    rows: int, mean: float, p95: float, over_10: float, over_25: float
) -> None:
    found = quiet_psis(rows, rows)
    assert found.mean() == pytest.approx(mean, rel=0.08)
    assert np.quantile(found, 0.95) == pytest.approx(p95, rel=0.15)
    assert (found > 0.10).mean() == pytest.approx(over_10, abs=0.06)
    assert (found > 0.25).mean() == pytest.approx(over_25, abs=0.06)


@pytest.mark.parametrize(("rows", "over_10"), [(100, 0.39), (200, 0.03), (500, 0.0)])
def test_a_small_window_against_a_large_reference(rows: int, over_10: float) -> None:
    assert (quiet_psis(10_000, rows, 300) > 0.10).mean() == pytest.approx(over_10, abs=0.07)


@pytest.mark.parametrize(("rows", "limit"), [(200, 0.169), (500, 0.068), (1000, 0.034)])
def test_the_formula_of_the_limit(rows: int, limit: float) -> None:
    assert psi_limit(rows, rows, 10, 0.95) == pytest.approx(limit, abs=0.0006)


@pytest.mark.parametrize(("shift", "expected"), [(0.3, 0.09), (0.5, 0.24)])
def test_what_a_shift_of_the_mean_gives(shift: float, expected: float) -> None:
    rng = np.random.default_rng(1)
    counts = numeric_counts(rng.normal(size=100_000), rng.normal(shift, size=100_000))
    assert psi(*counts) == pytest.approx(expected, abs=0.02)


def levels(reference: pd.DataFrame, window: pd.DataFrame) -> dict[str, str]:
    return {column.column: column.level for column in table_drift(reference, window)}


def test_quiet_amber_and_red() -> None:
    rng = np.random.default_rng(2)
    reference = pd.DataFrame({name: rng.normal(size=5000) for name in ("still", "some", "much")})
    window = pd.DataFrame(
        {
            "still": rng.normal(size=3000),
            "some": rng.normal(0.4, size=3000),
            "much": rng.normal(0.8, size=3000),
        }
    )
    assert levels(reference, window) == {"much": "red", "some": "amber", "still": "quiet"}


def test_below_two_hundred_rows_there_is_not_enough_data_but_an_exact_p() -> None:
    rng = np.random.default_rng(3)
    reference = pd.Series(rng.normal(size=1000), name="x")
    window = pd.Series(rng.normal(2, size=MINIMUM_ROWS - 1), name="x")
    found = judge([column_drift(reference, window, Limits())], Limits())[0]
    assert (found.psi, found.level) == (None, "not enough data")
    assert found.p_value == stats.ks_2samp(reference, window, method="exact").pvalue


def test_significance_alone_is_no_alert() -> None:
    rng = np.random.default_rng(4)
    reference = pd.DataFrame({"x": rng.normal(size=50_000)})
    window = pd.DataFrame({"x": rng.normal(0.05, size=50_000)})
    found = table_drift(reference, window)[0]
    assert found.p_adjusted < 1e-6
    assert found.level == "quiet"


def test_many_quiet_columns_raise_no_alert() -> None:
    rng = np.random.default_rng(5)
    names = [f"c{index}" for index in range(200)]
    reference = pd.DataFrame(rng.normal(size=(250, 200)), columns=names)
    window = pd.DataFrame(rng.normal(size=(250, 200)), columns=names)
    assert set(levels(reference, window).values()) == {"quiet"}


def test_a_flag_and_a_constant_are_seen() -> None:
    reference = pd.DataFrame({"flag": [True] * 100 + [False] * 900, "same": 1.0})
    window = pd.DataFrame({"flag": [True] * 500 + [False] * 500, "same": 1.0})
    assert levels(reference, window) == {"flag": "red", "same": "quiet"}


def test_new_categories_and_new_gaps_are_drift() -> None:
    reference = pd.DataFrame({"place": ["a", "b"] * 500, "wind": [1.0, 2.0, 3.0, 4.0] * 250})
    window = pd.DataFrame({"place": ["a", "c"] * 500, "wind": [1.0, 2.0, np.nan, np.nan] * 250})
    assert levels(reference, window) == {"place": "red", "wind": "red"}


def test_many_categories_do_not_look_like_drift() -> None:
    rng = np.random.default_rng(6)
    known = np.asarray([f"N{number}" for number in range(3000)])
    reference = pd.DataFrame({"vehicle": rng.choice(known, 1000)})
    window = pd.DataFrame({"vehicle": rng.choice(known, 1000)})
    assert levels(reference, window) == {"vehicle": "quiet"}
    few = pd.DataFrame({"vehicle": rng.choice(known[:20], 1000)})
    assert levels(reference, few) == {"vehicle": "red"}


def test_adjusted_p_values() -> None:
    assert benjamini_hochberg([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.04, 0.04])
    assert benjamini_hochberg([]) == []
