"""The review's curves: what they say, and nothing where there is nothing."""

from typing import Any

import pytest

from pipelines.charts.figure import Figure
from portal.web.plots import aged, calibration, outcomes, plots_of, pr, roc


def tenth(prediction: float, bias: float, spread: float) -> dict[str, Any]:
    return {
        "rows": 50,
        "mean_prediction": prediction,
        "mean_truth": prediction - bias,
        "bias": bias,
        "low": bias - spread,
        "high": bias + spread,
    }


TENTHS = [tenth(-10.0, 2.0, 1.0), tenth(30.0, 0.0, 4.0)]
GROUPS: list[dict[str, Any]] = [
    {"mean_score": 0.1, "share": 0.2, "low": 0.15, "high": 0.25, "rows": 1000},
    {"mean_score": 0.5, "share": 0.4, "low": None, "high": None, "rows": 4},
]
AGES = [{"age_days": age, "value": 0.7 - age / 500, "value_low": 0.6} for age in (0, 25, 51)]
ROC = [{"fpr": share, "tpr": share**0.5, "threshold": None} for share in (0.0, 0.2, 1.0)]
PR = [{"recall": 0.0, "precision": 0.9}, {"recall": 0.5, "precision": 0.6}]


def rows_of(figure: Figure | None) -> tuple[tuple[Any, ...], ...]:
    assert figure is not None
    return figure.rows


def test_tenths_stand_beside_the_diagonal_with_the_interval_of_the_outcome() -> None:
    figure = outcomes(TENTHS)
    # the first came out lower than predicted by one to three
    assert rows_of(figure)[0] == (-10.0, -12.0, -13.0, -11.0, "50")
    assert figure is not None
    assert "in 1 of them they are higher" in figure.text


def test_calibration_says_what_scores_promise_and_where_chance_lies() -> None:
    figure = calibration(GROUPS)
    assert rows_of(figure) == ((0.1, 0.2, 0.15, 0.25, "1,000"), (0.5, 0.4, 0.4, 0.4, "4"))
    assert figure is not None
    assert "in 1 of them scores promise more" in figure.text
    spec: Any = figure.spec
    low, high = spec["layer"][0]["data"]["values"]
    assert low["high"] - low["low"] == pytest.approx(2 * 1.96 * (0.1 * 0.9 / 1000) ** 0.5)
    assert (high["low"], high["high"]) == pytest.approx((0.01, 0.99))


def test_curves_tell_what_they_cost() -> None:
    found = roc(ROC)
    assert found is not None
    assert "where 20 % of the others are flagged, 45 % of the positive are caught" in found.text
    found = pr(PR, 0.3)
    assert found is not None
    assert "50 % of the positive are caught, 60 % of those flagged are positive" in found.text
    assert "chance would find 30 %" in found.text


def test_age_is_told_in_days() -> None:
    found = aged(AGES, "roc_auc")
    assert found is not None
    assert "Fresh it scores 0.7000, at 51 days 0.5980" in found.text
    assert rows_of(found)[0] == (0, 0.7, 0.6, 0.7)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        (roc, ROC[:1]),
        (roc, [{"fpr": None, "tpr": 1.0}] * 3),
        (roc, [{"fpr": float("nan"), "tpr": 1.0}] * 3),
        (calibration, []),
        (calibration, [{"mean_score": "x", "share": 1}] * 2),
        (outcomes, [{**TENTHS[0], "low": None}, TENTHS[1]]),
    ],
)
def test_there_is_no_plot_of_nothing(kind: Any, rows: list[dict[str, Any]]) -> None:
    assert kind(rows) is None


def test_an_evaluation_shows_what_it_has() -> None:
    facts = {"calibration": {"bins": GROUPS}, "positive_share": 0.3}
    found = plots_of({"facts": facts, "roc": ROC, "pr": PR}, {"curve": AGES, "metric": "roc_auc"})
    assert [one.key for one in found] == ["roc", "pr", "calibration", "ageing"]
    assert all(len(one.digest) == 64 for one in found)
    assert plots_of({}, {}) == ()
