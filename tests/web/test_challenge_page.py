"""What challenged a candidate, as the deciders read it on the review page."""

from typing import Any

import pytest
from django.test import Client

from pipelines.runs.models import Gate
from tests.cast import Cast
from tests.domain import engine as f

pytestmark = pytest.mark.django_db
CHECKS = (
    "selection_rates_equal",
    "error_rates_equal",
    "sets_cover",
    "numerically_stable",
    "decisions_steady",
    "age_known",
    "rows_explained",
)


def interval(value: float, off: float = 0.02) -> dict[str, float]:
    return {"value": value, "low": value - off, "high": value + off}


FACTS: dict[str, dict[str, Any]] = {
    "fairness": {
        "sensitive": ["sex"],
        "favourable": "flagged",
        "minimum_rows": 50,
        "fairness": [
            {
                "column": "sex", "groups": 2, "too_small": 0, "lowest": "sex = f",
                "highest": "sex = m", "selection_ratio": interval(0.7),
                "opportunity_difference": interval(0.05), "odds_difference": interval(0.06),
                "p_selection": 0.001, "p_opportunity": 0.4, "p_odds": 0.4,
            }
        ],
        "groups": [{"group": "sex = f", "rows": 80, "selection_rate": 0.21, "judged": True}],
    },
    "coverage": {
        "confidence": 0.9, "coverage": interval(0.857), "allowed_low": 0.892,
        "allowed_high": 0.908, "answered": 0.9, "answered_right": 0.84,
        "levels": [{"confidence": 0.9, "by_class": False, "coverage": 0.857}],
    },
    "stress": {
        "tried": 12, "bad_scores": 0, "bad_undisturbed": 0, "refused": 0,
        "noise": [{"size": 0.05, "flipped": interval(0.03)}],
        "disturbances": [
            {"column": "wind", "kind": "missing", "size": 0.0, "flipped": 0.4, "bad_scores": 0}
        ],
    },
    "age": {
        "aged": True, "metric": "roc_auc", "oldest_days": 151.9, "half_life_days": 240.5,
        "half_life": interval(240.5, 60), "loss_at_end": interval(0.037),
        "curve": [
            {"age": n, "age_days": 25.3 * n, "value": v, "value_low": v - 0.02, "value_high": v}
            for n, v in enumerate((0.66, 0.65, 0.62))
        ],
    },
    "rows": {
        "rows": 400, "explained": 80, "errors_explained": 50, "largest_gap": 0.0,
        "examples": [
            {
                "row": 1, "key": {"flight": "UA17"}, "why": "worst error", "score": 0.03,
                "label": 1, "added": [{"column": "wind", "value": 4.5, "added": -0.31}],
            }
        ],
    },
}  # fmt: skip


def challenged(cast: Cast, facts: dict[str, dict[str, Any]]) -> Gate:
    """A gate on a stage whose steps gave these facts."""
    checks = [{"name": name, "blocking": False} for name in CHECKS]
    steps = [f.step(key, params={"message": key}) for key in facts]
    made = f.run(cast, f.stage("evaluate", "MLR", steps=steps, gate=f.gate("DS", checks=checks)))
    while held := f.maybe_claim():
        f.settle(held, **facts[held.params["message"]])
    return f.gate_of(made)


def page(client: Client, cast: Cast, gate: Gate, **query: str) -> str:
    client.force_login(cast.of("DS"))
    answer = client.get(f"/gates/{gate.pk}/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_challenge_is_said_with_its_rows(client: Client, cast: Cast) -> None:
    text = page(client, cast, challenged(cast, FACTS))
    for said in (
        "the rate of being flagged for sex = f is 0.70 of that for sex = m",
        "A flag for people to look at, not a verdict.",
        "85.7% of sets hold the true class, 90% were promised",
        "noise of 0.05 standard deviations on every number turns 3.0% of decisions",
        "half of what it knows is gone after 240 days",
        "80 rows explained, 50 of them the worst errors; the parts add up to the score",
        "wind = 4.5: -0.310",
        "UA17",
        "threshold: a rule",
    ):
        assert said in text, said
    assert "nothing keeps it from being approved" in text


def test_ageing_is_drawn_and_told_to_who_cannot_see_it(client: Client, cast: Cast) -> None:
    gate = challenged(cast, FACTS)
    text = page(client, cast, gate, voice="DS")
    assert "How fast does it age?" in text
    assert "at 51 days 0.6200" in text
    assert 'id="chart-ageing"' in text
    assert "half-life, days" in text
    assert "sets that hold the truth" in text


def test_a_stage_that_drew_no_curve_shows_none(client: Client, cast: Cast) -> None:
    without = {**FACTS, "age": {"aged": False, "not_aged": "no time column is known"}}
    text = page(client, cast, challenged(cast, without))
    assert "How fast does it age?" not in text
    assert "how fast it ages is not known: no time column is known" in text
