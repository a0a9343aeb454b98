"""The ML Test Score and the worries: what earns a point, half of one, or none."""

from collections import Counter

import pytest

from pipelines.checks.worries.catalogue import WORRIES
from pipelines.readiness import catalogue
from pipelines.readiness.evidence import Evidence, Judged
from pipelines.readiness.scoring import RULES, score
from pipelines.readiness.worries import worries


def judged(*names: str, verdict: str = "pass", decided: bool = False) -> dict[str, Judged]:
    return {name: Judged(name, verdict, f"{name} said so", "gate", 7, decided) for name in names}


def points(evidence: Evidence) -> dict[str, float]:
    return {result.test.id: result.finding.points for result in score(evidence).tests}


ALL_CHECKS = (
    "contract_signed",
    "schema_holds",
    "features_beneficial",
    "availability_declared",
    "features_available",
    "pii_resolved",
    "feature_tests",
    "search_logged",
    "three_families",
    "beats_baseline",
    "slices_hold",
    "reproducible",
    "loads_in_clean_environment",
    "golden_rows_equal",
    "target_met",
    "champion_beaten",
    "canary_enough",
    "canary_agrees",
    "rollback_ready",
    "environment_locked",
    "schema_matches_serving",
    "bad_input_refused",
    "latency_within_slo",
    "quality_holds",
)
STATED = {
    "rights": "public domain",
    "retention": "ten years",
    "ethics": "people decide",
    "kpi_now": 12.0,
    "comment": "better",
    "understood": True,
}
FACTS = {
    "item.a.b": STATED,
    "features.build": {
        "columns_used": 2,
        "unmapped": [],
        "columns": [
            {"column": "a", "per_1000_rows_seconds": 0.001},
            {"column": "b", "per_1000_rows_seconds": 0.002},
        ],
    },
    "tune.search": {
        "converged": True,
        "family": "boosting",
        "tunables_searched": ["learning_rate", "max_iter"],
        "border_hits": ["max_iter"],
    },
    "evaluate.explain": {"worst_errors": 50, "importance": []},
    "deploy.canary": {"unscored": 0, "failed": 0, "n": 1000, "mode": "canary"},
    "deploy.smoke": {"skew_rows": 0, "rows": 300},
    "monitor.drift": {"alert_list": [], "columns": [], "alerts": 2},
}
EVERYTHING = Evidence(
    facts=FACTS,
    checks=judged(*ALL_CHECKS),
    run=1,
    blueprint="plan v1",
    reviewers=("Sofia", "Amara"),
    review=9,
    feature_change=600.0,
    live="version 1",
    releases=1,
    labels=100,
    model="late-flights",
)


def test_the_catalogue_has_28_tests_and_26_worries() -> None:
    assert Counter(test.section for test in catalogue.TESTS) == dict.fromkeys(catalogue.SECTIONS, 7)
    assert [worry.id for worry in WORRIES] == [f"W{n}" for n in range(1, 27)]
    assert set(RULES) == set(catalogue.BY_ID)
    assert all(test.earns.endswith(".") for test in catalogue.TESTS)


def test_without_evidence_nothing_is_earned_and_everything_says_what_would() -> None:
    found = score(Evidence())
    assert found.score == 0
    assert found.band.startswith("a research project")
    assert all(result.finding.points == 0 and result.next for result in found.tests)
    assert all(one.level == "not looked at" for one in worries(Evidence()))


def test_the_weakest_section_is_the_score() -> None:
    found = score(EVERYTHING)
    by_key = {section.key: section.points for section in found.sections}
    assert by_key == {"data": 6.5, "model": 5.0, "infra": 6.0, "monitor": 6.5}
    assert found.score == 5.0
    assert found.easiest is not None
    assert found.easiest.test.section == "model"


def test_what_is_only_stated_earns_half() -> None:
    halves = {test for test, earned in points(EVERYTHING).items() if earned == 0.5}
    assert halves == {"Data3", "Model2", "Model7", "Infra2", "Infra7", "Mon4"}


def test_a_real_rollback_earns_the_point_of_the_drill() -> None:
    evidence = Evidence(checks=judged("rollback_ready"))
    assert points(evidence)["Infra7"] == 0.5
    rolled = Evidence(checks=judged("rollback_ready"), rolled_back="v2, 2026-01-01")
    assert points(rolled)["Infra7"] == 1.0


@pytest.mark.parametrize(
    ("verdict", "decided", "earned"),
    [("pass", False, 1.0), ("fail", False, 0.0), ("fail", True, 0.5), ("insufficient", True, 0.5)],
)
def test_a_red_check_earns_half_once_people_weighed_it(
    verdict: str, decided: bool, earned: float
) -> None:
    checks = judged("slices_hold", verdict=verdict, decided=decided)
    found = {r.test.id: r for r in score(Evidence(checks=checks)).tests}["Model6"]
    assert found.finding.points == earned
    assert (found.finding.noun, found.finding.pk) == ("gate", 7)
    assert ("Weighed and approved" in found.finding.text) == (decided and earned == 0.5)


def test_one_of_two_checks_is_not_enough() -> None:
    found = score(Evidence(checks=judged("canary_enough"))).tests
    canary = next(result for result in found if result.test.id == "Infra6")
    assert canary.finding.points == 0
    assert "canary agrees" in canary.finding.text


def test_skew_and_lost_answers_cost_the_point() -> None:
    facts = {**FACTS, "deploy.smoke": {"skew_rows": 3, "rows": 300}}
    facts["deploy.canary"] = {"unscored": 1, "failed": 0, "n": 1000, "mode": "canary"}
    found = points(Evidence(facts=facts))
    assert (found["Mon3"], found["Mon5"]) == (0.0, 0.0)


def test_privacy_without_a_retention_is_half() -> None:
    assert points(Evidence(checks=judged("pii_resolved")))["Data5"] == 0.5


@pytest.mark.parametrize(
    ("points", "text"),
    [(0.0, "a research"), (0.5, "not totally"), (1.0, "not totally"), (1.5, "a first pass"),
     (3.0, "reasonably"), (4.0, "strong"), (6.0, "exceptional")],
)  # fmt: skip
def test_bands_include_their_upper_bound(points: float, text: str) -> None:
    assert catalogue.band(points).startswith(text)


def test_worries_say_what_was_found() -> None:
    built = {"columns": [{"column": "a", "role": "number", "transformer": "numbers"}]}
    facts = {
        **FACTS,
        "features.build": FACTS["features.build"] | built,
        "explore.worries": {
            "worries": {"W1": "clear", "W4": "warn"},
            "findings": [{"worry": "W4", "message": "'tailnum' has 3,960 values"}],
        },
    }
    found = {one.worry.id: one for one in worries(Evidence(facts=facts, checks=EVERYTHING.checks))}
    assert (found["W1"].level, found["W4"].level) == ("clear", "warn")
    assert "tailnum" in found["W4"].text
    assert found["W16"].level == "clear"
    assert found["W18"].level == "warn"  # the best value lies on the border
    assert found["W19"].level == "note"  # the chosen family has leaves, and they were not searched
    assert found["W20"].level == "does not apply"
    assert found["W9"].level == "clear"
    assert found["W26"].level == "clear"


@pytest.mark.parametrize(("days", "said"), [(240.5, "Half-life 240.5 days"), (None, "No decay")])
def test_a_measured_curve_earns_its_point_and_the_age_of_what_is_live_half(days, said) -> None:
    facts = {"evaluate.age": {"aged": True, "half_life_days": days, "oldest_days": 150.0}}
    found = {r.test.id: r.finding for r in score(Evidence(facts=facts, live="version 1")).tests}
    assert found["Model4"].points == 1
    assert said in found["Model4"].text
    assert found["Mon4"].points == 0.5


def test_groups_that_could_not_be_compared_leave_the_statement() -> None:
    stated = {"item.a.b": {"ethics": "people decide"}}
    none = Evidence(facts=stated, checks=judged("selection_rates_equal", verdict="insufficient"))
    assert points(none)["Model7"] == 0.5
    flagged = Evidence(facts=stated, checks=judged("selection_rates_equal", verdict="fail"))
    assert points(flagged)["Model7"] == 0
    assert points(Evidence(facts=stated, checks=judged("selection_rates_equal")))["Model7"] == 1
