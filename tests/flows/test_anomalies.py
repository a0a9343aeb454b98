"""Anomaly detection, from the question to a live detector: real hours of airports, over REST."""

import os
from dataclasses import dataclass
from typing import Any

import pytest

from tests.flows import hours
from tests.flows.acceptance import Answers
from tests.flows.baton import Baton, until
from tests.flows.unlabelled import QuietPlay, play

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.slow,
    pytest.mark.skipif("BATON_LONG" not in os.environ, reason="a play: BATON_LONG=1"),
]


class Desk(QuietPlay):
    """The people of the airport: one of them reviews the strangest hours."""

    def form(self, key: tuple[str, str], *, round: int) -> Any:
        """Return what is filled in; the review says of each case what the desk knows."""
        if key != ("evaluate", "review"):
            return super().form(key, round=round)
        steps = self.desks["OPS"].all(f"runs/{self.run}/steps")
        judged = next(s for s in reversed(steps) if s["key"] == "judge")
        names = judged["facts"]["case_names"]
        return {
            "verdicts": {name: hours.verdict(name) for name in names},
            "missed": "None that the desk remembers.",
        }


@dataclass(frozen=True)
class Played:
    """The play when it is over."""

    play: QuietPlay
    run: dict[str, Any]

    def facts(self, stage: str, step: str) -> dict[str, Any]:
        """Facts of a step in its last round."""
        steps = self.play.desks["OPS"].all(f"runs/{self.run['id']}/steps")
        return next(
            s["facts"] for s in reversed(steps) if (s["stage_key"], s["key"]) == (stage, step)
        )


@pytest.fixture(scope="module")
def played(baton: Baton) -> Played:
    """The whole play, once."""
    people, run = play(
        baton,
        blueprint="anomaly-detection",
        title="Strange hours",
        content={"hours": hours.as_csv()},
        parameters=hours.PARAMETERS,
        forms=hours.FORMS,
        people=Desk,
        asked=hours.later(),
    )
    return Played(people, run)


def test_a_detector_goes_live(played: Played) -> None:
    assert played.run["state"] == "SUCCEEDED"
    assert {stage["state"] for stage in played.run["stages"]} == {"DONE"}
    assert len(played.run["stages"]) == 11
    model = f"models/{played.play.use_case}"
    modes = [one["mode"] for one in played.play.desks["OPS"].all(f"{model}/deployments")]
    assert sorted(modes) == ["canary", "live", "shadow"]
    assert played.play.caller.by_model > 0
    assert played.play.refused == ["sod.subject_author"]


def test_it_finds_what_was_planted_and_keeps_to_the_desks_day(played: Played) -> None:
    judged = played.facts("evaluate", "judge")
    assert judged["recall"]["value"] >= 0.8
    assert judged["alerts_per_day"]["value"] <= 6
    chosen = played.facts("tune", "select")
    assert len(chosen["candidates"]) == 4
    assert chosen["family"] == judged["family"]


def test_people_reviewed_the_strangest_hours(played: Played) -> None:
    counted = played.facts("evaluate", "count")
    assert (counted["k"], counted["reviewed"]) == (10, 10)
    assert counted["precision_at_k"]["value"] >= 0.5
    assert played.facts("evaluate", "judge")["labelled"]["label"] == "stood_still"


def test_live_alerts_are_counted(played: Played) -> None:
    live = played.facts("monitor", "alerts")
    assert live["enough"] is True
    assert live["days"] >= 5
    assert live["alert_rate"]["ratio"] is not None


def test_learned_again_it_is_the_same(played: Played) -> None:
    assert played.facts("operationalise", "retrain")["largest_difference"] == 0.0
    assert played.facts("operationalise", "load_test")["loads"] is True


def test_a_watch_counts_the_alerts_of_a_live_window(played: Played) -> None:
    desks, judged = played.play.desks, played.facts("evaluate", "judge")
    given = {"threshold": judged["threshold"], "capacity": judged["capacity"], "ignore": ["clock"]}
    body = {"blueprint": "watch-alerts", "parameters": given}
    started = desks["DS"].post(f"use-cases/{played.play.use_case}/runs", body)["run"]

    def counted() -> dict[str, Any] | None:
        steps = {step["key"]: step for step in desks["DS"].all(f"runs/{started}/steps")}
        found: dict[str, Any] = steps["alerts"]["facts"]
        return found or None

    facts = until(counted, seconds=120, what="the watch has counted")
    assert (facts["enough"], facts["capacity"]) == (True, 6.0)
    assert facts["alerts"] == len(facts["alert_list"])


def test_experts_find_their_answers_in_the_run(played: Played) -> None:
    assert Answers(played.play.desks["OPS"], played.run["id"]).unanswered() == []
