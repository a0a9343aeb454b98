"""How ages and dates are judged by the past."""

import statistics
from datetime import timedelta

from pipelines.portfolio.pace import LEAST_LEFT, Stay, quantile, rest_of, stay_of

HOUR = timedelta(hours=1)


def test_quantiles_are_those_of_type_seven() -> None:
    values = sorted([3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.3])
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    assert quantile(values, 0.5) == statistics.median(values)
    assert abs(quantile(values, 0.85) - cuts[16]) < 1e-12
    assert quantile([7.0], 0.85) == 7.0


def test_what_is_left_is_of_those_that_took_longer() -> None:
    """After 6 h only the runs that took longer than 6 h tell how long this one may take."""
    rest = rest_of([10.0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert rest.ends == tuple(range(1, 11))
    assert (rest.p50[0], rest.p50[5]) == (5.5, 8.0)
    assert rest.p85[5] == quantile([6.0, 7, 8, 9, 10], 0.85)
    known = [one is not None for one in rest.p50]
    assert known == [len(rest.ends) - place >= LEAST_LEFT for place in range(11)]


def test_an_age_is_judged_above_and_not_at_the_percentile() -> None:
    stay = stay_of(20, [3600.0, 7200.0, 10800.0])
    levels = [stay.level(age) for age in (HOUR, 2 * HOUR, 2.5 * HOUR, 3 * HOUR, 4 * HOUR)]
    assert levels == ["", "", "amber", "amber", "red"]


def test_too_few_rounds_say_nothing() -> None:
    assert stay_of(9, [1.0, 1.0, 1.0]) == Stay(9)
    assert Stay(9).level(1000 * HOUR) == ""
