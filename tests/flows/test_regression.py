"""A question whose answer is a number, from real flights to a live model and its late labels."""

import os
from dataclasses import dataclass
from typing import Any

import pytest
from rich.console import Console

from portal.demo.live import Screen
from tests.flows import arrivals
from tests.flows.acceptance import Answers
from tests.flows.baton import Baton

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.slow,
    pytest.mark.skipif(
        "BATON_LONG" not in os.environ, reason="a play of a blueprint: BATON_LONG=1"
    ),
]


SAMPLED = 1500  # rows to learn from, of about 2,100


@dataclass(frozen=True)
class Played:
    """The play when it is over."""

    play: arrivals.ArrivalPlay
    run: int
    answer: dict[str, Any]

    def steps(self) -> dict[str, dict[str, Any]]:
        """Facts of the current steps, by stage and key."""
        found = self.play.desks["OPS"].all(f"runs/{self.run}/steps")
        return {step["key"]: step["facts"] for step in found}


@pytest.fixture(scope="module")
def played(baton: Baton) -> Played:
    """The run from the brief to the first window of late labels, once."""
    rows = arrivals.sample()
    asked = arrivals.later(rows)
    caller = arrivals.Arrivals(
        url=baton.serve_url, token=baton.tokens["SWE"], model="", flights=asked
    )
    with (baton.folder / "arrivals.txt").open("w", encoding="utf-8", buffering=1) as sink:
        screen = Screen(Console(file=sink, width=160))
        play = arrivals.ArrivalPlay(baton.desks, screen, caller, patience=150.0)
        part = baton.bring(arrivals.as_csv(rows), "arrivals.csv")
        play.use_case = baton.frame(
            "Arrivals",
            "tabular-regression",
            question=arrivals.QUESTION,
            parameters={**arrivals.PARAMETERS, "train_rows": SAMPLED},
            inputs={"tables": [part]},
        )
        caller.model = play.use_case
        play.run = run = baton.run(play.use_case)
        ended = play.until(lambda now: now["state"] != "RUNNING")
    assert ended["state"] == "SUCCEEDED", (baton.folder / "arrivals.txt").read_text()
    row = {name: asked[0].row[name] for name in caller.reads}
    (answer,) = baton.answers(play.use_case, [row])
    caller.close()
    return Played(play, run, answer)


def test_it_learned_from_a_sample_with_weights(played: Played) -> None:
    steps = played.steps()
    sample, whole = steps["sample"], steps["split"]["parts"]["train"]["rows"]
    assert (sample["rows"], sample["rows_before"], sample["sampled"]) == (SAMPLED, whole, True)
    assert sample["strata"][0]["weight"] == pytest.approx(whole / SAMPLED, abs=1e-6)
    left_out = {one["column"]: one["reason"] for one in steps["build"]["left_out"]}
    assert left_out["baton_weight"] == "weight of a sample"
    assert steps["retrain"]["predictions_equal"] is True


def test_the_model_beats_the_median_and_meets_its_target(played: Played) -> None:
    steps = played.steps()
    assert steps["select"]["baseline_gain"]["low"] > 0
    assert steps["select"]["families"] == ["dummy", "linear", "boosting"]
    assert steps["evaluate"]["target_metric"]["met"] is True
    assert steps["evaluate"]["metrics"]["mae"]["value"] < 14
    assert steps["evaluate"]["prediction_interval"]["holds"] is True


def test_an_answer_is_a_number_within_its_interval(played: Played) -> None:
    answer = played.answer
    assert answer["low"] < answer["prediction"] < answer["high"]
    assert (answer["served_by"], answer["mode"], answer["version"]) == ("model", "live", 1)


def test_late_labels_are_numbers(played: Played) -> None:
    found = played.steps()["quality"]
    assert (found["metric"], found["enough"], found["unreadable"]) == ("mae", True, 0)
    assert found["worth_per_1000"] > 0


def test_the_checks_of_the_evaluation_speak_of_a_number(played: Played) -> None:
    checks = played.play.desks["OPS"].all(f"runs/{played.run}/checks")
    names = {check["name"]: check["verdict"] for check in checks}
    assert names["coverage_holds"] == "pass"
    assert "calibrated" not in names
    for name in ("numerically_stable", "rows_explained", "age_known", "intervals_cover"):
        assert names[name] in ("pass", "fail"), name
    assert names["numerically_stable"] == "pass"
    assert names["rows_explained"] == "pass"


def test_what_goes_beyond_scores_is_measured_of_a_number(played: Played) -> None:
    steps = played.steps()
    (carriers,) = steps["fairness"]["fairness"]
    assert carriers["bias_difference"]["value"] > 0
    assert [row["method"] for row in steps["coverage"]["methods"]] == ["one margin", "by row"]
    assert {row["column"] for row in steps["coverage"]["groups"]} == {"carrier"}
    assert steps["age"]["metric"] == "mae"
    assert steps["age"]["aged"] is True


def test_experts_find_their_answers_in_the_run(played: Played) -> None:
    assert Answers(played.play.desks["OPS"], played.run).unanswered() == []
