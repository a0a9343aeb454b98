"""The ML Test Score: what earns a point, half of one, or none, test by test; and the worries."""

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from scipy.stats import spearmanr

from pipelines.checks.worries.catalogue import WORRIES
from pipelines.readiness import catalogue, testdefs
from pipelines.readiness.advice import advice, after
from pipelines.readiness.correlation import CRITICAL, critical, spearman
from pipelines.readiness.evidence import (
    Attested,
    Computed,
    Evidence,
    Judged,
    Living,
    Release,
    Source,
)
from pipelines.readiness.rules import RULES
from pipelines.readiness.scoring import score
from pipelines.readiness.worries import worries

NOW = datetime(2031, 5, 5, tzinfo=UTC)
DAY = timedelta(days=1)


def judged(*names: str, verdict: str = "pass", decided: bool = False) -> dict[str, Judged]:
    return {name: Judged(name, verdict, f"{name} said so", "gate", 7, decided) for name in names}


def points(evidence: Evidence) -> dict[str, float]:
    return {result.test.id: result.finding.points for result in score(evidence).tests}


def signed(persona: str, statement: str = "I looked at it") -> Attested:
    return Attested(1, persona, "Somebody", statement, NOW, NOW + DAY)


def times(count: int, *operations: str) -> dict[str, Computed]:
    return {name: Computed(count, 0, NOW) for name in operations}


OPERATIONS = sorted({name for test in testdefs.TESTS for name in test.repeats} | {"stress_model"})
ALL_CHECKS = (
    "contract_signed", "schema_holds", "features_beneficial", "availability_declared",
    "features_available", "pii_resolved", "feature_tests", "search_logged", "three_families",
    "beats_baseline", "slices_hold", "selection_rates_equal", "error_rates_equal",
    "reproducible",
    "loads_in_clean_environment", "golden_rows_equal", "target_met", "champion_beaten",
    "canary_enough", "canary_agrees", "rollback_ready", "environment_locked",
    "schema_matches_serving", "bad_input_refused", "latency_within_slo", "numerically_stable",
    "quality_holds",
)  # fmt: skip
STATED = {"rights": "public domain", "retention": "ten years", "understood": True}
BRIEF = {"metric": "roc_auc", "kpi_now": 10.0, "kpi_target": 20.0}
PACKAGES = {"environment": {"packages": {"numpy": "2.4"}}}
COLUMNS = {"roles": {}, "columns": [{"name": "a", "type": "int"}]}
SPEED = {"p95_seconds": 0.01, "memory_mib": 100, "skew_rows": 0, "rows": 300}
FACTS: dict[str, dict[str, Any]] = {
    "item.frame.brief": BRIEF,
    "item.source.contract": STATED,
    "source.propose": COLUMNS,
    "explore.split": {"parts": {"train": {"last": "2031-01-01T00:00:00"}}},
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
        "search_seconds": 10.0,
        "tried": 10,
    },
    "evaluate.explain": {
        "worst_errors": 50,
        "metric": "roc_auc",
        "importance": [{"column": "a", "value": 0.1}, {"column": "b", "value": 0.001}],
    },
    "evaluate.rows": {"examples": [{"row": 1}, {"row": 2}], "orders": 8},
    "evaluate.age": {"aged": True, "half_life_days": 240.5, "oldest_days": 150.0},
    "operationalise.retrain": PACKAGES,
    "deploy.smoke": SPEED,
    "serve.traffic": {"unscored": 0, "failed": 0, "n": 1000, "mode": "live"},
}
RELEASES = tuple(Release(n, 0.6 + n / 100, 10.0 + n) for n in range(1, 6))
LIVE = Living("version 2", NOW - 100 * DAY, NOW, True, ("version 1, 2031-04-01 10:00",))
EVERYTHING = Evidence(
    facts=FACTS,
    checks=judged(*ALL_CHECKS),
    run=1,
    blueprint="plan v1",
    reviewers=("Sofia", "Amara"),
    review=9,
    lead_times=(600.0, 1200.0),
    releases=RELEASES,
    live=LIVE,
    labels=100,
    model="late-flights",
    computed=times(2, *OPERATIONS),
    previous={
        "retrain_clean": PACKAGES,
        "infer_contract": COLUMNS,
        "load_test": SPEED,
        "search_candidate": {"search_seconds": 10.0, "tried": 10},
    },
    previous_name="version 1",
    attested={"Data3": (signed("DE", "nothing is paid for them"),)},
)
# Infra2 never earns more than half: no step tests the training code.
NEVER_FULL = {"Infra2"}


def with_facts(**changes: Any) -> Evidence:
    """Everything, but for what one step says."""
    facts = dict(FACTS)
    for place, said in changes.items():
        where = place.replace("__", ".")
        if said is None:
            facts.pop(where)
        else:
            facts[where] = {**facts.get(where, {}), **said}
    return replace(EVERYTHING, facts=facts)


def without(*names: str, **change: Any) -> Evidence:
    """Everything, but for these checks."""
    checks = {name: one for name, one in EVERYTHING.checks.items() if name not in names}
    return replace(EVERYTHING, checks={**checks, **change.pop("checks", {})}, **change)


def failing(name: str) -> Evidence:
    return without(checks=judged(name, verdict="fail"))


def test_the_catalogue_has_28_tests_and_26_worries() -> None:
    tests = testdefs.TESTS
    assert Counter(test.section for test in tests) == dict.fromkeys(catalogue.SECTIONS, 7)
    assert [worry.id for worry in WORRIES] == [f"W{n}" for n in range(1, 27)]
    assert set(RULES) == set(testdefs.BY_ID)
    assert all(test.earns.endswith(".") for test in tests)
    assert all(bool(test.signers) == bool(test.signs) for test in tests)


def test_without_evidence_nothing_is_earned_and_everything_says_what_would() -> None:
    found = score(Evidence())
    assert found.score == 0
    assert found.band.startswith("a research project")
    assert all(result.finding.points == 0 and result.next for result in found.tests)
    assert all(one.level == "not looked at" for one in worries(Evidence()))


def test_everything_computed_twice_earns_all_but_what_no_step_computes() -> None:
    lacking = {test for test, earned in points(EVERYTHING).items() if earned < 1}
    assert lacking == NEVER_FULL
    assert score(EVERYTHING).score == 6.5


# Of each test what takes its point away, and what is left of it then.
RED = [
    ("Data1", failing("schema_holds"), 0.0),
    ("Data2", failing("features_beneficial"), 0.0),
    ("Data3", replace(with_facts(features__build=None), attested={}), 0.0),
    ("Data3", replace(EVERYTHING, attested={}), 0.5),
    ("Data4", failing("features_available"), 0.0),
    ("Data4", with_facts(item__source__contract=None), 1.0),
    ("Data4", with_facts(item__source__contract={"rights": ""}), 0.5),
    ("Data5", failing("pii_resolved"), 0.0),
    ("Data5", with_facts(item__source__contract={"retention": ""}), 0.5),
    ("Data6", replace(EVERYTHING, lead_times=()), 0.0),
    ("Data6", replace(EVERYTHING, lead_times=(60.0,)), 0.5),
    ("Data6", replace(EVERYTHING, lead_times=(60.0, 99 * 86_400.0, 99 * 86_400.0)), 0.0),
    ("Data7", failing("feature_tests"), 0.0),
    ("Model1", replace(EVERYTHING, reviewers=()), 0.5),
    ("Model1", replace(EVERYTHING, blueprint=""), 0.0),
    ("Model2", replace(EVERYTHING, releases=()), 0.0),
    ("Model2", replace(EVERYTHING, releases=RELEASES[:4]), 0.5),
    ("Model3", failing("search_logged"), 0.0),
    ("Model4", with_facts(evaluate__age=None), 0.0),
    ("Model4", with_facts(evaluate__age={"aged": False}), 0.0),
    ("Model5", failing("three_families"), 0.0),
    ("Model6", failing("slices_hold"), 0.0),
    ("Model7", failing("selection_rates_equal"), 0.0),
    ("Model7", failing("error_rates_equal"), 0.0),
    ("Infra1", failing("reproducible"), 0.0),
    ("Infra2", with_facts(tune__search={"converged": False}), 0.0),
    ("Infra2", with_facts(tune__search=None), 0.0),
    ("Infra3", failing("golden_rows_equal"), 0.0),
    ("Infra4", failing("champion_beaten"), 0.0),
    ("Infra5", with_facts(evaluate__rows=None, evaluate__explain=None), 0.0),
    ("Infra6", failing("canary_agrees"), 0.0),
    ("Infra7", replace(failing("rollback_ready"), live=replace(LIVE, rollbacks=())), 0.0),
    ("Infra7", replace(EVERYTHING, live=replace(LIVE, rollbacks=())), 0.5),
    ("Infra7", without("rollback_ready"), 0.5),
    ("Mon1", failing("environment_locked"), 0.0),
    ("Mon1", replace(EVERYTHING, previous={}), 0.5),
    ("Mon2", failing("schema_matches_serving"), 0.0),
    ("Mon2", replace(EVERYTHING, live=Living()), 0.5),
    ("Mon3", with_facts(deploy__smoke={"skew_rows": 3}), 0.0),
    ("Mon3", with_facts(deploy__smoke=None), 0.0),
    ("Mon4", replace(EVERYTHING, live=replace(LIVE, learned_until=NOW - 241 * DAY)), 0.0),
    ("Mon4", replace(EVERYTHING, live=Living()), 0.0),
    ("Mon4", with_facts(evaluate__age=None), 0.5),
    ("Mon5", with_facts(serve__traffic={"unscored": 1}), 0.0),
    ("Mon5", failing("numerically_stable"), 0.0),
    ("Mon5", without("numerically_stable"), 0.5),
    ("Mon5", with_facts(serve__traffic=None), 0.5),
    ("Mon6", failing("latency_within_slo"), 0.0),
    ("Mon6", with_facts(deploy__smoke={"p95_seconds": 0.016}), 0.0),
    ("Mon6", with_facts(deploy__smoke={"memory_mib": 126}), 0.0),
    ("Mon6", with_facts(tune__search={"search_seconds": 16.0}), 0.0),
    ("Mon6", replace(EVERYTHING, previous={}), 0.5),
    ("Mon7", failing("quality_holds"), 0.0),
    ("Mon7", without("quality_holds"), 0.5),
    ("Mon7", without("quality_holds", labels=0), 0.0),
]


@pytest.mark.parametrize(("test", "evidence", "earned"), [r for r in RED if r[2] < 1])
def test_each_test_can_fail(test: str, evidence: Evidence, earned: float) -> None:
    assert points(EVERYTHING)[test] > earned or test in NEVER_FULL
    assert points(evidence)[test] == earned


def test_every_test_is_among_those_that_can_fail() -> None:
    assert {test for test, _, earned in RED if earned == 0} == set(testdefs.BY_ID)


@pytest.mark.parametrize("test", [test.id for test in testdefs.TESTS if test.repeats], ids=str)
def test_what_was_computed_once_or_came_from_the_cache_counts_half(test: str) -> None:
    once = points(replace(EVERYTHING, computed=times(1, *OPERATIONS)))
    cached = {name: Computed(1, 5, NOW) for name in OPERATIONS}
    assert once[test] == 0.5 or test == "Mon2"
    assert points(replace(EVERYTHING, computed=cached))[test] == once[test]


def test_what_happens_at_every_use_needs_no_second_time() -> None:
    once = points(replace(EVERYTHING, computed=times(1, *OPERATIONS)))
    assert (once["Model1"], once["Mon2"], once["Mon4"]) == (1, 1, 1)


def test_a_measured_drill_counts_whole_when_repeated_and_a_red_one_not_at_all() -> None:
    names = ("rollback_ready", "rollback_drilled")
    once = Evidence(checks=judged(*names), computed=times(1, "read_drill"))
    assert points(once)["Infra7"] == 0.5
    assert points(replace(once, computed=times(2, "read_drill")))["Infra7"] == 1.0
    red = {**judged(*names), **judged("rollback_drilled", verdict="fail")}
    assert points(replace(once, checks=red))["Infra7"] == 0.0


@pytest.mark.parametrize(
    ("verdict", "decided", "earned"),
    [("pass", False, 1.0), ("fail", False, 0.0), ("fail", True, 0.5), ("insufficient", True, 0.5)],
)
def test_a_red_check_earns_half_once_people_weighed_it(
    verdict: str, decided: bool, earned: float
) -> None:
    evidence = without(checks=judged("slices_hold", verdict=verdict, decided=decided))
    found = {r.test.id: r for r in score(evidence).tests}["Model6"]
    assert found.finding.points == earned
    assert (found.finding.noun, found.finding.pk) == ("gate", 7)
    assert ("Weighed and approved" in found.finding.text) == (decided and earned == 0.5)


def test_one_of_two_checks_is_not_enough() -> None:
    found = score(Evidence(checks=judged("canary_enough"))).tests
    canary = next(result for result in found if result.test.id == "Infra6")
    assert canary.finding.points == 0
    assert "canary agrees" in canary.finding.text


def test_other_kinds_of_use_cases_have_other_checks() -> None:
    checks = judged("clusterings_compared", "clusters_beat_chance", "assignments_hold")
    evidence = Evidence(checks=checks, computed=times(2, "select_clusters", "assign_clusters"))
    found = points(evidence)
    assert (found["Model3"], found["Model5"], found["Infra1"]) == (1, 1, 1)


def test_a_detectors_evidence_is_read_too() -> None:
    facts = {
        "evaluate.judge": {"cases": [{"case": "a"}], "case_names": ["a"], "importance": [{}]},
        "operationalise.retrain": PACKAGES,
        "source.propose": COLUMNS,
    }
    evidence = Evidence(
        facts=facts,
        checks=judged("environment_locked", "injected_recall", "detector_not_worse"),
        computed=times(2, "judge_anomalies", "refit_anomalies", "compare_champion"),
        previous={"refit_anomalies": PACKAGES, "infer_contract": COLUMNS},
        previous_name="version 1",
    )
    found = points(evidence)
    assert (found["Infra4"], found["Infra5"], found["Mon1"], found["Model6"]) == (1, 1, 1, 1)


# --- Statements ------------------------------------------------------------


def test_a_statement_of_all_who_are_asked_earns_half() -> None:
    assert points(Evidence(attested={"Data4": (signed("DE"),)}))["Data4"] == 0
    both = Evidence(attested={"Data4": (signed("DE"), signed("BA"))})
    assert points(both)["Data4"] == 0.5
    found = {r.test.id: r.finding for r in score(both).tests}["Data4"]
    assert found.basis == "attested"
    assert "Somebody (DE) signed: I looked at it" in found.text


def test_a_statement_does_not_outweigh_what_was_computed() -> None:
    said = {"Data7": (signed("SWE"),)}
    assert points(Evidence(attested=said))["Data7"] == 0.5
    red = Evidence(attested=said, checks=judged("feature_tests", verdict="fail"))
    assert points(red)["Data7"] == 0
    full = replace(EVERYTHING, attested={**EVERYTHING.attested, **said})
    assert points(full)["Data7"] == 1
    few = Evidence(attested=said, checks=judged("feature_tests", verdict="insufficient"))
    assert points(few)["Data7"] == 0.5


def test_each_tests_statement_is_worth_half_where_somebody_may_sign() -> None:
    for test in testdefs.TESTS:
        said = Evidence(attested={test.id: tuple(signed(code) for code in test.signers)})
        assert points(said)[test.id] == (0.5 if test.signers else 0), test.id


@pytest.mark.parametrize(("tier", "days"), [(1, 90), (2, 180), (3, 365), (9, 180)])
def test_a_statement_holds_for_less_where_more_is_at_stake(tier: int, days: int) -> None:
    assert testdefs.days_of(testdefs.BY_ID["Data1"], tier) == days
    assert testdefs.days_of(testdefs.BY_ID["Infra7"], tier) == min(days, 90)


# --- Single rules ------------------------------------------------------------


@pytest.mark.parametrize(("days", "said"), [(240.5, "Half-life 240.5 days"), (None, "No decay")])
def test_a_measured_curve_earns_its_point(days: float | None, said: str) -> None:
    found = {
        r.test.id: r.finding
        for r in score(with_facts(evaluate__age={"half_life_days": days})).tests
    }
    assert found["Model4"].points == 1
    assert said in found["Model4"].text
    assert found["Mon4"].points == 1  # 100 days old; nothing decays within the 150 that were tried


def test_nothing_is_known_beyond_what_was_tried() -> None:
    evidence = with_facts(evaluate__age={"half_life_days": None, "oldest_days": 99.0})
    assert points(evidence)["Mon4"] == 0.5


def test_groups_that_could_not_be_compared_leave_the_statement() -> None:
    stated = {"item.a.b": {"ethics": "people decide"}}
    none = Evidence(facts=stated, checks=judged("selection_rates_equal", verdict="insufficient"))
    assert points(none)["Model7"] == 0.5
    flagged = Evidence(facts=stated, checks=judged("selection_rates_equal", verdict="fail"))
    assert points(flagged)["Model7"] == 0


def test_fairness_of_numbers_counts_and_either_of_a_pair_is_enough_to_fail() -> None:
    pair = ("group_bias_equal", "group_errors_equal")
    rest = {k: v for k, v in EVERYTHING.checks.items() if not k.endswith("rates_equal")}
    assert points(replace(EVERYTHING, checks=rest | judged(*pair)))["Model7"] == 1
    for one, other in (pair, pair[::-1]):
        half = rest | judged(one)
        assert points(replace(EVERYTHING, checks=half))["Model7"] == 0
        red = half | judged(other, verdict="fail")
        assert points(replace(EVERYTHING, checks=red))["Model7"] == 0
    stated = {"item.a.b": {"ethics": "people decide"}}
    open_ = judged(pair[0]) | judged(pair[1], verdict="insufficient")
    assert points(Evidence(facts=stated, checks=open_))["Model7"] == 0.5


def test_what_changed_since_the_last_release_is_named() -> None:
    evidence = with_facts(
        operationalise__retrain={"environment": {"packages": {"numpy": "2.5"}}},
        source__propose={"columns": [{"name": "a", "type": "text"}]},
    )
    found = {r.test.id: r.finding for r in score(evidence).tests}["Mon1"]
    assert "numpy 2.4 → 2.5" in found.text
    assert "a int → text" in found.text
    assert found.points == 1  # to be told of a change is what is asked


def test_the_latest_window_of_a_watch_counts() -> None:
    facts = {"enough": True, "value": 0.5, "control_limit": 0.6, "labelled": 900, "metric": "auc"}
    source = Source("step", 3, "watch 4", NOW, 12)
    found = {
        r.test.id: r.finding
        for r in score(replace(EVERYTHING, watched={"measure_quality": (facts, source)})).tests
    }["Mon7"]
    assert (found.points, found.noun, found.pk) == (0.0, "run", 12)
    assert "Seen by watch 4" in found.text
    few = replace(EVERYTHING, watched={"measure_quality": ({"enough": False}, source)})
    assert points(few)["Mon7"] == 1  # the run's own window speaks


def test_a_detectors_watch_counts_alerts() -> None:
    facts = {"enough": True, "alerts_per_day": {"value": 30.0}, "over_capacity": True}
    source = Source("step", 3, "watch 4", NOW, 12)
    assert points(Evidence(watched={"measure_alerts": (facts, source)}))["Mon7"] == 0
    fine = {**facts, "over_capacity": False}
    counted = Evidence(
        watched={"measure_alerts": (fine, source)}, computed=times(2, "measure_alerts")
    )
    assert points(counted)["Mon7"] == 1


@pytest.mark.parametrize(
    ("test", "check"),
    [
        ("Mon1", "environment_locked"),
        ("Mon2", "schema_matches_serving"),
        ("Mon5", "numerically_stable"),
        ("Mon6", "latency_within_slo"),
        ("Data4", "features_available"),
    ],
)
def test_what_was_weighed_is_never_full(test: str, check: str) -> None:
    weighed = without(checks=judged(check, verdict="fail", decided=True))
    found = {r.test.id: r.finding for r in score(weighed).tests}[test]
    assert (found.points, found.basis) == (0.5, "red, weighed by people")


def test_the_feature_that_is_least_worth_its_time_is_named() -> None:
    found = {r.test.id: r.finding for r in score(EVERYTHING).tests}["Data3"]
    assert "Least worth its time: b, +0.0005 roc_auc per ms" in found.text
    assert "nothing is paid for them" in found.text


@pytest.mark.parametrize(
    ("kpis", "metric", "target", "earned"),
    [
        ([1, 2, 3, 4, 5], "roc_auc", 20, 1.0),
        ([5, 4, 3, 2, 1], "roc_auc", 20, 0.0),
        ([5, 4, 3, 2, 1], "roc_auc", 5, 1.0),  # a KPI that should fall
        ([5, 4, 3, 2, 1], "log_loss", 20, 1.0),  # a metric that should fall
        ([1, 3, 2, 5, 4], "roc_auc", 20, 0.5),  # 0.8: chance reaches 0.9
        ([2, 2, 2, 2, 2], "roc_auc", 20, 0.5),  # nothing can be told
    ],
)
def test_metric_and_kpi_have_to_go_together(
    kpis: list[float], metric: str, target: float, earned: float
) -> None:
    releases = tuple(Release(n, n / 10, kpi) for n, kpi in enumerate(kpis))
    evidence = with_facts(item__frame__brief={"metric": metric, "kpi_target": target})
    assert points(replace(evidence, releases=releases))["Model2"] == earned


@pytest.mark.parametrize("values", [([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]),
                                    ([1, 1, 2, 3, 3], [0.5, 2, 2, 2, 7])])  # fmt: skip
def test_spearman_is_scipys(values: tuple[list[float], list[float]]) -> None:
    found = spearman(*values)
    assert found == pytest.approx(spearmanr(*values).statistic, abs=1e-12)


@pytest.mark.parametrize("count", [5, 6, 7])
def test_critical_values_are_those_of_all_permutations(count: int) -> None:
    base = list(range(count))
    all_of_them = [spearman(base, list(order)) or 0.0 for order in itertools.permutations(base)]
    beyond = sum(one >= CRITICAL[count] - 0.0005 for one in all_of_them) / len(all_of_them)
    less = sum(one >= CRITICAL[count] - 0.11 for one in all_of_them) / len(all_of_them)
    assert beyond <= 0.05 < less
    assert critical(12) == pytest.approx(0.496, abs=0.01)


# --- The score ------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "text"),
    [(0.0, "a research"), (0.5, "not totally"), (1.0, "not totally"), (1.5, "a first pass"),
     (3.0, "reasonably"), (4.0, "strong"), (6.0, "exceptional")],
)  # fmt: skip
def test_bands_include_their_upper_bound(points: float, text: str) -> None:
    assert catalogue.band(points).startswith(text)


def test_the_next_test_is_in_the_weakest_section_and_needs_least() -> None:
    # One test of the weakest section lacks a second time, another was never done.
    computed = times(2, *OPERATIONS) | times(1, "explain_model")
    found = score(replace(with_facts(features__build=None), computed=computed, attested={}))
    weakest = min(found.sections, key=lambda section: section.points)
    best = advice(found)
    assert [one.result.test.section for one in best] == [weakest.key]
    assert (best[0].kind, best[0].gain) == ("compute it again", 0.5)
    assert after(found, best) == found.score + 0.5


def test_equally_weak_sections_need_one_test_each() -> None:
    found = score(Evidence())
    best = advice(found)
    assert [one.result.test.section for one in best] == list(catalogue.SECTIONS)
    assert after(found, best) == 1.0
    assert best[0].signers == ("DE",)


def test_nothing_is_advised_where_nothing_lacks() -> None:
    found = score(EVERYTHING)
    assert [one.result.test.id for one in advice(found)] == ["Infra2"]


# --- The worries ------------------------------------------------------------


def test_worries_say_what_was_found() -> None:
    built = {"columns": [{"column": "a", "role": "number", "transformer": "numbers"}]}
    facts: Mapping[str, Mapping[str, Any]] = {
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


def test_a_brought_model_earns_nothing_for_what_nobody_here_saw() -> None:
    facts = {"tune.admit": {"not_computed": [{}]}, "tune.dummy": {"converged": True, "family": "x"}}
    found = {r.test.id: r.finding for r in score(Evidence(facts=facts)).tests}
    assert found["Model3"].text == "Not computed: trained elsewhere (search logged)."
    assert found["Infra2"].points == 0
    assert "trained elsewhere" in found["Infra2"].text
