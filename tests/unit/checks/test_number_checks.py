"""Checks that challenge a predicted number: groups, intervals, noise."""

import pytest

from pipelines.catalogue import CHECKS, check
from pipelines.checks import challenge, intervals, numbers

MINE = [name for name, path in CHECKS.items() if ".numbers." in path or ".intervals." in path]


def interval(value, low=None, high=None) -> dict:
    return {"value": value, "low": low, "high": high}


def screened(**changes) -> dict:
    row = {
        "column": "sex", "groups": 3, "too_small": 1,
        "bias_difference": interval(0.5, 0.3, 0.7), "error_ratio": interval(1.5, 1.2, 1.9),
        "lowest": "sex = f", "highest": "sex = m",
        "least_wrong": "sex = m", "most_wrong": "sex = f", "p_bias": 0.001, "p_error": 0.001,
    }  # fmt: skip
    return {
        "evaluate.fairness": {
            "sensitive": ["sex"],
            "minimum_rows": 50,
            "mae": 10.0,
            "fairness": [row | changes],
            "groups": [{"group": "sex = f", "rows": 80, "bias": -3.0, "mae": 12.0}],
        }
    }


@pytest.mark.parametrize("name", MINE)
def test_without_facts_every_check_says_insufficient(name) -> None:
    empty = {"evaluate.fairness": {}, "evaluate.coverage": {}, "evaluate.stress": {}}
    for facts in ({}, {"run": {}}, empty):
        assert check(name)(facts, {}).verdict == "insufficient"


def test_groups_that_are_surely_told_apart_are_flagged() -> None:
    bias = numbers.group_bias_equal(screened(), {})
    assert (bias.verdict, bias.value, bias.threshold) == ("fail", 0.5, 0.2)
    assert "predictions for sex = m are 5 higher" in bias.summary
    assert "1 group is too small to judge. A flag for people to look at" in bias.summary
    assert bias.details[0]["bias"] == -3.0
    error = numbers.group_errors_equal(screened(), {})
    assert (error.verdict, error.value, error.threshold) == ("fail", 1.5, 1.25)
    assert "sex = f is predicted with 1.50 times the error of sex = m" in error.summary
    assert "sex" in error.advice


@pytest.mark.parametrize(
    ("p", "verdict", "said"),
    [
        (0.3, "pass", "could be chance"),
        (None, "insufficient", "too few days or groups to tell chance"),
    ],
)
def test_what_may_be_chance_is_said_and_not_flagged(p, verdict, said) -> None:
    for judged in (numbers.group_bias_equal, numbers.group_errors_equal):
        found = judged(screened(p_bias=p, p_error=p), {})
        assert found.verdict == verdict
        assert said in found.summary


@pytest.mark.parametrize(("value", "verdict"), [(0.2, "pass"), (0.21, "fail")])
def test_the_edge_of_a_fifth(value, verdict) -> None:
    assert (
        numbers.group_bias_equal(screened(bias_difference=interval(value)), {}).verdict == verdict
    )


def test_nobody_declared_and_too_few_are_no_green() -> None:
    none = {"evaluate.fairness": {"sensitive": [], "fairness": []}}
    few = screened(bias_difference=interval(None), error_ratio=interval(None))
    for judged in (numbers.group_bias_equal, numbers.group_errors_equal):
        assert judged(none, {}).verdict == "insufficient"
        assert "have 50 rows and more" in judged(few, {}).summary


def test_a_group_without_error_is_a_reason_of_its_own() -> None:
    found = numbers.group_errors_equal(screened(error_ratio=interval(None), no_error=True), {})
    assert found.verdict == "insufficient"
    assert found.summary.startswith("sex = m is predicted without any error")


def counted(coverage: float, **changes) -> dict:
    found = {
        "confidence": 0.9, "coverage": interval(coverage, 0.8, 0.95), "strictly_inside": coverage,
        "served": "one margin", "allowed_low": 0.86, "allowed_high": 0.94, "mean_width": 20.0,
        "methods": [
            {"method": "one margin", "coverage": interval(coverage), "holds": True},
            {"method": "by row", "coverage": interval(0.9), "mean_width": 15.5},
        ],
        "grouped_by": ["sex"],
        "groups": [
            {"group": "sex = f", "method": "one margin", "rows": 200, "coverage": 0.8,
             "low": 0.74, "high": 0.85, "p_adjusted": 0.001, "judged": True},
            {"group": "sex = m", "method": "one margin", "rows": 200, "coverage": 0.95,
             "p_adjusted": 0.9, "judged": True},
            {"group": "sex = x", "method": "one margin", "rows": 3, "coverage": 0.3,
             "p_adjusted": None, "judged": False},
        ],
    }  # fmt: skip
    return {"evaluate.coverage": found | changes}


@pytest.mark.parametrize(
    ("coverage", "verdict", "comparison"),
    [(0.859, "fail", ">="), (0.86, "pass", ">="), (0.94, "pass", ">="), (0.95, "fail", "<=")],
)
def test_coverage_has_two_ends(coverage, verdict, comparison) -> None:
    found = intervals.intervals_cover(counted(coverage), {})
    assert (found.verdict, found.comparison) == (verdict, comparison)
    assert "by row would be 15.5 wide instead of 20" in found.summary
    assert len(found.details) == 2


def test_ties_at_an_end_are_no_intervals_too_wide() -> None:
    assert intervals.intervals_cover(counted(0.97, strictly_inside=0.9), {}).verdict == "pass"


def test_a_group_that_is_surely_covered_less_is_named() -> None:
    found = intervals.groups_covered(counted(0.9), {})
    assert (found.verdict, found.value) == ("fail", 0.8)
    assert "1 of 2 groups are surely covered less than promised; least sex = f" in found.summary
    facts = counted(0.9)
    facts["evaluate.coverage"]["groups"][0]["p_adjusted"] = 0.2
    assert intervals.groups_covered(facts, {}).verdict == "pass"
    assert intervals.groups_covered(counted(0.9, grouped_by=[]), {}).verdict == "insufficient"


def stressed(worse: float) -> dict:
    return {
        "evaluate.stress": {
            "task": "regression", "bad_scores": 2, "bad_undisturbed": 0, "tried": 9, "refused": 1,
            "noise": [{"size": 0.05, "worse": interval(worse, 0.0, 0.2)}],
            "disturbances": [
                {"column": "wind", "kind": "other unit", "size": 1000.0, "worse": interval(4.0),
                 "bad_scores": 2},
                {"column": "place", "kind": "missing", "size": 0.0, "worse": interval(0.3)},
            ],
        }
    }  # fmt: skip


@pytest.mark.parametrize(("worse", "verdict"), [(0.1, "pass"), (0.11, "fail")])
def test_noise_may_add_a_tenth_to_errors(worse, verdict) -> None:
    found = numbers.predictions_steady(stressed(worse), {})
    assert found.verdict == verdict
    assert "place missing everywhere by +30.0%; wind in another unit by +400.0%" in found.summary
    assert numbers.predictions_steady(stressed(worse), {"noise": 0.5}).verdict == "insufficient"


def test_a_score_that_is_no_number_is_called_so() -> None:
    found = challenge.numerically_stable(stressed(0.1), {})
    assert found.verdict == "fail"
    assert "2 scores are no number under 9 disturbances" in found.summary
