"""Checks of S3 to S5: pass, fail and insufficient, with what people read."""

import pytest

from pipelines.catalogue import CHECKS, check
from pipelines.checks import evaluation, features, models

MINE = [
    name
    for name, path in CHECKS.items()
    if path.split(".")[2] in ("features", "models", "evaluation", "challenge", "fairness")
]
INTERVAL = {"value": 0.2, "low": 0.1, "high": 0.3}


def built(**changes):
    found = {
        "columns": [{"column": "wind"}, {"column": "air_time"}],
        "columns_used": 2,
        "unmapped": [],
        "known_after": [],
        "availability_undeclared": [],
        "tests": [{"test": "one row", "promise": "same numbers", "failures": []}],
        "tests_run": 2,
        "tests_failed": 0,
    }
    return {"features.build": found | changes}


@pytest.mark.parametrize("name", MINE)
def test_without_facts_every_check_says_insufficient(name) -> None:
    for facts in (
        {},
        {"run": {}},
        {"features.build": {}, "tune.select": {}, "evaluate.evaluate": {}},
    ):
        found = check(name)(facts, {})
        assert found.verdict == "insufficient"
        assert found.summary


def test_a_feature_known_only_later_turns_the_check_red() -> None:
    found = features.features_available(built(known_after=["air_time"]), {})
    assert (found.verdict, found.value) == ("fail", 1.0)
    assert found.details == ({"column": "air_time", "available": "after"},)
    assert "air_time" in found.summary
    assert "Send back to Features" in found.advice


def test_the_contract_sealed_later_counts_as_well() -> None:
    facts = built() | {"source.seal": {"unavailable": ["air_time", "arr_delay"]}}
    found = features.features_available(facts, {})
    assert [row["column"] for row in found.details] == ["air_time"]


def test_features_known_before_pass() -> None:
    assert features.features_available(built(), {}).verdict == "pass"


def test_undeclared_availability_is_not_enough() -> None:
    found = features.features_available(built(availability_undeclared=["wind"]), {})
    assert found.verdict == "insufficient"
    assert "wind" in found.summary
    declared = built(availability_undeclared=["wind"]) | {"source.seal": {"available": ["wind"]}}
    assert features.features_available(declared, {}).verdict == "pass"


def test_a_step_of_another_name_is_found() -> None:
    facts = {"shape.define": built()["features.build"]}
    assert features.columns_mapped(facts, {}).verdict == "pass"
    assert features.columns_mapped(facts, {"step": "shape.other"}).verdict == "insufficient"


def test_unmapped_columns_are_named() -> None:
    row = {"column": "tags", "worry": "W13", "problem": "holds list values"}
    found = features.columns_mapped(built(unmapped=[row]), {})
    assert (found.verdict, found.value, found.details) == ("fail", 1.0, (row,))
    assert "tags" in found.summary


def test_failed_feature_tests_are_named() -> None:
    tests = [{"test": "missing value", "failures": [{"column": "wind", "problem": "became 0"}]}]
    found = features.feature_tests(built(tests=tests, tests_failed=1), {})
    assert found.verdict == "fail"
    assert found.details[0] == {"test": "missing value", "column": "wind", "problem": "became 0"}
    assert features.feature_tests(built(), {}).verdict == "pass"


@pytest.mark.parametrize(
    ("idle", "low", "verdict"), [([], None, "pass"), (["a"], 0.01, "pass"), (["a"], -0.01, "fail")]
)
def test_idle_features_must_carry_something_together(idle, low, verdict) -> None:
    facts = {
        "evaluate.explain": {
            "without_benefit": idle,
            "harmful": [],
            "columns": 3,
            "idle_group": None if low is None else {"value": 0.02, "low": low, "high": 0.05},
            "importance": [{"column": "a", "value": 0.0}],
        }
    }
    assert features.features_beneficial(facts, {}).verdict == verdict


def selected(**changes):
    found = {
        "families": ["dummy", "linear", "boosting"],
        "candidates": [{"name": "a", "family": "linear", "mean": 0.7}],
        "baseline_gain": INTERVAL,
        "metric": "roc_auc",
        "chosen_family": "boosting",
    }
    return {"tune.select": found | changes}


def test_three_families() -> None:
    assert models.three_families(selected(), {}).verdict == "pass"
    found = models.three_families(selected(families=["linear", "boosting", "forest"]), {})
    assert found.verdict == "fail"
    assert "absent: dummy" in found.summary


@pytest.mark.parametrize(("low", "verdict"), [(0.1, "pass"), (0.0, "fail"), (-0.1, "fail")])
def test_beats_baseline_asks_the_lower_bound(low, verdict) -> None:
    facts = selected(baseline_gain=INTERVAL | {"low": low})
    assert models.beats_baseline(facts, {}).verdict == verdict


def test_search_logged() -> None:
    found = {
        "tried": 12,
        "space_size": 64_000_000,
        "method": "TPE",
        "metric": "roc_auc",
        "gain": 0.01,
        "border_hits": ["max_iter"],
        "tunables_searched": ["max_iter", "C"],
        "stopped_by": "budget",
    }
    result = models.search_logged({"tune.search": found}, {})
    assert result.verdict == "pass"
    assert "max_iter" in result.advice
    assert "time budget" in result.summary
    assert models.search_logged({"tune.search": found | {"tried": 2}}, {}).verdict == "fail"


def evaluation_facts(**changes):
    found = {
        "target_metric": {
            "metric": "roc_auc", "wanted": 0.65, "higher_is_better": True,
            "value": 0.68, "low": 0.66, "high": 0.70,
        },
        "calibration": {
            "error": 0.04, "noise_floor": 0.01, "bins": [{"mean_score": 0.3, "share": 0.2}],
        },
        "value": {
            "currency": "EUR",
            "per_1000": {"value": 900.0, "low": 500.0, "high": 1200.0},
            "per_1000_over_flagging_all": {"value": 2000.0, "low": 1.0, "high": 1.0},
            "per_1000_over_best_without_model": {"value": 900.0, "low": 500.0, "high": 1200.0},
        },
    }  # fmt: skip
    return {"evaluate.evaluate": found | changes}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "pass"),
        ({"low": 0.64}, "fail"),
        ({"higher_is_better": False, "high": 0.60}, "pass"),
        ({"higher_is_better": False}, "fail"),
    ],
)
def test_target_met_asks_the_worse_end(changes, verdict) -> None:
    target = evaluation_facts()["evaluate.evaluate"]["target_metric"] | changes
    assert evaluation.target_met(evaluation_facts(target_metric=target), {}).verdict == verdict


@pytest.mark.parametrize(
    ("error", "floor", "verdict"),
    [(0.05, 0.01, "pass"), (0.051, 0.01, "fail"), (0.08, 0.088, "pass")],
)
def test_calibrated_allows_what_is_noise(error, floor, verdict) -> None:
    facts = evaluation_facts(
        calibration={
            "error": error,
            "noise_floor": floor,
            "bins": [{"mean_score": 0.3, "share": 0.2}],
        }
    )
    found = evaluation.calibrated(facts, {})
    assert found.verdict == verdict
    assert ("too high" in found.advice) is (verdict == "fail")


def test_cost_positive() -> None:
    assert evaluation.cost_positive(evaluation_facts(), {}).verdict == "pass"
    money = evaluation_facts()["evaluate.evaluate"]["value"]
    money |= {"per_1000_over_best_without_model": {"value": 1.0, "low": -5.0, "high": 9.0}}
    assert evaluation.cost_positive(evaluation_facts(value=money), {}).verdict == "fail"
    assert evaluation.cost_positive(evaluation_facts(value=None), {}).verdict == "insufficient"


def sliced(*verdicts: str):
    rows = [{"slice": f"s{n}", "verdict": verdict} for n, verdict in enumerate(verdicts)]
    return {
        "evaluate.slices": {
            "slices": rows,
            "looked_at": len(rows),
            "too_small": verdicts.count("too small"),
            "hard": verdicts.count("hard"),
            "overall": INTERVAL,
        }
    }


def test_slices_hold() -> None:
    assert evaluation.slices_hold(sliced("holds", "hard"), {}).verdict == "pass"
    found = evaluation.slices_hold(sliced("worse", "holds"), {})
    assert (found.verdict, found.value) == ("fail", 1.0)
    assert "s0" in found.advice
    assert evaluation.slices_hold(sliced("hard"), {"count_hard": True}).verdict == "fail"
    assert evaluation.slices_hold(sliced("too small"), {}).verdict == "insufficient"
