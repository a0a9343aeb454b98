"""Checks of segments: pass, fail and insufficient, with what people read."""

from typing import Any

import pytest

from pipelines.catalogue import CHECKS, check
from pipelines.checks import clusters, unlabelled

MINE = [name for name, path in CHECKS.items() if path.split(".")[2] in ("clusters", "unlabelled")]
HELD = {"value": 0.9, "low": 0.8, "high": 1.0, "resamples": 20}


def judged(**changes: Any) -> dict[str, dict[str, Any]]:
    found: dict[str, Any] = {
        "groups": 3,
        "stability": HELD,
        "chance": {"p_value": 0.05, "silhouette": 0.5, "shuffled_most": 0.2, "shuffles": 19},
        "smallest": 30,
        "smallest_share": 0.1,
        "unsure_share": 0.1,
        "unsure_below": 0.6,
        "segment_names": ["outside", "segment 1", "segment 2"],
        "segments": [{"name": "segment 1", "rows": 30, "share": 0.1, "sentence": "longer"}],
        "holdout": {"psi": 0.02, "level": "quiet", "psi_limit": 0.05, "shares": []},
    }
    return {"evaluate.judge": found | changes}


def assigned(**changes: Any) -> dict[str, dict[str, Any]]:
    found = {"order_changes": 0, "alone_changes": 0, "retrained_rand": 1.0, "repeated_keys": 0}
    return {"operationalise.assign": found | changes | {"rows": 100}}


@pytest.mark.parametrize("name", MINE)
def test_without_facts_every_check_says_insufficient(name: str) -> None:
    for facts in ({}, {"run": {}}, {"evaluate.judge": {}, "tune.select": {}, "monitor.shares": {}}):
        assert check(name)(facts, {}).verdict == "insufficient"


@pytest.mark.parametrize(
    ("value", "threshold", "verdict", "word"),
    [
        (0.9, 0.6, "pass", "stable"),
        (0.7, 0.6, "pass", "fairly stable"),
        (0.7, 0.8, "fail", "fairly stable"),
        (0.59, 0.6, "fail", "not stable"),
    ],
)
def test_stability_is_judged_by_its_mean(
    value: float, threshold: float, verdict: str, word: str
) -> None:
    facts = judged(stability=HELD | {"value": value})
    found = clusters.clusters_stable(facts, {"threshold": threshold})
    assert (found.verdict, found.value) == (verdict, value)
    assert found.summary.startswith(f"{word}:")


def test_one_group_is_no_segmentation() -> None:
    facts = judged(groups=1, stability={"value": None, "resamples": 0})
    assert clusters.clusters_found(facts, {}).verdict == "fail"
    assert "one group only" in clusters.clusters_stable(facts, {}).summary
    assert clusters.clusters_found(judged(), {"most": 2}).verdict == "fail"
    assert clusters.clusters_found(judged(), {"fewest": 2, "most": 8}).verdict == "pass"


def test_groups_that_shuffled_tables_show_as_well_are_red() -> None:
    assert clusters.clusters_beat_chance(judged(), {}).verdict == "pass"
    chance = {"p_value": 0.3, "silhouette": 0.2, "shuffled_most": 0.3, "shuffles": 19}
    assert clusters.clusters_beat_chance(judged(chance=chance), {}).verdict == "fail"


def test_small_groups_and_unsure_rows() -> None:
    assert clusters.smallest_cluster(judged(), {"threshold": 0.1}).verdict == "pass"
    assert clusters.smallest_cluster(judged(), {"threshold": 0.2}).verdict == "fail"
    assert clusters.membership_clear(judged(unsure_share=0.3), {}).verdict == "fail"
    assert clusters.membership_clear(judged(), {}).verdict == "pass"


def test_every_segment_needs_a_name() -> None:
    facts = judged() | {"item.evaluate.names": {"names": {"segment 1": "Long boats"}}}
    found = clusters.segments_named(facts, {})
    assert (found.verdict, found.summary) == ("fail", "without a name: segment 2")
    facts["item.evaluate.names"]["names"]["segment 2"] = "Short boats"
    assert clusters.segments_named(facts, {}).verdict == "pass"


@pytest.mark.parametrize(
    ("changes", "verdict", "told"),
    [
        ({}, "pass", "each once"),
        ({"order_changes": 2}, "fail", "2 rows change with the order"),
        ({"alone_changes": 1}, "fail", "when they are alone"),
        ({"repeated_keys": 3}, "fail", "3 keys are repeated"),
        ({"retrained_rand": 0.9}, "fail", "retraining agrees by 0.900"),
        ({"retrained_rand": None}, "pass", "each once"),
    ],
)
def test_assignments_hold(changes: dict[str, Any], verdict: str, told: str) -> None:
    found = clusters.assignments_hold(assigned(**changes), {})
    assert found.verdict == verdict
    assert told in found.summary


def test_shares_are_judged_by_the_larger_of_floor_and_limit() -> None:
    facts = judged(holdout={"psi": 0.12, "level": "quiet", "psi_limit": 0.15})
    assert clusters.clusters_hold_on_other_rows(facts, {}).verdict == "pass"
    facts = {"monitor.shares": {"psi": 0.12, "level": "amber", "psi_limit": 0.05}}
    assert clusters.shares_hold(facts, {}).verdict == "fail"
    facts = {"monitor.shares": {"psi": None, "minimum_rows": 200}}
    assert clusters.shares_hold(facts, {}).verdict == "insufficient"


def test_rows_families_package_and_card() -> None:
    validated = {"source.validate": {"rows": 199}}
    assert unlabelled.rows_to_learn(validated, {}).verdict == "fail"
    facts: dict[str, dict[str, Any]] = {
        "tune.select": {"families": ["kmeans", "mixture"], "tried": 9}
    }
    assert clusters.clusterings_compared(facts, {}).summary == "absent: density"
    packed = {"entries": ["model.skops"], "deviations": [], "missing": ["ethics", "other_rows"]}
    facts = {"operationalise.pack": packed}
    assert clusters.segments_packed(facts, {}).verdict == "fail"
    assert clusters.segments_stated(facts, {}).summary == "the card lacks ethics"
