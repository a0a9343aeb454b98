"""A brief is judged: what is missing, what it is worth, which tier."""

import pytest

from pipelines.operations.contract import Json
from pipelines.operations.frame_value.compute import find_problems, flatten, tier, worth
from pipelines.operations.frame_value.example import example
from tests.unit.operations.running import perform


@pytest.fixture
def brief(tmp_path) -> dict[str, Json]:
    given = example(tmp_path)[1]["brief"]
    assert isinstance(given, dict)
    return given


def test_a_full_brief_is_complete(tmp_path, brief) -> None:
    facts = perform("frame_value", tmp_path, brief=brief).facts
    assert (facts["complete"], facts["completeness"], facts["missing"]) == (True, 1.0, [])


def test_what_is_missing_or_impossible_is_named(brief) -> None:
    brief.update(question="", volume=0, kpi_now="a lot", costs={"fp": -1, "fn": 2})
    found = {str(row["field"]): row["rule"] for row in find_problems(flatten(brief))}
    assert found == {
        "question": "is filled in",
        "volume": "> 0",
        "kpi_now": "is a number",
        "cost_fp": ">= 0",
        "benefit_tp": "is filled in",
    }


def test_an_empty_brief_is_answered_not_refused(tmp_path) -> None:
    facts = perform("frame_value", tmp_path, brief={}).facts
    assert facts["completeness"] == 0.0
    assert facts["value_per_year"] is None


def test_value_is_benefit_times_volume_less_cost() -> None:
    found = worth(
        flatten(
            {
                "costs": {"fp": 10, "fn": 20, "tp": 30},
                "volume": 100,
                "base_rate": 0.2,
                "running_cost": 1000,
            }
        )
    )
    assert found["value_per_year"] == 30 * 100 * 0.2 * 365 - 1000
    assert found["break_even_score"] == pytest.approx(10 / 60, abs=1e-6)


def test_forms_send_numbers_as_text() -> None:
    assert flatten({"costs": {"fp": "1 200"}, "volume": "7.5"})["cost_fp"] == 1200.0


@pytest.mark.parametrize(
    ("purpose", "volume", "level"),
    [
        ("regulated", 1, 1),
        ("automated", 1000, 1),
        ("automated", 10, 2),
        ("advice", 1000, 2),
        ("advice", 9, 3),
    ],
)
def test_tier_follows_purpose_and_money_at_stake(purpose, volume, level) -> None:
    brief: dict[str, Json] = {"purpose": purpose, "volume": volume, "cost_fn": 100.0}
    assert tier(brief, 100_000, 1_000)["tier"] == level
