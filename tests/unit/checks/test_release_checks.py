"""Checks of release and monitoring: pass, fail, and too little to judge."""

from typing import Any

import pytest

from pipelines import catalogue
from pipelines.checks import monitoring, release

ENVIRONMENT = {"lock_sha256": "ab", "deviations": []}
GOOD: dict[str, dict[str, Any]] = {
    "operationalise.package": {
        "entries": list(release.REQUIRED_ENTRIES), "golden_rows": 50, "environment": ENVIRONMENT,
    },
    "operationalise.retrain": {
        "recipe": True, "rows": 100, "largest_difference": 0.0, "environment": ENVIRONMENT,
    },
    "operationalise.load_test": {
        "loads": True, "golden_difference": 0.0, "schema_problems": [], "rows": 500,
        "skew_rows": 0, "environment_differences": [], "bytes": 2**20, "memory_mib": 256,
        "p95_seconds": 0.004, "bad_input": [{"rule": "type", "refused": True}],
    },
    "register.compare": {
        "champion": "ab", "primary": "roc_auc",
        "metrics": [
            {"metric": "roc_auc", "gain": 0.02, "low": 0.01, "high": 0.03, "not_worse": True},
            {"metric": "brier", "gain": -0.001, "not_worse": True},
        ],
    },
    "register.card": {"missing": [], "filled": 17, "licence": "CC0-1.0"},
    "item.deploy.runbook": {
        "rollback_command": "baton rollback", "rollback_minutes": 4, "alert_route": "on call",
    },
    "deploy.shadow": {"n": 300, "minimum": 200, "psi": 0.03, "psi_limit": 0.1, "event_hours": 3},
    "deploy.canary": {
        "n": 1000, "minimum": 1000, "psi": 0.05, "psi_limit": 0.1, "event_hours": 30,
        "error_share": 0.0,
    },
    "serve.traffic": {
        "n": 1000, "minimum": 1000, "unscored": 0, "repeated_keys": 0, "reference_rows": 5000,
    },
    "monitor.drift": {"alerts": 0, "enough": True, "rows": 900, "columns": [{"column": "wind"}]},
    "monitor.quality": {
        "enough": True, "labelled": 500, "metric": "roc_auc", "value": 0.72, "control_limit": 0.68,
        "higher_is_better": True, "worth_per_1000": 900.0, "worth_low": 400.0,
        "worth_high": 1400.0, "currency": "USD",
    },
}  # fmt: skip

# check, where its facts are, a change that turns it red
CASES = [
    ("reproducible", "operationalise.retrain", {"largest_difference": 1e-9}),
    ("environment_locked", "operationalise.retrain",
     {"environment": {"lock_sha256": "ab", "deviations": [{"package": "numpy"}]}}),
    ("package_complete", "operationalise.package", {"entries": ["model.skops"]}),
    ("loads_in_clean_environment", "operationalise.load_test", {"loads": False, "message": "no"}),
    ("loads_in_clean_environment", "operationalise.load_test",
     {"environment_differences": [{"package": "numpy"}]}),
    ("schema_matches_serving", "operationalise.load_test", {"schema_problems": ["wind is int"]}),
    ("schema_matches_serving", "operationalise.load_test", {"skew_rows": 1}),
    ("golden_rows_equal", "operationalise.load_test", {"golden_difference": 1e-6}),
    ("bad_input_refused", "operationalise.load_test", {"bad_input": [{"refused": False}]}),
    ("latency_within_slo", "operationalise.load_test", {"p95_seconds": 0.2}),
    ("size_within_limit", "operationalise.load_test", {"bytes": 2**30}),
    ("champion_beaten", "register.compare",
     {"metrics": [{"metric": "roc_auc", "gain": 0.0, "not_worse": True}]}),
    ("champion_beaten", "register.compare",
     {"metrics": [{"metric": "roc_auc", "gain": 0.1, "not_worse": True},
                  {"metric": "brier", "gain": -0.1, "not_worse": False}]}),
    ("card_complete", "register.card", {"missing": ["ethics"]}),
    ("licence_ok", "register.card", {"licence": ""}),
    ("licence_ok", "register.card", {"licence": "GPL-3.0"}),
    ("rollback_named", "item.deploy.runbook", {"rollback_command": " "}),
    ("rollback_ready", "item.deploy.runbook", {"rollback_minutes": 20}),
    ("alert_routes_set", "item.deploy.runbook", {"alert_route": ""}),
    ("shadow_agrees", "deploy.shadow", {"psi": 0.2}),
    ("canary_agrees", "deploy.canary", {"psi": 0.2}),
    ("error_rate_ok", "deploy.canary", {"error_share": 0.01}),
    ("log_complete", "serve.traffic", {"unscored": 1}),
    ("reference_set", "serve.traffic", {"reference_rows": 10}),
    ("drift_quiet", "monitor.drift", {"alerts": 2}),
    ("quality_holds", "monitor.quality", {"value": 0.6}),
    ("kpi_holds", "monitor.quality", {"worth_low": -5.0}),
]  # fmt: skip
MINE = sorted(
    name for name, path in catalogue.CHECKS.items() if "release." in path or "monitoring." in path
)


@pytest.mark.parametrize("name", MINE)
def test_sound_facts_pass(name: str) -> None:
    result = catalogue.check(name)(GOOD, {})
    assert result.verdict == "pass", result.summary
    assert result.summary


@pytest.mark.parametrize("name", MINE)
def test_no_facts_are_insufficient(name: str) -> None:
    assert catalogue.check(name)({}, {}).verdict == "insufficient"


@pytest.mark.parametrize("name", MINE)
def test_ill_shaped_facts_never_raise(name: str) -> None:
    for wrong in (None, "x", [], {}, -1, True):
        facts = {place: dict.fromkeys(known, wrong) for place, known in GOOD.items()}
        assert catalogue.check(name)(facts, {}).verdict in ("pass", "fail", "insufficient")


@pytest.mark.parametrize(("name", "place", "change"), CASES)
def test_the_fault_turns_it_red(name: str, place: str, change: dict[str, Any]) -> None:
    facts = {**GOOD, place: {**GOOD[place], **change}}
    result = catalogue.check(name)(facts, {})
    assert result.verdict == "fail", result.summary


@pytest.mark.parametrize("name", ["canary_enough", "shadow_enough", "served_enough"])
def test_too_few_predictions_are_insufficient(name: str) -> None:
    facts = {place: {**known, "n": 5} for place, known in GOOD.items()}
    assert catalogue.check(name)(facts, {}).verdict == "insufficient"


def test_event_time_counts_for_the_canary() -> None:
    assert monitoring.canary_enough(GOOD, {"minimum_hours": 24}).verdict == "pass"
    assert monitoring.canary_enough(GOOD, {"minimum_hours": 48}).verdict == "insufficient"


def test_a_loss_holds_below_its_limit() -> None:
    losing = {"metric": "log_loss", "higher_is_better": False, "value": 0.5, "control_limit": 0.6}
    facts = {"monitor.quality": {**GOOD["monitor.quality"], **losing}}
    assert monitoring.quality_holds(facts, {}).verdict == "pass"
    facts["monitor.quality"]["value"] = 0.7
    assert monitoring.quality_holds(facts, {}).verdict == "fail"


def test_limits_come_from_the_blueprint() -> None:
    assert release.latency_within_slo(GOOD, {"limit_ms": 3}).verdict == "fail"
    assert (
        monitoring.shadow_agrees(
            {"deploy.shadow": {**GOOD["deploy.shadow"], "psi": 0.2}}, {"max_psi": 0.3}
        ).verdict
        == "pass"
    )
    assert release.licence_ok(GOOD, {"allowed": ["MIT"]}).verdict == "fail"
    named = {"register.rehearse": GOOD["operationalise.load_test"]}
    assert release.golden_rows_equal(named, {"step": "register.rehearse"}).verdict == "pass"


def test_a_first_release_has_no_champion_to_beat() -> None:
    result = release.champion_beaten({"register.compare": {"champion": None}}, {})
    assert result.verdict == "pass"
    assert "first release" in result.summary
