"""From the question to a live, watched model, over REST with real processes and real data."""

from dataclasses import dataclass
from typing import Any

import pytest
from rich.console import Console

from portal.demo import script
from portal.demo.finale import finale
from portal.demo.live import Screen
from tests.flows import digits
from tests.flows.acceptance import Answers
from tests.flows.baton import Baton
from tests.long import only_long

SEASON, LATER = digits.Season.season, 5000  # digits like those it has learned from, and darker ones
pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.slow,
    only_long,
]


@dataclass(frozen=True)
class Played:
    """The play when it is over, and what its screen has shown."""

    play: digits.DigitPlay
    report: dict[str, Any]
    run: int

    def all(self, path: str, **params: Any) -> list[Any]:
        """Every row of a list, as DevOps sees it."""
        return self.play.desks["OPS"].all(path, **params)


@pytest.fixture(scope="module")
def played(baton: Baton) -> Played:
    """The whole play, once."""
    asked = [
        *digits.later(SEASON, day=1),
        *digits.later(LATER, day=20, darker=8.0),
    ]
    caller = digits.Season(url=baton.serve_url, token=baton.tokens["SWE"], model="", flights=asked)
    with (baton.folder / "play.txt").open("w", encoding="utf-8", buffering=1) as sink:
        screen = Screen(Console(file=sink, width=160))
        play = digits.DigitPlay(
            baton.desks, screen, caller, watch=digits.WATCH, patience=60.0, baton=baton
        )
        part = baton.bring(digits.as_csv(), "digits.csv")
        play.use_case = baton.frame(
            "Odd digits",
            script.BLUEPRINT,
            question=digits.QUESTION,
            parameters=digits.PARAMETERS,
            inputs={"tables": [part]},
        )
        play.run = run = baton.run(play.use_case)
        report = finale(play)
    caller.close()
    return Played(play, report, run)


def test_the_first_run_ends_with_a_live_and_watched_model(played: Played) -> None:
    run = played.play.desks["OPS"].get(f"runs/{played.run}")
    assert (run["label"], run["state"]) == ("Run 1", "SUCCEEDED")
    assert {stage["state"] for stage in run["stages"]} == {"DONE"}
    assert len(run["stages"]) == 11
    model = f"models/{played.play.use_case}"
    (version,) = played.all(f"{model}/versions")
    assert version["state"] == "APPROVED"
    modes = [deployment["mode"] for deployment in played.all(f"{model}/deployments")]
    assert sorted(modes) == ["canary", "live", "shadow"]
    assert played.play.caller.by_model > 0


def test_the_leak_goes_back_and_comes_again_without_it(played: Played) -> None:
    rounds = {(s["key"], s["round"]): s for s in played.all(f"runs/{played.run}/stages")}
    assert {key for key, number in rounds if number == 2} == {"features", "tune", "evaluate"}
    back = rounds["features", 2]
    assert (back["return_code"], back["returned_by"]["username"]) == ("not_available", "sofia")
    first, second = (
        gate
        for gate in reversed(played.all("gates", run=played.run))
        if gate["stage_key"] == "evaluate"
    )
    assert (first["state"], second["state"]) == ("CHANGES_REQUESTED", "APPROVED")
    checks = [c for c in played.all(f"runs/{played.run}/checks") if c["gate"] == first["id"]]
    red = next(check for check in checks if check["name"] == "features_available")
    assert digits.AFTER in red["result"]["summary"]


def test_nobody_approves_their_own_work(played: Played) -> None:
    assert played.play.refused == ["sod.subject_author"]
    owners = {s["id"]: s["owner"]["username"] for s in played.all(f"runs/{played.run}/stages")}
    decided = 0
    for gate in played.all("gates", run=played.run):
        decisions = played.all(f"gates/{gate['id']}/decisions")
        decided += len(decisions)
        assert owners[gate["stage"]] not in {one["user"]["username"] for one in decisions}
    assert decided >= 11


def test_every_hand_off_was_accepted_by_the_next_persona(played: Played) -> None:
    hand_offs = played.all("hand-offs", run=played.run)
    accepted = [h for h in hand_offs if h["state"] == "ACCEPTED"]
    pairs = {(h["source_persona"], h["target_persona"]) for h in accepted}
    assert pairs == {
        ("BA", "DE"),
        ("DE", "DS"),
        ("DS", "MLR"),
        ("MLR", "SWE"),
        ("SWE", "MLE"),
        ("MLE", "OPS"),
        ("OPS", "MLE"),
        ("MLE", "DS"),
    }


def test_late_labels_are_counted_where_they_belong(played: Played) -> None:
    watch = next(run for run in played.all("runs", use_case=played.play.use_case, kind="watch"))
    steps = {step["key"]: step for step in played.all(f"runs/{watch['id']}/steps")}
    facts = steps["quality"]["facts"]
    assert facts["labelled"] >= 300


def test_an_alert_opens_the_next_run_with_its_evidence(played: Played) -> None:
    runs = {run["label"]: run for run in played.all("runs", use_case=played.play.use_case)}
    assert set(runs) == {"Run 1", "Run 2", "Watch 1"}
    second = played.play.desks["OPS"].get(f"runs/{runs['Run 2']['id']}")
    trigger = second["trigger"]
    assert (trigger["kind"], trigger["watch"]) == ("alert", runs["Watch 1"]["id"])
    moved = [alert["text"] for alert in trigger["alerts"] if alert["cause"] == "drift"]
    assert any("pixel_" in text for text in moved)
    assert [s["key"] for s in second["stages"] if s["state"] == "IN_REVIEW"] == ["frame"]
    assert "waits for Sofia Reyes" in played.report["waiting"]


def test_the_ledger_holds(baton: Baton, played: Played) -> None:
    assert "The ledger holds" in baton.manage("verify_ledger")


def test_experts_find_their_answers_in_the_run(played: Played) -> None:
    assert Answers(played.play.desks["OPS"], played.run).unanswered() == []
