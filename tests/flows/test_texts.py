"""Text classification from the question to a live, watched model, on real titles."""

import os
from typing import Any

import pytest
from rich.console import Console

from portal.demo.finale import finale
from portal.demo.live import Screen
from tests.flows import titles
from tests.flows.acceptance import Answers
from tests.flows.baton import Baton
from tests.flows.digits import Season
from tests.flows.test_lifecycle import Played

LATER = 2000
pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.slow,
    pytest.mark.skipif(
        "BATON_LONG" not in os.environ,
        reason="the play of texts: BATON_LONG=1, as .ci/run sets it",
    ),
]


@pytest.fixture(scope="module")
def played(baton: Baton) -> Played:
    """The whole play, once."""
    asked = [
        *titles.arriving(Season.season, day=1),
        *titles.arriving(LATER, day=20, later=True),
    ]
    caller = Season(url=baton.serve_url, token=baton.tokens["SWE"], model="", flights=asked)
    with (baton.folder / "texts.txt").open("w", encoding="utf-8", buffering=1) as sink:
        screen = Screen(Console(file=sink, width=160))
        play = titles.TitlePlay(baton.desks, screen, caller, watch=titles.WATCH, patience=150.0)
        part = baton.bring(titles.as_csv(), "titles.csv")
        play.use_case = baton.frame(
            "Works on paper",
            titles.BLUEPRINT,
            question=titles.QUESTION,
            parameters=titles.PARAMETERS,
            inputs={"tables": [part]},
        )
        play.run = run = baton.run(play.use_case)
        report = finale(play)
    caller.close()
    return Played(play, report, run)


def facts_of(played: Played, step: str) -> dict[str, Any]:
    stage, _, key = step.partition(".")
    found = [
        row
        for row in played.all(f"runs/{played.run}/steps")
        if (row["stage_key"], row["key"]) == (stage, key) and row["facts"]
    ]
    return found[-1]["facts"]


def test_texts_go_all_the_way(played: Played) -> None:
    run = played.play.desks["OPS"].get(f"runs/{played.run}")
    assert (run["label"], run["state"]) == ("Run 1", "SUCCEEDED")
    assert len(run["stages"]) == 11
    (version,) = played.all(f"models/{played.play.use_case}/versions")
    assert version["state"] == "APPROVED"
    assert played.play.caller.by_model > 0


def test_no_artist_stands_on_both_sides(played: Played) -> None:
    facts = facts_of(played, "explore.split")
    assert (facts["rule"], facts["groups_shared"]) == ("group", 0)


def test_a_family_that_reads_words_was_chosen(played: Played) -> None:
    facts = facts_of(played, "tune.select")
    assert facts["chosen_family"] in ("text_linear", "text_svc", "text_boosting")
    assert len(facts["families"]) == 5


def test_the_watch_tells_that_the_words_have_moved(played: Played) -> None:
    watch = next(run for run in played.all("runs", use_case=played.play.use_case, kind="watch"))
    steps = {step["key"]: step for step in played.all(f"runs/{watch['id']}/steps")}
    moved = [alert["text"] for alert in steps["drift"]["facts"]["alert_list"]]
    assert any("title" in text for text in moved), moved


def test_experts_find_their_answers_in_the_run(played: Played) -> None:
    assert Answers(played.play.desks["OPS"], played.run).unanswered() == []
