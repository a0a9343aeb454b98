"""A search whose child is killed goes on in the next attempt."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from pipelines.operations.learning.example import write_features, write_rows
from pipelines.runs.lanes import Lane, Work

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
TRIALS = 6


def asked(folder: Path, out: str, kept: Path | None, *, threads: int = 1) -> Work:
    """A small search."""
    given = folder / "given"
    given.mkdir(exist_ok=True)
    train, features = given / "train.parquet", given / "features.json"
    if not features.exists():
        write_rows(train)
        write_features(given)
    (folder / out).mkdir()
    return Work(
        operation="search_candidate",
        params={"family": "boosting", "n_trials": TRIALS, "folds": 2},
        inputs={"train": str(train), "features": str(features)},
        many={}, seed=5, folder=folder / out, max_runtime=120, max_memory=2000,
        threads=threads, kept=kept,
    )  # fmt: skip


def outputs(message: dict[str, Any]) -> dict[str, bytes]:
    return {name: Path(path).read_bytes() for name, path in message["outputs"].items()}


def test_a_killed_search_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_WARM_IMPORTS", "")
    lane, kept = Lane(0, tmp_path), tmp_path / "kept"

    def kill(message: dict[str, Any] | None) -> None:
        if kept.is_dir() and len(list(kept.glob("*.json"))) >= 2 and lane.child is not None:
            os.kill(lane.child.pid, signal.SIGKILL)

    try:
        died = lane.perform(asked(tmp_path, "first", kept), kill, beat_every=0.05)
        assert died.kind == "lost"
        done = len(list(kept.glob("*.json")))
        assert 2 <= done < TRIALS
        told = {p.name: json.loads(p.read_text())["seconds"] for p in kept.glob("*.json")}
        second = lane.perform(asked(tmp_path, "second", kept), nothing, beat_every=1)
        whole = lane.perform(asked(tmp_path, "whole", None, threads=2), nothing, beat_every=1)
    finally:
        lane.kill()
    assert (second.kind, whole.kind) == ("done", "done")
    assert outputs(second.message) == outputs(whole.message)
    taken = second.message["facts"]["taken_over_seconds"]
    assert taken == pytest.approx(sum(told.values()), abs=0.01)
    assert "taken over from an attempt before" in second.log


def nothing(message: dict[str, Any] | None) -> None:
    """Let it work."""
