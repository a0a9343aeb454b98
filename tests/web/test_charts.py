"""Plots of evaluations whose answer is a number."""

import pytest

from portal.web import charts


def tenth(prediction: float, bias: float, spread: float) -> dict[str, float]:
    return {
        "rows": 50,
        "mean_prediction": prediction,
        "mean_truth": prediction - bias,
        "bias": bias,
        "low": bias - spread,
        "high": bias + spread,
    }


BINS = [tenth(-10.0, 2.0, 1.0), tenth(30.0, 0.0, 4.0)]


def test_tenths_stand_beside_the_diagonal() -> None:
    plot = charts.outcomes(BINS)
    assert plot is not None
    low, high = plot.points
    # the first came out lower than predicted: below the diagonal, its interval, too
    assert low.y > plot.bottom - (low.x - plot.left)
    assert low.high < low.y < low.low
    assert high.y == pytest.approx(plot.bottom - (high.x - plot.left), abs=0.11)  # px, rounded
    assert all(plot.left <= point.x <= plot.right for point in plot.points)
    assert all(plot.top <= point.high <= point.low <= plot.bottom for point in plot.points)
    assert (plot.x_ticks[0].label, plot.x_ticks[-1].label) == ("-13", "34")
    assert "in 1 of them they are higher" in plot.text


def test_no_plot_without_tenths() -> None:
    assert charts.outcomes([]) is None
    assert charts.outcomes([{**BINS[0], "low": None}, BINS[1]]) is None
