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
    return Played(play, run)
