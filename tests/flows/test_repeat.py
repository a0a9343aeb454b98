"""The same again: bit-equal from the same seed and data; else only what depends on the change."""

from typing import Any

import pytest

from tests.flows.baton import Baton

KEY = "learn-again"
# Everything a model is made of in one stage, and one stage that waits for a person: a stage of a
# run that goes on can be done again.
BLUEPRINT = f"""
key = "{KEY}"
title = "Learn again"
summary = "From a table to a judged model without people; then somebody looks."

[[inputs]]
key = "tables"
media = ["csv"]
required = true
many = true

[[parameters]]
key = "samples"
kind = "int"
default = 100
help = "Bootstrap samples of the evaluation."

[[stages]]
key = "learn"
title = "Learn"
persona = "MLR"

  [[stages.steps]]
  key = "ingest"
  operation = "ingest"
  inputs = {{ tables = "run.tables" }}
  params = {{ target = "malignant" }}

  [[stages.steps]]
  key = "profile"
  operation = "profile"
  inputs = {{ table = "learn.ingest.table" }}

  [[stages.steps]]
  key = "propose"
  operation = "infer_contract"
  inputs = {{ table = "learn.ingest.table", profile = "learn.profile.profile" }}
  params = {{ target = "malignant" }}

  [[stages.steps]]
  key = "seal"
  operation = "seal_contract"
  inputs = {{ contract = "learn.propose.contract" }}
  params = {{ default_available = "before" }}

  [[stages.steps]]
  key = "split"
  operation = "split_data"
  inputs = {{ table = "learn.ingest.table" }}
  params = {{ target = "malignant" }}

  [[stages.steps]]
  key = "build"
  operation = "build_features"
  inputs = {{ train = "learn.split.train", contract = "learn.seal.contract" }}
  params = {{ target = "malignant" }}

  [[stages.steps]]
  key = "linear"
  operation = "train_candidate"
  inputs = {{ train = "learn.split.train", features = "learn.build.features" }}
  params = {{ family = "linear" }}

  [[stages.steps]]
  key = "boosting"
  operation = "train_candidate"
  inputs = {{ train = "learn.split.train", features = "learn.build.features" }}
  params = {{ family = "boosting" }}

  [[stages.steps]]
  key = "select"
  operation = "select_candidate"
  params = {{ rule = "best" }}

    [stages.steps.inputs]
    models = ["learn.linear.model", "learn.boosting.model"]
    scores = ["learn.linear.scores", "learn.boosting.scores"]

  [[stages.steps]]
  key = "evaluate"
  operation = "evaluate_model"
  inputs = {{ candidate = "learn.select.candidate", holdout = "learn.split.holdout" }}
  params = {{ samples = {{ ref = "run.samples" }} }}

[[stages]]
key = "look"
title = "Look"
persona = "BA"
needs = ["learn"]

  [[stages.items]]
  key = "seen"
  kind = "form"
  title = "Look at it"
  fields = [{{ key = "seen", label = "I have seen it", kind = "bool", required = true }}]
"""
STEPS = {"ingest", "profile", "propose", "seal", "split", "build", "linear", "boosting", "select"}
STEPS |= {"evaluate"}
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def learning(baton: Baton) -> str:
    """A use case on the Wisconsin breast cancer data; returns its key."""
    headers = {"Content-Type": "application/toml"}
    baton.desks["OPS"].post("blueprints", content=BLUEPRINT, headers=headers)
    part = baton.bring(tumours(), "tumours.csv")
    return baton.frame("Which tumours are malignant?", KEY, inputs={"tables": [part]})


def tumours() -> bytes:
    """569 real tumours as CSV, from scikit-learn's own file."""
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer(as_frame=True)
    table = found.data.assign(malignant=found.target.map({0: "yes", 1: "no"}))
    return bytes(table.to_csv(index=False), "utf-8")


def learnt(baton: Baton, run: int, *, round: int = 1) -> dict[str, Any]:
    """Wait until a round of the learning is over; return its steps by key."""

    def over(now: dict[str, Any]) -> bool:
        assert now["state"] == "RUNNING", now["reason"]
        (stage,) = (stage for stage in now["stages"] if stage["key"] == "learn")
        assert stage["state"] != "FAILED"
        return bool(stage["round"] == round and stage["state"] == "DONE")

    baton.wait(run, over, what="learned")
    steps = baton.desks["MLR"].all(f"runs/{run}/steps")
    return {step["key"]: step for step in steps if step["round"] == round}


def digests(steps: dict[str, Any]) -> dict[str, str]:
    """Return the digest of every output by step and name."""
    return {
        f"{key}.{name}": output["digest"]
        for key, step in steps.items()
        for name, output in step["outputs"].items()
    }


@pytest.fixture(scope="module")
def first(baton: Baton, learning: str) -> tuple[int, dict[str, Any]]:
    """The first run, with its steps."""
    run = baton.run(learning)
    return run, learnt(baton, run)


def test_computed_again_every_output_is_the_same_to_the_bit(
    baton: Baton, first: tuple[int, dict[str, Any]]
) -> None:
    run, before = first
    assert set(before) == STEPS
    assert not any(step["cached"] for step in before.values())
    (stage,) = (s for s in baton.desks["MLR"].all(f"runs/{run}/stages") if s["key"] == "learn")
    asked = {"reason": "Once more, from nothing.", "refuse_cache": True}
    baton.desks["MLR"].post(f"stages/{stage['id']}/rerun", asked)
    again = learnt(baton, run, round=2)
    assert not any(step["cached"] for step in again.values())
    assert digests(again) == digests(before)
    assert {"select.candidate", "evaluate.predictions"} <= set(digests(again))


def test_another_seed_makes_another_model(
    baton: Baton, learning: str, first: tuple[int, dict[str, Any]]
) -> None:
    """So that the test above could have failed."""
    other = learnt(baton, baton.run(learning, seed=7))
    changed = {name for name, digest in digests(first[1]).items() if digests(other)[name] != digest}
    assert {"split.train", "select.candidate", "evaluate.predictions"} <= changed
    assert "ingest.table" not in changed


def test_one_changed_parameter_runs_only_what_depends_on_it(
    baton: Baton, learning: str, first: tuple[int, dict[str, Any]]
) -> None:
    same = learnt(baton, baton.run(learning))
    assert {key for key, step in same.items() if step["cached"]} == STEPS
    changed = learnt(baton, baton.run(learning, parameters={"samples": 60}))
    assert [key for key, step in changed.items() if not step["cached"]] == ["evaluate"]
    assert digests(changed)["evaluate.predictions"] == digests(first[1])["evaluate.predictions"]
    assert digests(changed)["evaluate.evaluation"] != digests(first[1])["evaluate.evaluation"]
