"""What a lane does with its child: a small one of our own stands in for the real."""

import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines import catalogue
from pipelines.operations.contract import Outcome
from pipelines.runs import child, lanes
from pipelines.runs.lanes import Lane, Work

CHILD = """
import json, os, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"kind": "progress", "fraction": 0.5, "message": "", "rows": None}))
    sys.stdout.flush()
    time.sleep(asked["params"].get("seconds", 0))
    print(json.dumps({"kind": "done", "of": asked["seed"], "env": sorted(os.environ)}))
    sys.stdout.flush()
"""


@pytest.fixture
def lane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A lane whose child answers with the seed it was given."""
    monkeypatch.setattr(lanes, "CHILD_COMMAND", (sys.executable, "-c", CHILD))
    made = Lane(0, tmp_path)
    yield made
    made.kill()


def work(folder: Path, seed: int, **params: Any) -> Work:
    """Something to do."""
    return Work("noop", params, {}, {}, seed, folder, 60, 4096)


def test_the_answer_of_a_deserted_attempt_is_not_the_next_ones(lane: Lane, tmp_path: Path) -> None:
    def defect(message: dict[str, Any] | None) -> None:
        raise ValueError("a progress that cannot be written")

    with pytest.raises(ValueError, match="cannot be written"):
        lane.perform(work(tmp_path, 1, seconds=0.2), defect, beat_every=1)
    answer = lane.perform(work(tmp_path, 2), lambda message: None, beat_every=1)
    assert (answer.kind, answer.message["of"]) == ("done", 2)


def test_a_child_knows_none_of_our_secrets(
    lane: Lane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "BATON_SECRET_KEY", "AWS_KEY")
    for name in (*secrets, "BATON_FAULTS"):
        monkeypatch.setenv(name, "x")
    answer = lane.perform(work(tmp_path, 1), lambda message: None, beat_every=1)
    known = set(answer.message["env"])
    assert not known & set(secrets)
    assert "BATON_FAULTS" in known


def test_a_dead_child_is_said_to_be_lost(lane: Lane, tmp_path: Path) -> None:
    def kill(message: dict[str, Any] | None) -> None:
        assert lane.child is not None
        os.kill(lane.child.pid, signal.SIGKILL)

    answer = lane.perform(work(tmp_path, 1, seconds=30), kill, beat_every=1)
    assert (answer.kind, answer.message["error"]["code"]) == ("lost", "worker_lost")


def test_facts_that_are_too_large_are_refused_where_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Outcome(outputs={}, facts={"list": ["x" * 1024] * 5000})
    monkeypatch.setattr(catalogue, "resolve", lambda name: lambda context: found)
    said = io.BytesIO()
    asked = {"operation": "noop", "params": {}, "inputs": {}, "many": {}, "seed": 1}
    child.compute({**asked, "folder": str(tmp_path)}, child.Channel(said))
    (answer,) = [json.loads(line) for line in said.getvalue().splitlines()]
    assert (answer["kind"], answer["error"]["code"]) == ("error", "facts_too_large")
