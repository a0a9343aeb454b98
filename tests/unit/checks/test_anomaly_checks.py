"""Checks of detectors: pass, fail and insufficient, with what people read."""

from typing import Any

import pytest

from pipelines.catalogue import CHECKS, check
from pipelines.checks import anomalies

MINE = [name for name, path in CHECKS.items() if path.split(".")[2] == "anomalies"]


def judged(**changes: Any) -> dict[str, dict[str, Any]]:
    found: dict[str, Any] = {
        "recall": {"value": 0.9, "low": 0.8, "high": 0.95, "kinds": {"spike": {"value": 0.9}}},
        "alerts_per_day": {"value": 4.0, "low": 3.0, "high": 5.0},
        "capacity": 5.0,
        "days": 30,
        "days_above": 3,
        "alert_rate": {"value": 0.05, "low": 0.04, "high": 0.06, "expected": 0.04, "ratio": 1.25},
    }
    return {"evaluate.judge": found | changes}


def compared(chosen: str, **means: float) -> dict[str, dict[str, Any]]:
    rows = [{"family": f, "mean": m, "standard_error": 0.02} for f, m in means.items()]
    return {"tune.select": {"families": list(means), "candidates": rows, "family": chosen}}


@pytest.mark.parametrize("name", MINE)
def test_without_facts_every_check_says_insufficient(name: str) -> None:
    for facts in ({}, {"evaluate.judge": {}, "tune.select": {}, "monitor.alerts": {}}):
        assert check(name)(facts, {}).verdict == "insufficient"


@pytest.mark.parametrize(("value", "verdict"), [(0.8, "pass"), (0.79, "fail")])
def test_recall_of_planted_anomalies(value: float, verdict: str) -> None:
    recall = {"value": value, "low": 0.7, "high": 0.9, "kinds": {"spike": {"value": value}}}
    found = anomalies.injected_recall(judged(recall=recall), {})
    assert (found.verdict, found.threshold) == (verdict, 0.8)
    assert found.details[0]["kind"] == "spike"


def test_alerts_are_held_to_the_reviewers_day() -> None:
    found = anomalies.alerts_within_capacity(judged(), {})
    assert (found.verdict, found.high) == ("pass", 5.0)
    assert "on 3 of 30 days" in found.summary
    assert anomalies.alerts_within_capacity(judged(), {"capacity": 3.9}).verdict == "fail"


def test_alerts_are_counted_at_the_rows_a_day_that_the_brief_states() -> None:
    """Few rows a day hide that the rate is too high for the day that people plan for."""
    said = {"value": 40.0, "low": 30.0, "high": 50.0}
    found = anomalies.alerts_within_capacity(
        judged(alerts_at_volume=said, stated_volume=1000.0, measured_volume=100.0), {}
    )
    assert (found.verdict, found.value, found.high) == ("fail", 40.0, 50.0)
    assert "the brief says 1,000 rows a day, the data have 100 (4.0 alerts)" in found.summary
    rare = anomalies.alerts_within_capacity(judged(beyond_held_back=True), {})
    assert "no rows held back can tell" in rare.summary


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(2.0, "pass"), (2.1, "fail"), (0.5, "pass"), (0.4, "fail")]
)
def test_the_alert_rate_may_double_or_halve(ratio: float, verdict: str) -> None:
    rate = {"value": 0.04 * ratio, "expected": 0.04, "ratio": ratio}
    assert anomalies.alert_rate_holds(judged(alert_rate=rate), {}).verdict == verdict


def test_a_detector_finds_more_than_the_fixed_rule_or_is_it() -> None:
    same = compared("robust_z", robust_z=0.8, forest=0.81)
    assert anomalies.detector_beats_rule(same, {}).verdict == "pass"
    better = compared("forest", robust_z=0.7, forest=0.81)
    assert anomalies.detector_beats_rule(better, {}).verdict == "pass"
    luck = compared("forest", robust_z=0.8, forest=0.81)
    assert anomalies.detector_beats_rule(luck, {}).verdict == "fail"
    found = anomalies.detectors_compared(better, {})
    assert found.summary == "absent: neighbours, one_class"


def test_every_case_is_reviewed_and_enough_are_confirmed() -> None:
    reviewed = {"k": 10, "reviewed": 9, "anomalies": 6, "precision_at_k": {"value": 0.6}}
    facts = {"evaluate.count": reviewed | {"cases": [{"case": "c", "verdict": None}]}}
    found = anomalies.cases_reviewed(facts, {})
    assert (found.verdict, found.details[0]["case"]) == ("fail", "c")
    assert anomalies.precision_at_k(facts, {}).verdict == "pass"
    assert anomalies.precision_at_k(facts, {"threshold": 0.7}).verdict == "fail"


def test_live_alerts() -> None:
    live = {"enough": True, "alerts_per_day": {"value": 7.0}, "capacity": 5.0}
    facts = {"monitor.alerts": live | {"over_capacity": True, "moved": True}}
    found = anomalies.alerts_hold(facts, {})
    assert found.verdict == "fail"
    assert "more than can be reviewed" in found.summary
    quiet = {"monitor.alerts": live | {"over_capacity": False, "moved": False}}
    assert anomalies.alerts_hold(quiet, {}).verdict == "pass"


def test_the_champion_is_compared_by_ranks_alone() -> None:
    rows = [
        {"metric": "pr_auc", "gain": 0.1, "not_worse": True},
        {"metric": "log_loss", "gain": -3.0, "not_worse": False},
    ]
    facts: dict[str, dict[str, Any]] = {"register.compare": {"champion": "abc", "metrics": rows}}
    assert anomalies.detector_not_worse(facts, {}).verdict == "pass"
    rows[0]["not_worse"] = False
    assert anomalies.detector_not_worse(facts, {}).verdict == "fail"
    facts["register.compare"]["champion"] = None
    assert anomalies.detector_not_worse(facts, {}).verdict == "pass"
