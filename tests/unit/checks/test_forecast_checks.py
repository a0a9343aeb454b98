"""Checks of forecasts: the series, MASE one step ahead, and every horizon."""

import pytest

from pipelines.catalogue import CHECKS, check
from pipelines.checks import forecasts

MINE = [name for name, path in CHECKS.items() if ".forecasts." in path]


def judged(*gains: float, mase: float = 0.8):
    rows = [
        {
            "horizon": place,
            "rows": 100,
            "mase": {"value": mase, "low": mase - 0.1, "high": mase + 0.1},
            "gain": {"value": gain, "low": gain - 1.0, "high": gain + 1.0},
        }
        for place, gain in enumerate(gains, start=1)
    ]
    return {"evaluate.forecast": {"horizons": rows}}


@pytest.mark.parametrize("name", MINE)
def test_without_facts_every_check_says_insufficient(name) -> None:
    for facts in ({}, {"run": {}}, {"evaluate.forecast": {}, "source.series": {}}):
        assert check(name)(facts, {}).verdict == "insufficient"


@pytest.mark.parametrize(("mase", "verdict"), [(0.99, "pass"), (1.0, "fail"), (1.2, "fail")])
def test_mase_one_step_ahead_is_below_one(mase, verdict) -> None:
    found = forecasts.mase_below(judged(2.0, mase=mase), {})
    assert (found.verdict, found.value) == (verdict, mase)


def test_each_horizon_has_to_beat_the_last_season() -> None:
    found = forecasts.beats_naive(judged(2.0, 0.5, 0.1), {})
    assert found.verdict == "pass"
    assert "3 of 3 horizons; at 2 it may be chance" in found.summary
    lost = forecasts.beats_naive(judged(2.0, -0.5, 0.0), {})
    assert (lost.verdict, lost.value) == ("fail", 2.0)
    assert "not at 2, 3" in lost.summary
    assert lost.details[1]["errs less by"] == -0.5


def test_a_horizon_that_could_not_be_judged_is_not_passed_over() -> None:
    facts = judged(2.0, 0.5)
    facts["evaluate.forecast"] |= {"too_few": [{"horizon": 3, "rows": 4}], "minimum_rows": 10}
    found = forecasts.beats_naive(facts, {})
    assert found.verdict == "insufficient"
    assert "not judged at 3: fewer than 10 forecasts" in found.summary
    assert found.details[-1]["horizon"] == 3
    facts["evaluate.forecast"]["horizons"][0]["gain"]["value"] = -1.0
    assert forecasts.beats_naive(facts, {}).verdict == "fail"


@pytest.mark.parametrize(("gaps", "verdict"), [(5, "pass"), (6, "fail")])
def test_a_series_full_of_holes_is_none(gaps, verdict) -> None:
    listed = [{"from": "2024-01-17T00:00:00", "steps": gaps}]
    facts = {"source.series": {"steps": 100, "gap_steps": gaps, "gap_list": listed}}
    found = forecasts.series_sound(facts, {})
    assert found.verdict == verdict
    assert "2024-01-17" in found.summary
