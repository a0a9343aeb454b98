"""Clustering, from the question to a delivered table: real planes, real processes, over REST."""

import io
import json
import os
import zipfile
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from tests.flows import fleet
from tests.flows.acceptance import Answers
from tests.flows.baton import Baton
from tests.flows.unlabelled import QuietPlay, play

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.slow,
    pytest.mark.skipif("BATON_LONG" not in os.environ, reason="a play: BATON_LONG=1"),
]


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

    def content(self, stage: str, step: str, output: str) -> bytes:
        """What a step has written."""
        desk = self.play.desks["OPS"]
        steps = desk.all(f"runs/{self.run['id']}/steps")
        found = next(s for s in reversed(steps) if (s["stage_key"], s["key"]) == (stage, step))
        digest = found["outputs"][output]["digest"]
        return desk.client.get(f"artefacts/{digest}/content").content


@pytest.fixture(scope="module")
def played(baton: Baton) -> Played:
    """The whole play, once."""
    people, run = play(
        baton,
        blueprint="clustering",
        title="Kinds of planes",
        content={"planes": fleet.as_csv()},
        parameters=fleet.PARAMETERS,
        forms=fleet.FORMS,
    )
    return Played(people, run)


def test_seven_people_deliver_segments(played: Played) -> None:
    assert (played.run["state"], {s["state"] for s in played.run["stages"]}) == (
        "SUCCEEDED",
        {"DONE"},
    )
    assert [s["code"] for s in played.run["stages"]] == [
        *("S0", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S10")
    ]
    hand_offs = played.play.desks["OPS"].all("hand-offs", run=played.run["id"])
    assert {h["state"] for h in hand_offs} == {"ACCEPTED"}
    assert len(hand_offs) == 7
    assert played.play.refused == ["sod.subject_author"]


def test_segments_are_stable_and_more_than_chance(played: Played) -> None:
    facts = played.facts("evaluate", "judge")
    assert facts["stability"]["value"] >= 0.6
    assert facts["chance"]["p_value"] <= 0.05
    assert 2 <= facts["groups"] <= 6
    told = " ".join(str(one["sentence"]) for one in facts["segments"])
    assert "flights (median" in told


def test_the_package_holds_a_row_for_each_plane(played: Played) -> None:
    package = zipfile.ZipFile(io.BytesIO(played.content("operationalise", "pack", "package")))
    table = pd.read_parquet(io.BytesIO(package.read("assignments.parquet")))
    assert len(table) == 3322
    assert table["tailnum"].is_unique
    assert set(table["segment_name"]) <= set(fleet.FORMS["evaluate", "names"]["names"].values())
    assert "Kind 1" in package.read("card.md").decode()
    assert json.loads(package.read("manifest.json"))["kind"] == "segments"


def test_the_version_is_registered_and_approved(played: Played) -> None:
    (version,) = played.play.desks["OPS"].all(f"models/{played.play.use_case}/versions")
    assert version["state"] == "APPROVED"


def test_shares_of_unseen_planes_are_told(played: Played) -> None:
    facts = played.facts("monitor", "shares")
    assert facts["window"] == "rows kept aside"
    assert facts["psi"] is not None


def test_experts_find_their_answers_in_the_run(played: Played) -> None:
    assert Answers(played.play.desks["OPS"], played.run["id"]).unanswered() == []
