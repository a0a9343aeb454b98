"""Checks that challenge a candidate: groups, sets, stress, age, single rows."""

import pytest

from pipelines.checks import challenge, fairness


def interval(value, low=None, high=None) -> dict:
    return {"value": value, "low": low, "high": high}


def screened(**changes) -> dict:
    row = {
        "column": "sex",
        "groups": 3,
        "too_small": 1,
        "selection_ratio": interval(0.7, 0.6, 0.8),
        "opportunity_difference": interval(0.12, 0.05, 0.2),
        "odds_difference": interval(0.15, 0.08, 0.2),
        "lowest": "sex = f",
        "highest": "sex = m",
        "p_selection": 0.001,
        "p_opportunity": 0.01,
        "p_odds": 0.01,
    }
    return {
        "evaluate.fairness": {
            "sensitive": ["sex"],
            "favourable": "flagged",
            "minimum_rows": 50,
            "fairness": [row | changes],
            "groups": [{"group": "sex = f", "rows": 80, "selection_rate": 0.2, "judged": True}],
        }
    }


def test_four_fifths_flags_what_chance_does_not_explain() -> None:
    found = fairness.selection_rates_equal(screened(), {})
    assert (found.verdict, found.value, found.threshold) == ("fail", 0.7, 0.8)
    assert found.threshold_class == "law"
    assert "sex = f" in found.summary
    assert "1 group is too small" in found.summary
    assert "not a verdict" in found.summary
    assert "sex" in found.advice
    assert found.details[0]["selection_rate"] == 0.2


def test_small_numbers_are_not_flagged_but_said() -> None:
    found = fairness.selection_rates_equal(screened(p_selection=0.3), {})
    assert found.verdict == "pass"
    assert "could be chance" in found.summary
    assert fairness.selection_rates_equal(screened(p_selection=0.3), {"significance": 0.5}).verdict


def test_where_chance_cannot_be_told_it_is_neither_red_nor_green() -> None:
    facts = screened(p_selection=None, p_odds=None)
    for check in (fairness.selection_rates_equal, fairness.error_rates_equal):
        found = check(facts, {})
        assert found.verdict == "insufficient"
        assert "too few days or groups to tell chance" in found.summary


@pytest.mark.parametrize(("value", "verdict"), [(0.0, "fail"), (0.79, "fail"), (0.8, "pass")])
def test_the_edge_of_four_fifths(value, verdict) -> None:
    facts = screened(selection_ratio=interval(value, 0, 1))
    assert fairness.selection_rates_equal(facts, {}).verdict == verdict


def test_error_rates_ask_the_larger_of_both_differences() -> None:
    found = fairness.error_rates_equal(screened(), {})
    assert (found.verdict, found.value, found.threshold_class) == ("fail", 0.15, "conv")
    assert fairness.error_rates_equal(screened(p_odds=0.2), {}).verdict == "pass"
    held = screened(odds_difference=interval(0.1, 0, 0.2))
    assert fairness.error_rates_equal(held, {}).verdict == "pass"
    assert found.details[0]["equal_opportunity"] == 0.12


def test_nothing_declared_and_nothing_large_enough_are_said_apart() -> None:
    none = {"evaluate.fairness": {"sensitive": [], "fairness": []}}
    few = screened(selection_ratio=interval(None), odds_difference=interval(None))
    for check in (fairness.selection_rates_equal, fairness.error_rates_equal):
        assert check(none, {}).verdict == check(few, {}).verdict == "insufficient"
        assert "declared" in check(none, {}).summary
        assert "50 rows" in check(few, {}).summary


def covering(value) -> dict:
    return {
        "evaluate.coverage": {
            "confidence": 0.9,
            "coverage": interval(value, value - 0.02, value + 0.02),
            "allowed_low": 0.88,
            "allowed_high": 0.92,
            "answered": 0.6,
            "answered_right": 0.8,
            "levels": [{"confidence": 0.9, "coverage": value}],
        }
    }


@pytest.mark.parametrize(
    ("value", "verdict", "threshold"),
    [(0.87, "fail", 0.88), (0.9, "pass", 0.88), (0.95, "pass", 0.88)],
)
def test_coverage_may_be_off_by_chance_only(value, verdict, threshold) -> None:
    found = challenge.sets_cover(covering(value), {})
    assert (found.verdict, found.threshold) == (verdict, threshold)
    assert "60% of rows get one answer" in found.summary
    assert bool(found.advice) == (verdict == "fail")
    assert ("wider than needed" in found.summary) == (value > 0.92)


def stressed(**changes) -> dict:
    facts = {
        "bad_scores": 0,
        "bad_undisturbed": 0,
        "refused": 1,
        "tried": 12,
        "noise": [
            {"size": 0.01, "flipped": interval(0.01, 0.0, 0.02)},
            {"size": 0.05, "flipped": interval(0.08, 0.06, 0.1)},
        ],
        "disturbances": [
            {"column": "all at once", "kind": "missing", "flipped": 0.5, "bad_scores": 0},
            {"column": "wind", "kind": "missing", "flipped": 0.4, "bad_scores": 0},
        ],
    }
    return {"evaluate.stress": facts | changes}


def test_any_score_that_is_no_probability_turns_it_red() -> None:
    assert challenge.numerically_stable(stressed(), {}).verdict == "pass"
    assert challenge.numerically_stable(stressed(bad_undisturbed=1), {}).verdict == "fail"
    found = challenge.numerically_stable(
        stressed(bad_scores=3, disturbances=[{"column": "wind", "bad_scores": 3}]), {}
    )
    assert (found.verdict, found.value) == ("fail", 3)
    assert "wind" in found.advice


def test_noise_may_turn_one_decision_in_ten() -> None:
    found = challenge.decisions_steady(stressed(), {})
    assert (found.verdict, found.value, found.low, found.high) == ("pass", 0.08, 0.06, 0.1)
    assert "wind missing everywhere turns 40.0%" in found.summary
    assert challenge.decisions_steady(stressed(), {"maximum": 0.05}).verdict == "fail"
    assert challenge.decisions_steady(stressed(), {"noise": 0.3}).verdict == "insufficient"


def ageing(**changes) -> dict:
    facts = {
        "aged": True,
        "metric": "roc_auc",
        "oldest_days": 150.0,
        "loss_at_end": interval(0.03, 0.01, 0.05),
        "half_life": interval(80.0, 60.0, 120.0),
        "half_life_days": 80.0,
        "curve": [{"age": 0, "value": 0.8}],
    }
    return {"evaluate.age": facts | changes}


def test_age_is_known_by_its_half_life() -> None:
    found = challenge.age_known(ageing(), {})
    assert (found.verdict, found.value, found.low, found.high) == ("pass", 80, 60, 120)
    short = challenge.age_known(ageing(half_life_days=20.0), {})
    assert short.verdict == "fail"
    assert "every 10 days" in short.advice
    still = challenge.age_known(ageing(half_life_days=None), {})
    assert still.verdict == "pass"
    assert "no decay is shown" in still.summary
    unknown = challenge.age_known({"evaluate.age": {"aged": False, "not_aged": "no time"}}, {})
    assert unknown.verdict == "insufficient"
    assert "no time" in unknown.summary


def explained(**changes) -> dict:
    facts = {
        "explained": 80,
        "errors_explained": 50,
        "largest_gap": 1e-12,
        "rows": 4000,
        "examples": [
            {
                "row": 7,
                "key": {"flight": "UA1"},
                "why": "worst error",
                "score": 0.1,
                "label": 1,
                "added": [{"column": "wind", "value": None, "added": -0.25}],
            }
        ],
    }
    return {"evaluate.rows": facts | changes}


def test_rows_are_explained_when_the_parts_add_up() -> None:
    found = challenge.rows_explained(explained(), {})
    assert found.verdict == "pass"
    assert found.details[0]["row"] == "UA1"
    assert found.details[0]["moved_most_by"] == "wind = missing: -0.250"
    assert challenge.rows_explained(explained(largest_gap=0.1), {}).verdict == "fail"
    assert challenge.rows_explained(explained(errors_explained=9), {}).verdict == "fail"
    few = explained(errors_explained=9, rows=9)
    assert challenge.rows_explained(few, {}).verdict == "pass"
