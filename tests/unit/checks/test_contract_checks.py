"""Checks that contracts of hand-offs added: drills, the card in words, the living KPI."""

from typing import Any

import pytest

from pipelines.catalogue import check

DRILLED: dict[str, Any] = {
    "at": "2024-03-04T00:00:00+00:00",
    "to": 2,
    "from": 1,
    "before": 1,
    "forward": {"by": 2, "asked": 50, "right": 50, "proof_seconds": 0.1},
    "back": {"by": 1, "asked": 50, "right": 50, "proof_seconds": 0.1},
    "untouched": True,
    "switched": True,
    "came_back": True,
    "drill_seconds": 2.0,
}
WORDS = "Advice to the desk, never to passengers."
GOOD: dict[str, dict[str, Any]] = {
    "deploy.drill": DRILLED,
    "deploy.drill_age": {"freshness": {"age_days": 12.0}},
    "register.card": {"missing": [], "filled": 17},
    "item.evaluate.limits": {
        **dict.fromkeys(("intended_use", "out_of_scope", "caveats", "ethics"), WORDS),
        "contact": "desk",
    },
    "item.frame.brief": {"kpi_name": "missed", "kpi_now": 14.0, "kpi_target": 10.0},
    "item.monitor.kpi": {"kpi_now": 12.0, "comment": "Fewer."},
    "monitor.drift": {"rows": 900},
}
AGED = {"age_step": "deploy.drill_age"}


def judged(name: str, place: str = "", params: dict[str, Any] | None = None, **change: Any) -> Any:
    facts = {**GOOD, place: {**GOOD[place], **change}} if place else GOOD
    return check(name)(facts, params or {})


@pytest.mark.parametrize("name", ["rollback_drilled", "card_in_words", "kpi_live"])
def test_sound_facts_pass(name: str) -> None:
    assert judged(name).verdict == "pass"


@pytest.mark.parametrize(
    ("name", "place", "change", "told"),
    [
        ("rollback_drilled", "deploy.drill", {"switched": False}, "after going live, 50 of 50"),
        ("rollback_drilled", "deploy.drill", {"came_back": False}, "after going back"),
        (
            "rollback_drilled",
            "deploy.drill",
            {"came_back": False, "untouched": False},
            "changed what is deployed",
        ),
        ("rollback_drilled", "deploy.drill", {"drill_seconds": 901.0}, "901.0 s; 15 min"),
        ("card_in_words", "register.card", {"missing": ["ethics"]}, "ethics"),
        ("card_in_words", "item.evaluate.limits", {"caveats": "none"}, "caveats"),
    ],
)
def test_the_fault_turns_it_red(name: str, place: str, change: dict[str, Any], told: str) -> None:
    result = judged(name, place, **change)
    assert result.verdict == "fail"
    assert told in result.summary


def test_a_drill_is_good_for_ninety_days() -> None:
    assert judged("rollback_drilled", params=AGED).verdict == "pass"
    old = judged("rollback_drilled", "deploy.drill_age", AGED, freshness={"age_days": 90.5})
    assert (old.verdict, "90.5 days ago" in old.summary) == ("fail", True)
    unknown = judged("rollback_drilled", "deploy.drill_age", AGED, freshness={})
    assert unknown.verdict == "insufficient"
    assert judged("rollback_drilled", params={"max_minutes": 0.01}).verdict == "fail"


def test_the_fallback_is_named_where_nothing_was_before() -> None:
    found = judged("rollback_drilled", "deploy.drill", **{"from": None})
    assert "back to the fallback" in found.summary


@pytest.mark.parametrize("place", ["item.monitor.kpi", "item.frame.brief"])
def test_a_kpi_without_a_value_is_not_live(place: str) -> None:
    assert judged("kpi_live", place, kpi_now=None).verdict == "insufficient"


def test_a_kpi_tells_how_far_it_came() -> None:
    assert "50% of the way; 900 answers" in judged("kpi_live").summary
    assert judged("kpi_live", "monitor.drift", rows=0).verdict == "insufficient"
    assert "-50% of the way" in judged("kpi_live", "item.monitor.kpi", kpi_now=16.0).summary


def test_a_split_made_again_elsewhere_says_what_differs() -> None:
    again = {"clean": True, "reproducible": False, "differences": [{"of": "content of train"}]}
    result = check("split_reproducible")(
        {"explore.split_again": again},
        {
            "step": "explore.split_again",
        },
    )
    assert (result.verdict, result.details) == ("fail", ({"of": "content of train"},))
    assert "clean process" in result.summary


def test_a_limit_without_a_known_age_blocks_and_says_why() -> None:
    fresh = {"source.age": {"freshness": {"newest": None, "age_days": None, "max_age_days": 7}}}
    result = check("fresh_enough")(fresh, {"step": "source.age"})
    assert result.verdict == "insufficient"
    assert "at most 7 days" in result.summary
