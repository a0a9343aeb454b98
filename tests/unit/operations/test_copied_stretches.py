"""A stretch of a series that comes again value by value; seasons and counts that only look so."""

import numpy as np
import pandas as pd
import pytest

from pipelines.checks.forecasts import series_sound
from pipelines.operations.make_series.copied import LENGTH, copied_steps

RNG = np.random.default_rng(8)


def found_in(*series: np.ndarray):
    rows = [
        pd.DataFrame(
            {
                "shop": place,
                "moment": pd.date_range("2023-01-01", periods=len(values), freq="D"),
                "value": values,
            }
        )
        for place, values in enumerate(series)
    ]
    return copied_steps(pd.concat(rows), ["shop"], "value", "moment")


def noisy(steps: int) -> np.ndarray:
    return 40 + 8 * np.sin(np.arange(steps) * 2 * np.pi / 7) + RNG.normal(0, 2, steps)


@pytest.mark.parametrize("length", [LENGTH, 48])
def test_a_copied_stretch_is_found_where_it_is(length) -> None:
    values = noisy(240)
    values[150 : 150 + length] = values[10 : 10 + length]
    found = found_in(noisy(100), values)
    assert (found["steps"], found["longest"]) == (length, length)
    assert found["share"] == pytest.approx(length / 340, abs=1e-6)
    assert (found["from"], found["of"]) == ("2023-05-31T00:00:00", "2023-01-11T00:00:00")


def test_it_has_to_be_long_and_of_one_series() -> None:
    values = noisy(240)
    values[150 : 150 + LENGTH - 1] = values[10 : 10 + LENGTH - 1]
    assert found_in(values)["steps"] == 0
    assert found_in(values, values)["steps"] == 0  # two shops that sell alike: no leak in time


@pytest.mark.parametrize(
    "values",
    [
        RNG.poisson(np.tile([3, 4, 4, 5, 6, 8, 2], 300)).astype(float),
        np.zeros(500),
        np.where(RNG.random(800) < 0.05, RNG.normal(size=800), 0.0),
        np.tile([5.0, 6, 7, 8, 9, 3, 1], 60),
        np.arange(30.0),
        np.array([1.0]),
    ],
)
def test_few_values_meet_by_chance(values) -> None:
    assert found_in(values)["steps"] == 0


def test_the_check_is_red_but_for_a_season_without_noise() -> None:
    made = {"steps": 240, "gap_steps": 0, "rows": 240, "missing_values": 0}
    values = noisy(240)
    values[192:] = values[:48]
    leak = series_sound({"source.series": {**made, "copied": found_in(values)}}, {})
    assert (leak.verdict, leak.value) == ("fail", 0.2)
    assert "20.0% of the steps repeat an earlier stretch" in leak.summary
    assert "from 2023-07-12T00:00 that of 2023-01-01T00:00" in leak.summary
    day = np.tile(np.sin(np.arange(48) * 1.7), 8)
    season = series_sound({"source.series": {**made, "copied": found_in(day)}}, {})
    assert season.verdict == "pass"
    assert "repeat an earlier stretch" in season.summary
