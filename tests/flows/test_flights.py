"""From the question to a live, watched model, over REST with real processes and real flights.

Every 40th flight of 2013: enough for every check to have its say, few enough for a minute.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from rich.console import Console

from portal.demo import flights, script
from portal.demo.finale import finale
from portal.demo.live import Screen
from portal.demo.play import Play
from portal.demo.traffic import Caller
from tests.flows.baton import Baton

EVERY = 40
SMALLER: dict[str, Any] = {
    "shadow_predictions": 200,
    "canary_predictions": 200,
    "canary_share": 0.5,
    "serving_predictions": 300,
    "max_ece": 0.2,  # a holdout of 1,400 rows cannot show less
}
pytestmark = pytest.mark.timeout(400)


@dataclass(frozen=True)
class Played:
    """The play when it is over, and what its screen has shown."""

    play: Play
    report: dict[str, Any]
    shown: str
    run: int

    def all(self, path: str, **params: Any) -> list[Any]:
        """Every row of a list, as DevOps sees it."""
        return self.play.desks["OPS"].all(path, **params)


@pytest.fixture(scope="module")
def played(baton: Baton, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The whole play, once, on few rows."""
    shown = baton.folder / "play.txt"
    caller = Caller(
        url=baton.serve_url,
        token=baton.tokens["SWE"],
        model="",
        flights=flights.traffic(flights.KNOWN_UNTIL, every=EVERY // 8),
    )
    with shown.open("w", encoding="utf-8", buffering=1) as sink:
        live = Screen(Console(file=sink, width=200))
        play = Play(baton.desks, live, caller, every=EVERY, parameters=SMALLER, patience=90.0)
        play.frame(tmp_path_factory.mktemp("files"), title=script.TITLE)
        run = play.run
        report = finale(play)
    caller.close()
    return Played(play, report, shown.read_text(encoding="utf-8"), run)


def test_the_first_run_ends_with_a_live_and_watched_model(played: Played) -> None:
    desk = played.play.desks["OPS"]
    run = desk.get(f"runs/{played.run}")
    assert (run["label"], run["state"]) == ("Run 1", "SUCCEEDED")
    assert {stage["state"] for stage in run["stages"]} == {"DONE"}
    (version,) = played.all(f"models/{played.play.use_case}/versions")
    assert version["state"] == "LIVE"
    deployments = played.all(f"models/{played.play.use_case}/deployments")
    assert {deployment["mode"] for deployment in deployments} == {"shadow", "canary", "live"}
    assert played.play.caller.by_model > 0


def test_the_leak_goes_back_and_only_what_changed_runs_again(played: Played) -> None:
    stages = played.all(f"runs/{played.run}/stages")
    rounds = {(stage["key"], stage["round"]): stage for stage in stages}
    assert {key for key, round in rounds if round == 2} == {"features", "tune", "evaluate"}
    back = rounds["features", 2]
    assert (back["return_code"], back["returned_by"]["username"]) == ("not_available", "sofia")
    steps = {(s["key"], s["round"]): s for s in played.all(f"runs/{played.run}/steps")}
    assert steps["build", 1]["outputs"] != steps["build", 2]["outputs"]
    assert "air_time" in str(steps["build", 1]["facts"])
    assert "air_time" not in steps["build", 2]["facts"].get("columns", [])


def test_who_made_it_does_not_approve_it(played: Played) -> None:
    assert played.play.refused == ["sod.subject_author"]
    for gate in played.all("gates", run=played.run):
        decided = played.all(f"gates/{gate['id']}/decisions")
        assert all(decision["user"]["username"] for decision in decided)
        owners = {s["owner"]["username"] for s in played.all(f"runs/{played.run}/stages") if s["id"] == gate["stage"]}
        assert not owners & {decision["user"]["username"] for decision in decided}


def test_an_alert_opens_the_next_run_with_its_evidence(played: Played) -> None:
    runs = {run["label"]: run for run in played.all("runs", use_case=played.play.use_case)}
    assert set(runs) == {"Run 1", "Run 2", "Watch 1"}
    second = played.play.desks["OPS"].get(f"runs/{runs['Run 2']['id']}")
    assert second["trigger"]["cause"] == "alert"
    assert any(stage["state"] == "IN_REVIEW" for stage in second["stages"])
    alerts = played.all("alerts")
    assert {alert["severity"] for alert in alerts} <= {"amber", "red"}
    assert "waits for Sofia Reyes" in played.report["waiting"]


def test_the_ledger_holds(baton: Baton, played: Played) -> None:
    assert "The ledger holds" in baton.manage("verify_ledger")
