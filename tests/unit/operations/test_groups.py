"""Rows of one declared group are drawn, and parted, as one, whatever judges them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.operations.contract import OperationError
from pipelines.operations.learning import conformal, thresholds
from pipelines.operations.learning.example import Trained, write_model
from pipelines.operations.learning.resampling import (
    by_group,
    by_group_day_or_row,
    group_codes,
    interval,
    some_groups,
    sum_samples,
)
from pipelines.operations.measure_coverage import compute
from pipelines.operations.packages.example import write_package
from tests.unit.operations.running import perform


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return write_model(tmp_path_factory.mktemp("model"), group="vehicle")


def given(trained: Trained) -> dict[str, Path]:
    return {"candidate": trained.model, "holdout": trained.holdout}


def vehicles(path: Path) -> int:
    return int(pd.read_parquet(path)["vehicle"].nunique())


def test_rows_without_a_group_are_groups_of_their_own() -> None:
    codes = group_codes(pd.Series(["b", None, "a", "b", None]))
    assert codes.tolist() == [1, 2, 0, 1, 3]


def test_too_few_groups_leave_days_or_rows() -> None:
    frame = pd.DataFrame({"author": ["a", "b", "c"] * 30})
    assert by_group(frame["author"], samples=10, seed=0) is None
    assert by_group_day_or_row(frame, group="author", time="", samples=10, seed=0).unit == "row"


def test_groups_come_before_days_and_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    author = rng.integers(0, 40, 2000)
    values = (rng.normal(0, 1, 40)[author] + rng.normal(0, 1, 2000))[:, None]
    day = pd.date_range("2024-01-01", periods=2000, freq="h", tz="UTC")
    frame = pd.DataFrame({"author": author, "day": day})
    widths = {}
    for group in ("author", ""):
        drawn = by_group_day_or_row(frame, group=group, time="day", samples=400, seed=1)
        found = interval(0.0, sum_samples(values, drawn)[:, 0] / 2000)
        widths[drawn.unit] = found.high - found.low
    assert widths["group"] > 3 * widths["day"]


def test_halves_part_no_group() -> None:
    codes = np.random.default_rng(2).integers(0, 60, 900)
    drawn = by_group(pd.Series(codes), samples=10, seed=3)
    assert drawn is not None
    first = conformal.first_half(900, np.arange(900.0), drawn)
    assert not set(codes[first]) & set(codes[~first])
    assert abs(first.sum() - 450) < 20
    assert first.tolist() == conformal.first_half(900, None, drawn).tolist()
    assert some_groups(np.asarray([0, 0, 1]), 3, seed=0).sum() in (1, 2)


def test_groups_sorted_by_what_they_say_still_choose_for_each_other() -> None:
    """Dealt in order, the part with all positives would be judged by those without any."""
    labels = np.repeat([0, 1], [400, 100])
    scores = np.where(labels == 1, 0.75, np.where(np.arange(500) % 2, 0.85, 0.25))
    groups = by_group(pd.Series(np.arange(500) // 10 + 100), samples=10, seed=0)
    assert groups is not None
    costs = thresholds.Costs(false_alarm=1, miss=5)
    flags = thresholds.honest_flags(scores, labels, costs, groups)
    assert np.array_equal(flags, scores >= 0.75)


@pytest.mark.parametrize(
    ("operation", "params"),
    [("evaluate_model", {}), ("screen_fairness", {"sensitive": ["place"]})],
)
def test_the_group_of_the_features_is_drawn(
    operation: str, params: dict, trained: Trained, tmp_path: Path
) -> None:
    facts = perform(operation, tmp_path, given(trained), samples=50, **params).facts
    drawn = {"unit": "group", "units": vehicles(trained.holdout), "samples": 50}
    assert facts["interval"] == drawn


def test_sets_are_counted_on_groups_that_did_not_calibrate(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, parted = [], compute._parts
    monkeypatch.setattr(compute, "_parts", lambda *a: seen.append((a[1], parted(*a))) or seen[0][1])
    facts = perform("measure_coverage", tmp_path, given(trained), samples=50).facts
    assert facts["interval_unit"] == "group"
    assert facts["order"].startswith("groups drawn at random")
    holdout, parts = seen[0]
    names = holdout.frame["vehicle"]
    assert not set(names[parts.calibration]) & set(names[parts.test])
    assert abs(facts["calibrated_on"] - facts["tested_on"]) < 20


def test_champion_and_challenger_are_compared_by_group(tmp_path: Path) -> None:
    made = write_package(tmp_path)
    both = {"challenger": made.package, "holdout": made.holdout}
    params = {"samples": 100, "time": "leaves", "group_column": "vehicle"}
    assert perform("compare_champion", tmp_path, both, **params).facts["resampled_by"] == "group"
    with pytest.raises(OperationError, match="names 'crew'"):
        perform("compare_champion", tmp_path, both, **(params | {"group_column": "crew"}))
