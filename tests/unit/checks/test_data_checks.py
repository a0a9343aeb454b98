"""Checks of S0 to S2 pass, fail and say when they cannot tell."""

import pytest

from pipelines.catalogue import check
from pipelines.checks.contract import CheckResult, Facts, Json

LABELS: dict[str, Json] = {
    "labelled": 1000,
    "share": 0.9,
    "rarest": 300,
    "classes": {"0": 700, "1": 300},
}
SEALED: dict[str, Json] = {
    "digest": "abc",
    "pii_unresolved": [],
    "undeclared": [],
    "unavailable": ["air_time"],
    "datasheet": {"origin": True, "rights": True},
}
VALID: dict[str, Json] = {
    "blocking": 0,
    "rows_warning_share": 0.0005,
    "violations": [],
    "labels": LABELS,
    "freshness": {"newest": "2024-01-01", "age_days": 3.0, "max_age_days": 7.0},
}
SPLIT: dict[str, Json] = {
    "overlap_rows": 0,
    "groups_shared": None,
    "reproducible": True,
    "digest": "abc",
    "parts": {"holdout": {"rows": 400, "rarest": 60}},
}
GOOD: dict[str, dict[str, Json]] = {
    "run": {"seats": ["BA", "DE", "DS", "MLR", "MLE", "SWE", "OPS"], "parameters": {}},
    "frame.value": {
        "completeness": 1.0,
        "missing": [],
        "kpi_mapped": True,
        "value_per_year": 5.0,
        "currency": "EUR",
    },
    "item.frame.brief": {"kpi_name": "missed connections", "kpi_now": 14.0, "kpi_target": 10.0},
    "item.frame.go": {"decision": "go", "reason": "worth it"},
    "item.source.contract": {"signed": True},
    "source.seal": SEALED,
    "source.validate": VALID,
    "explore.worries": {"findings": [{"worry": "W3", "severity": "warn", "message": "gaps"}]},
    "explore.leakage": {
        "open": [],
        "suspects": [{"column": "arr_delay", "answer": "declared after"}],
        "highest_open": {"column": "hour", "score": 0.64},
        "threshold": 0.95,
        "measure": "AUC",
    },
    "explore.split": SPLIT,
    "explore.baseline": {
        "primary": "pr_auc",
        "column": "hour",
        "baselines": {"one_column": {"pr_auc": {"value": 0.3, "low": 0.2, "high": 0.4}}},
    },
}
NAMES = [
    "brief_complete",
    "owners_named",
    "go_no_go",
    "kpi_mapped",
    "baseline_filled",
    "value_positive",
    "contract_signed",
    "schema_holds",
    "pii_resolved",
    "rows_enough",
    "fresh_enough",
    "label_share",
    "datasheet_filled",
    "availability_declared",
    "no_open_blocker",
    "leakage_clean",
    "no_overlap",
    "split_reproducible",
    "events_enough",
    "baseline_recorded",
]


def judged(name: str, facts: Facts, **params: Json) -> CheckResult:
    return check(name)(facts, params)


def changed(key: str, **values: Json) -> Facts:
    return {**GOOD, key: {**GOOD[key], **values}}


@pytest.mark.parametrize("name", NAMES)
def test_good_facts_pass(name) -> None:
    assert judged(name, GOOD).verdict == "pass"


@pytest.mark.parametrize(
    ("name", "key", "values", "told"),
    [
        (
            "brief_complete",
            "frame.value",
            {"completeness": 0.9, "missing": [{"field": "volume", "label": "cases per day"}]},
            "cases per day",
        ),
        ("owners_named", "run", {"seats": ["BA", "DE", "DS", "MLR", "MLE", "SWE"]}, "OPS"),
        ("go_no_go", "item.frame.go", {"decision": "no_go"}, "no_go"),
        ("kpi_mapped", "frame.value", {"kpi_mapped": False}, "KPI"),
        ("baseline_filled", "item.frame.brief", {"kpi_now": None}, "no value for: now"),
        ("baseline_filled", "item.frame.brief", {"kpi_now": 10.0}, "nothing to gain"),
        ("value_positive", "frame.value", {"value_per_year": -1.0}, "-1"),
        ("contract_signed", "item.source.contract", {"signed": False}, "not signed"),
        ("schema_holds", "source.validate", {"blocking": 2}, "2 rules"),
        ("schema_holds", "source.validate", {"rows_warning_share": 0.002}, "0.200%"),
        ("pii_resolved", "source.seal", {"pii_unresolved": [{"column": "email"}]}, "email"),
        ("rows_enough", "source.validate", {"labels": {**LABELS, "rarest": 249}}, "249"),
        (
            "fresh_enough",
            "source.validate",
            {"freshness": {"newest": "x", "age_days": 7.5, "max_age_days": 7}},
            "7.5 days",
        ),
        ("label_share", "source.validate", {"labels": {**LABELS, "share": 0.4}}, "40.0%"),
        ("datasheet_filled", "source.seal", {"datasheet": {"rights": False}}, "rights"),
        ("availability_declared", "source.seal", {"undeclared": ["hour"]}, "hour"),
        (
            "no_open_blocker",
            "explore.worries",
            {"findings": [{"worry": "W6", "severity": "blocker", "message": "leak"}]},
            "W6: leak",
        ),
        ("leakage_clean", "explore.leakage", {"open": ["arr_delay"]}, "arr_delay"),
        ("no_overlap", "explore.split", {"overlap_rows": 1}, "1 rows"),
        ("no_overlap", "explore.split", {"groups_shared": 2}, "2 groups"),
        ("split_reproducible", "explore.split", {"reproducible": False}, "different"),
        (
            "events_enough",
            "explore.split",
            {"parts": {"holdout": {"rows": 400, "rarest": 49}}},
            "49",
        ),
    ],
)
def test_bad_facts_fail_and_say_why(name, key, values, told) -> None:
    result = judged(name, changed(key, **values))
    assert result.verdict == "fail"
    assert told in result.summary


def test_thresholds_are_params() -> None:
    assert judged("rows_enough", GOOD, min_per_class=301).verdict == "fail"
    assert judged("events_enough", GOOD, threshold=61).verdict == "fail"
    assert judged("owners_named", {"run": {"seats": ["BA"]}}, personas=["BA"]).verdict == "pass"


def test_steps_and_items_may_have_other_names() -> None:
    facts: Facts = {"data.hold": VALID, "item.data.sign": {"signed": True}, "data.seal": SEALED}
    assert judged("schema_holds", facts, step="data.hold").verdict == "pass"
    assert judged("contract_signed", facts, step="data.seal", item="data.sign").verdict == "pass"


def test_an_accepted_worry_does_not_block() -> None:
    facts = changed("explore.worries", findings=[{"worry": "W1", "severity": "blocker"}])
    assert judged("no_open_blocker", facts, accept=["W1"]).verdict == "pass"


def test_freshness_without_a_limit_passes_and_without_an_age_cannot_tell() -> None:
    free = changed("source.validate", freshness={"newest": "2024", "max_age_days": None})
    assert judged("fresh_enough", free).verdict == "pass"
    unknown = changed("source.validate", freshness={"newest": "2024", "max_age_days": 7})
    assert judged("fresh_enough", unknown).verdict == "insufficient"


def test_a_result_carries_its_number_and_threshold() -> None:
    result = judged("leakage_clean", GOOD)
    assert (result.value, result.threshold, result.comparison) == (0.64, 0.95, "<=")
    assert judged("baseline_recorded", GOOD).low == 0.2
