"""What outlives an attempt: a folder named by what is computed, gone with its result."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pipelines.runs import keeping
from pipelines.runs.claims import Claim

PORTS = {"train": [{"name": "t", "digest": "a" * 64, "media": "parquet"}]}
HELD = Claim(
    id=1, step_id=2, run_id=3, token=1, operation="search_candidate", params={"n_trials": 5},
    inputs={"ports": PORTS, "feeds": {}}, seed=7, queue="cpu", owner=uuid4(),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _var(tmp_path: Path, settings: Any) -> None:
    settings.VAR = tmp_path


def test_the_same_computation_has_the_same_place_whoever_holds_it() -> None:
    place = keeping.place_of(HELD)
    assert place is not None
    other = replace(HELD, id=9, step_id=8, run_id=7, token=4, owner=uuid4())
    assert keeping.place_of(other) == place


@pytest.mark.parametrize(
    "change",
    [
        {"params": {"n_trials": 6}},
        {"seed": 8},
        {"inputs": {"ports": {"train": [{"name": "t", "digest": "b" * 64}]}, "feeds": {}}},
    ],
)
def test_anything_else_has_another_place(change: dict[str, Any]) -> None:
    assert keeping.place_of(replace(HELD, **change)) != keeping.place_of(HELD)


def test_what_keeps_nothing_or_is_fed_just_in_time_has_none() -> None:
    assert keeping.place_of(replace(HELD, operation="noop")) is None
    fed = replace(HELD, inputs={"ports": PORTS, "feeds": {"x": "champion"}})
    assert keeping.place_of(fed) is None
    keeping.forget(fed)


def test_an_accepted_result_ends_it_and_a_week_does(tmp_path: Path) -> None:
    place = keeping.place_of(HELD)
    assert place is not None
    keeping.remove_old()  # nothing was kept yet
    place.mkdir(parents=True)
    (place / "trial-0.json").write_text("{}")
    keeping.remove_old()
    assert place.is_dir()
    keeping.forget(HELD)
    assert not place.exists()
    place.mkdir()
    old = time.time() - keeping.KEEP_SECONDS - 60
    os.utime(place, (old, old))
    keeping.remove_old()
    assert not place.exists()
