"""Plots with their own axes: everything lies inside, marks are round, nothing of nothing."""

import pytest

from portal.web.charts import PLOT, PLOT_LEFT, PLOT_TOP
from portal.web.curves import _Axis, ageing


def curve(*values: float) -> list[dict]:
    return [
        {
            "age_days": place * 25.3,
            "value": value,
            "value_low": value - 0.02,
            "value_high": value + 0.02,
        }
        for place, value in enumerate(values)
    ]


def test_points_lie_inside_and_older_to_the_right() -> None:
    plot = ageing(curve(0.66, 0.65, 0.62), "roc_auc")
    assert plot is not None
    assert [point.x for point in plot.points] == sorted(point.x for point in plot.points)
    assert plot.points[0].y < plot.points[2].y  # a lower score lies lower
    for point in plot.points:
        assert PLOT_LEFT <= point.x <= PLOT_LEFT + PLOT
        assert PLOT_TOP <= point.high < point.y < point.low <= PLOT_TOP + PLOT
    assert not plot.diagonal
    assert "at 51 days 0.6200" in plot.text


@pytest.mark.parametrize("rows", [[], curve(0.6), [{"age_days": 1, "value": None}] * 3])
def test_there_is_no_plot_of_nothing(rows) -> None:
    assert ageing(rows, "roc_auc") is None


def test_equal_values_have_a_plot_too() -> None:
    flat = [{"age_days": day, "value": 0.5} for day in (0, 10)]
    plot = ageing(flat, "brier")
    assert plot is not None
    assert len({point.y for point in plot.points}) == 1


@pytest.mark.parametrize(("low", "high"), [(0.617, 0.688), (-3, 1200), (0, 151.9), (5e-7, 6e-7)])
def test_marks_are_round_and_hold_all_values(low, high) -> None:
    axis = _Axis.over(low, high)
    assert axis.least <= low < high <= axis.most
    assert 2 <= len(axis.marks) <= 8
