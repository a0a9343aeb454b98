"""Departures of the hours to come: from real events to a registered, approved version."""

import os
from dataclasses import dataclass
from typing import Any

import pytest
from rich.console import Console

from portal.demo.live import Screen
from portal.demo.traffic import Caller
from tests.flows import departures
from tests.flows.acceptance import Answers
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
    """The run, once its version is approved."""

    desk: Any
    run: int

    def steps(self) -> dict[str, dict[str, Any]]:
        """Facts of the current steps, by key."""
        return {step["key"]: step["facts"] for step in self.desk.all(f"runs/{self.run}/steps")}


@pytest.fixture(scope="module")
def played(baton: Baton) -> Played:
    """The run up to the approved version, once."""
    caller = Caller(url=baton.serve_url, token=baton.tokens["SWE"], model="", flights=[])
    with (baton.folder / "departures.txt").open("w", encoding="utf-8", buffering=1) as sink:
        screen = Screen(Console(file=sink, width=160))
        play = departures.DeparturePlay(baton.desks, screen, caller, patience=150.0)
        part = baton.bring(departures.as_parquet(), "departures.parquet")
        play.use_case = baton.frame(
            "Departures",
            "forecasting",
            question=departures.QUESTION,
            parameters=departures.PARAMETERS,
            inputs={"tables": [part]},
        )
        play.run = baton.run(play.use_case)
        ended = play.until(registered)
    caller.close()
    assert registered(ended), (baton.folder / "departures.txt").read_text()
    return Played(play.desks["OPS"], play.run)


def registered(run: dict[str, Any]) -> bool:
    """Whether the version of a run has been approved."""
    return any(stage["key"] == "register" and stage["state"] == "DONE" for stage in run["stages"])


def test_the_series_is_regular_and_nothing_is_known_ahead(played: Played) -> None:
    steps = played.steps()
    assert steps["series"]["every"] == "hour"
    assert steps["series"]["gap_steps"] < steps["series"]["empty_steps"]  # nights are no gaps
    assert steps["horizons"]["horizons"] == 3
    split = steps["split"]
    assert split["rule"] == "rolling origin"
    # a gap as long as the horizon: two forecasts of the last hour, one of the hour before
    assert split["left_out"]["made before the boundary, about steps after it"] == 3


def test_every_horizon_beats_yesterday(played: Played) -> None:
    steps = played.steps()
    assert steps["select"]["chosen_family"] == "boosting"
    judged = steps["forecast"]
    assert [row["horizon"] for row in judged["horizons"]] == [1, 2, 3]
    assert judged["beaten_at"] == []
    assert judged["horizons"][0]["mase"]["high"] < 1
    assert steps["evaluate"]["target_metric"]["met"] is True


def test_the_checks_of_forecasts_are_green(played: Played) -> None:
    found = played.desk.all(f"runs/{played.run}/checks")
    verdicts = {check["name"]: check["verdict"] for check in found}
    for name in ("series_sound", "mase_below", "beats_naive", "coverage_holds", "beats_baseline"):
        assert verdicts[name] == "pass", name
    assert verdicts["rows_explained"] == "pass"
    assert verdicts["numerically_stable"] == "pass"


def test_each_step_ahead_has_its_interval_and_worth_is_beside_the_last_season(
    played: Played,
) -> None:
    steps = played.steps()
    ahead = steps["evaluate"]["prediction_interval"]["steps"]
    assert [row["step"] for row in ahead] == [1, 2, 3]
    assert steps["evaluate"]["usual_column"] == "season_1"
    assert steps["evaluate"]["interval"]["unit"] == "block"
    assert steps["package"]["interval"]["by"] == "horizon"


def test_experts_find_their_answers_in_the_run(played: Played) -> None:
    assert Answers(played.desk, played.run).unanswered() == []
