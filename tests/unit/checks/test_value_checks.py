"""Checks of an evaluation whose answer is a number, and of what such answers were worth."""

import pytest

from pipelines.checks import evaluation, monitoring

INTERVAL = {
    "level": 0.9, "low": -3.0, "high": 5.0, "width": 8.0, "coverage": 0.86, "tolerance": 0.05,
    "checked_rows": 800, "calibration_rows": 800, "effective_rows": 324.0, "holds": True,
}  # fmt: skip


def evaluated(**facts):
    return {"evaluate.evaluate": facts}


@pytest.mark.parametrize(
    ("coverage", "verdict", "way"),
    [(0.86, "pass", ""), (0.84, "fail", "fewer"), (0.96, "fail", "more")],
)
def test_the_interval_holds_as_many_rows_as_promised(coverage, verdict, way) -> None:
    facts = evaluated(prediction_interval={**INTERVAL, "coverage": coverage})
    found = evaluation.coverage_holds(facts, {})
    assert found.verdict == verdict
    assert found.value == pytest.approx(abs(coverage - 0.9))
    assert f"{coverage:.1%} of 800 rows" in found.summary
    assert way in found.advice


@pytest.mark.parametrize(
    ("strict", "verdict", "value"), [(0.85, "pass", 0.0), (0.97, "fail", 0.07)]
)
def test_rows_that_tie_with_an_end_are_not_too_many(strict, verdict, value) -> None:
    ties = {**INTERVAL, "coverage": 0.98, "strictly_inside": strict}
    found = evaluation.coverage_holds(evaluated(prediction_interval=ties), {})
    assert (found.verdict, found.value) == (verdict, pytest.approx(value))
    assert f"{0.98 - strict:.1%} tie with its ends" in found.summary


def test_no_interval_is_not_enough_to_judge() -> None:
    found = evaluation.coverage_holds(evaluated(prediction_interval=None), {})
    assert found.verdict == "insufficient"


@pytest.mark.parametrize(
    ("bias", "low", "high", "verdict"),
    [
        (0.4, -0.1, 0.9, "pass"),  # may be chance
        (0.8, 0.4, 1.2, "pass"),  # within a tenth of the mean error
        (2.0, 1.2, 2.8, "fail"),
        (-2.0, -2.8, -1.2, "fail"),
    ],
)
def test_a_bias_has_to_be_sure_and_large(bias, low, high, verdict) -> None:
    metrics = {"bias": {"value": bias, "low": low, "high": high}, "mae": {"value": 10.0}}
    bins = [{"mean_prediction": 1.0, "bias": bias}]
    found = evaluation.unbiased(evaluated(metrics=metrics, bias_bins=bins), {})
    assert found.verdict == verdict
    assert ("high" if bias > 0 else "low") in found.summary
    assert found.details == tuple(bins)


def test_worth_is_told_beside_the_usual_answer() -> None:
    against = [{"against": "always answering -4", "worth": 9.0}]
    money = {
        "currency": "USD",
        "per_1000_over_best_without_model": {"value": 9.0, "low": 1.0, "high": 12.0},
        "against": against,
    }
    found = evaluation.cost_positive(evaluated(value=money), {})
    assert (found.verdict, found.details) == ("pass", tuple(against))
    quality = {"enough": True, "worth_per_1000": 9.0, "beside": "always answering -4"}
    said = monitoring.kpi_holds({"monitor.quality": quality}, {}).summary
    assert said.endswith("beside always answering -4.")
