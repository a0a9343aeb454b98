"""Checks of decisions class by class: pass, fail and insufficient."""

import pytest

from pipelines.checks.classes import (
    abstain_band_holds,
    classes_recalled,
    groups_kept_apart,
    macro_f1_over_majority,
)


def interval(value: float, half: float = 0.05) -> dict[str, float]:
    return {"value": value, "low": value - half, "high": value + half}


def judged(**more):
    facts = {
        "macro_f1": interval(0.7),
        "majority": {"macro_f1": 0.4},
        "lowest_recall": interval(0.5),
        "classes": [
            {"class": "other", "rows": 10, "recall": interval(0.5)},
            {"class": "positive", "rows": 30, "recall": interval(0.9)},
        ],
    }
    return {"evaluate.classes": facts | more}


@pytest.mark.parametrize(("macro", "verdict"), [(0.7, "pass"), (0.44, "fail")])
def test_macro_f1_has_to_be_surely_above_the_majority(macro: float, verdict: str) -> None:
    assert macro_f1_over_majority(judged(macro_f1=interval(macro)), {}).verdict == verdict


def test_the_class_told_least_often_is_named() -> None:
    found = classes_recalled(judged(), {"minimum": 0.6})
    assert (found.verdict, found.value) == ("fail", 0.5)
    assert "(other) is told in 50.0%" in found.summary
    assert classes_recalled(judged(), {}).verdict == "pass"


@pytest.mark.parametrize(
    ("band", "verdict"),
    [
        ({"wanted_error": 0.1, "error": 0.09, "error_high": 0.12, "coverage": 0.6}, "pass"),
        ({"wanted_error": 0.1, "error": 0.11, "error_high": 0.13, "coverage": 0.6}, "pass"),
        ({"wanted_error": 0.1, "error": 0.2, "error_high": 0.22, "coverage": 0.6}, "fail"),
        ({"wanted_error": 0.1, "error": None}, "fail"),
    ],
)
def test_the_band_has_to_keep_its_promise_but_for_chance(band, verdict: str) -> None:
    assert abstain_band_holds(judged(abstain=band), {}).verdict == verdict


def test_a_column_of_authors_wants_a_split_by_author() -> None:
    proposed = [{"column": "author", "groups": 50, "rows_per_group": 4.0, "on_both_sides": 40}]
    parted = {"explore.split": {"rule": "stratified", "groups_proposed": proposed}}
    found = groups_kept_apart(parted, {})
    assert found.verdict == "fail"
    assert "author" in found.summary
    assert "author" in found.advice
    none = {"explore.split": {"rule": "stratified", "groups_proposed": []}}
    assert groups_kept_apart(none, {}).verdict == "pass"
    by_group = {
        "explore.split": {
            "rule": "group",
            "boundaries": {"group_column": "author"},
            "groups_proposed": proposed,
        }
    }
    assert "rows of one author" in groups_kept_apart(by_group, {}).summary
