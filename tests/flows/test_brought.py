"""Models that were trained elsewhere, from the upload to a live model that answers."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from rich.console import Console

from portal.demo.live import Screen
from tests.flows import arrivals, brought
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
    """A play when it is over, and the answer to one flight."""

    play: brought.BroughtPlay
    run: int
    answer: dict[str, Any]

    def steps(self) -> dict[str, dict[str, Any]]:
        """Facts of the current steps, by stage and key."""
        found = self.play.desks["OPS"].all(f"runs/{self.run}/steps")
        return {step["key"]: step["facts"] for step in found}

    def checks(self) -> dict[str, str]:
        """Verdicts by the name of the check."""
        found = self.play.desks["OPS"].all(f"runs/{self.run}/checks")
        return {check["name"]: check["verdict"] for check in found}


def succeeded(run: dict[str, Any]) -> bool:
    """The run is over, and well."""
    return bool(run["state"] == "SUCCEEDED")


def live(run: dict[str, Any]) -> bool:
    """The model answers everybody; what follows is as for any other."""
    return any(s["key"] == "deploy" and s["state"] == "DONE" for s in run["stages"])


def play(
    baton: Baton,
    export: brought.Export,
    kind: type[arrivals.Arrivals],
    done: Callable[[dict[str, Any]], bool],
    **case: Any,
) -> Played:
    """Carry a model from its upload to where it is done."""
    rows = arrivals.sample()
    asked = brought.asked(rows)
    caller = kind(url=baton.serve_url, token=baton.tokens["SWE"], model="", flights=asked)
    said = baton.folder / f"{case['blueprint']}.txt"
    with said.open("w", encoding="utf-8", buffering=1) as sink:
        screen = Screen(Console(file=sink, width=160))
        run = brought.BroughtPlay(baton.desks, screen, caller, patience=90.0, baton=baton)
        run.forms = case.pop("forms")
        inputs = {"tables": [baton.bring(arrivals.as_csv(rows), "arrivals.csv")]}
        run.use_case = caller.model = baton.frame(inputs=inputs, **case)
        # The analyst has asked; the researcher brings the model and starts the run with it.
        for name, (file, content) in export.files().items():
            inputs[name] = [baton.bring(content, file, by="MLR")]
        started = baton.desks["MLR"].post(f"use-cases/{run.use_case}/runs", {"inputs": inputs})
        run.run = int(started["run"])
        ended = run.until(done)
    assert done(ended), said.read_text()
    row = {name: asked[0].row[name] for name in caller.reads}
    (answer,) = baton.answers(run.use_case, [row])
    caller.close()
    return Played(run, run.run, answer)


@pytest.fixture(scope="module")
def played(baton: Baton) -> dict[str, Played]:
    """Both kinds of model, side by side: while one waits for callers, the other computes."""
    rows = arrivals.sample()
    with ThreadPoolExecutor(2) as pool:
        plays = {
            "onnx": pool.submit(
                play,
                baton,
                brought.as_onnx(rows),
                brought.LateArrivals,
                done=succeeded,
                title="Late, brought",
                blueprint="brought-classification",
                question="Which flights that have left will be late?",
                parameters=brought.LATE_PARAMETERS,
                forms=brought.LATE_FORMS,
            ),
            "skops": pool.submit(
                play,
                baton,
                brought.as_skops(rows),
                arrivals.Arrivals,
                done=live,
                title="Minutes, brought",
                blueprint="brought-regression",
                question=arrivals.QUESTION,
                parameters=brought.VALUE_PARAMETERS,
                forms=brought.VALUE_FORMS,
            ),
        }
        return {kind: one.result() for kind, one in plays.items()}


@pytest.fixture
def graph(played: dict[str, Played]) -> Played:
    """An ONNX graph of two classes."""
    return played["onnx"]


@pytest.fixture
def forest(played: dict[str, Played]) -> Played:
    """A scikit-learn forest that says how late."""
    return played["skops"]


def test_a_graph_is_admitted_judged_and_answers(graph: Played) -> None:
    steps, checks = graph.steps(), graph.checks()
    assert (steps["admit"]["kind"], steps["admit"]["engine"]) == ("onnx", "ONNX Runtime")
    assert steps["admit"]["golden"]["rows"] == brought.GOLDEN_ROWS
    assert steps["select"]["families"] == ["dummy", "linear", "brought in"]
    assert steps["evaluate"]["metrics"]["roc_auc"]["low"] > 0.8
    assert steps["load_test"]["scoring_path"] == "ONNX Runtime"
    held = (
        "signature_holds",
        "golden_rows_brought",
        "holdout_unseen",
        "scores_repeat",
        "calibrated",
    )
    assert {name: checks[name] for name in held} == dict.fromkeys(held, "pass")
    assert 0 <= graph.answer["score"] <= 1
    assert (graph.answer["served_by"], graph.answer["mode"]) == ("model", "live")


def test_what_cannot_be_made_of_it_is_said(graph: Played) -> None:
    steps, checks = graph.steps(), graph.checks()
    assert "trained elsewhere" in steps["age"]["not_aged"]
    assert steps["retrain"]["recipe"] is False
    assert checks["reproducible"] == checks["age_known"] == "insufficient"
    assert {row["what"] for row in steps["admit"]["not_computed"]} >= {"staleness curve"}


def test_a_forest_is_admitted_judged_and_answers(forest: Played) -> None:
    steps, checks = forest.steps(), forest.checks()
    assert (steps["admit"]["kind"], steps["admit"]["tests_failed"]) == ("skops", 0)
    assert steps["evaluate"]["metrics"]["mae"]["value"] < 15
    held = ("signature_holds", "golden_rows_brought", "beats_baseline", "coverage_holds")
    assert {name: checks[name] for name in held} == dict.fromkeys(held, "pass")
    assert forest.answer["low"] < forest.answer["prediction"] < forest.answer["high"]
    assert (forest.answer["served_by"], forest.answer["mode"]) == ("model", "live")
