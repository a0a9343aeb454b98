"""A question with three answers, from real flights to a live model and its late labels."""

import os
from dataclasses import dataclass
from typing import Any

import pytest
from rich.console import Console

from portal.demo.live import Screen
from tests.flows import arrivals, outcomes
from tests.flows.baton import Baton

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.slow,
    pytest.mark.skipif(
        "BATON_LONG" not in os.environ, reason="a play of a blueprint: BATON_LONG=1"
    ),
]


@dataclass(frozen=True)
class Played:
    """The play when it is over."""

    play: outcomes.OutcomePlay
    run: int

    def steps(self) -> dict[str, dict[str, Any]]:
        """Facts of the current steps, by key."""
        found = self.play.desks["OPS"].all(f"runs/{self.run}/steps")
        return {step["key"]: step["facts"] for step in found}


@pytest.fixture(scope="module")
def played(baton: Baton) -> Played:
    """The run from the brief to the first window of late labels, once."""
    rows = arrivals.sample()
    caller = outcomes.Outcomes(
        url=baton.serve_url, token=baton.tokens["SWE"], model="", flights=outcomes.later(rows)
    )
    with (baton.folder / "outcomes.txt").open("w", encoding="utf-8", buffering=1) as sink:
        screen = Screen(Console(file=sink, width=160))
        play = outcomes.OutcomePlay(baton.desks, screen, caller, patience=150.0)
        part = baton.bring(outcomes.as_csv(rows), "outcomes.csv")
        play.use_case = baton.frame(
            "Outcomes",
            "tabular-classification",
            question=outcomes.QUESTION,
            parameters=outcomes.PARAMETERS,
            inputs={"tables": [part]},
        )
        caller.model = play.use_case
        play.run = run = baton.run(play.use_case)
        ended = play.until(lambda now: now["state"] != "RUNNING")
    assert ended["state"] == "SUCCEEDED", (baton.folder / "outcomes.txt").read_text()
    caller.close()
    return Played(play, run)


def test_every_class_is_judged_and_the_target_met(played: Played) -> None:
    steps = played.steps()
    judged = steps["evaluate"]
    assert judged["task"] == "multiclass"
    assert [row["class"] for row in judged["per_class"]] == list(outcomes.CLASSES)
    assert judged["target_metric"]["met"] is True
    assert steps["select"]["baseline_gain"]["low"] > 0
    assert judged["decision"]["costs_given"] is True
    assert judged["value"]["per_1000_over_best_without_model"]["low"] > 0


def test_an_answer_is_a_class_with_probabilities_or_left_to_people(
    baton: Baton, played: Played
) -> None:
    caller = played.play.caller
    flights = arrivals.later(arrivals.sample())[:200]
    rows = [{name: flight.row[name] for name in caller.reads} for flight in flights]
    found = baton.answers(played.play.use_case, rows)
    for answer in found:
        assert set(answer["probabilities"]) == set(outcomes.CLASSES)
        assert sum(answer["probabilities"].values()) == pytest.approx(1)
        assert answer["abstained"] is (answer["label"] is None)
        assert bool(answer["reason"]) is answer["abstained"]
    assert {answer["abstained"] for answer in found} == {True, False}


def test_late_labels_are_classes(played: Played) -> None:
    found = played.steps()["quality"]
    assert (found["metric"], found["enough"], found["unreadable"]) == ("log_loss", True, 0)
    assert found["left_to_people"] > 0
    assert found["worth_per_1000"] > 0


def test_the_checks_of_the_evaluation_speak_of_classes(played: Played) -> None:
    checks = played.play.desks["OPS"].all(f"runs/{played.run}/checks")
    names = {check["name"]: check["verdict"] for check in checks}
    for name in ("calibrated", "cost_positive", "slices_hold", "sets_cover", "rows_explained"):
        assert names[name] in ("pass", "fail"), name
