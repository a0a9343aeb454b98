"""Time and group together: later rows decide, and no group is on both sides."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from pipelines.checks import explore
from pipelines.operations.learning.folds import ByRow, Clock, make_folds
from pipelines.operations.learning.spanning import kept_apart, spanning
from pipelines.operations.tables import write_table
from tests.unit.operations.running import perform

ROWS = 600


def table(groups: np.ndarray) -> pd.DataFrame:
    draw = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "at": pd.date_range("2024-01-01", periods=groups.size, freq="h", tz="UTC"),
            "who": groups,
            "y": draw.normal(size=groups.size),
        }
    )


def split(frame: pd.DataFrame, folder, **params):
    path = write_table(frame, folder / "t.parquet")
    given = {"target": "y", "task": "regression", "group_column": "who"} | params
    outcome = perform("split_data", folder, {"table": path}, **given)
    parts = [pd.read_parquet(outcome.outputs[name]) for name in ("train", "holdout")]
    return outcome.facts, *parts


def test_with_time_and_group_both_hold(tmp_path) -> None:
    """Every person comes again and again: time alone had all of them on both sides."""
    frame = table(np.random.default_rng(2).integers(0, 40, ROWS))
    facts, train, holdout = split(frame, tmp_path, time_column="at")
    assert facts["rule"] == "time and group"
    assert train["at"].max() < holdout["at"].min()
    assert not set(train["who"]) & set(holdout["who"])
    assert facts["groups_shared"] == 0
    assert facts["group_rows_shared"] == 0
    assert facts["boundaries"]["groups_spanning"] == 39
    assert len(train) + len(holdout) + sum(facts["left_out"].values()) == ROWS
    assert len(set(holdout["who"])) == 12  # three in ten of those that span
    assert explore.no_overlap({"explore.split": facts}, {}).verdict == "pass"


def test_groups_on_one_side_stay_whole(tmp_path) -> None:
    frame = table(np.arange(ROWS) // 10)
    facts, train, holdout = split(frame, tmp_path, time_column="at", holdout_share=0.25)
    assert len(train) + len(holdout) == ROWS
    assert facts["left_out"] == {}


def test_where_it_cannot_be_it_is_measured_and_said(tmp_path) -> None:
    frame = table(np.zeros(ROWS, dtype=int))
    facts, _, _ = split(frame, tmp_path, time_column="at")
    assert (facts["rule"], facts["groups_shared"]) == ("time", 1)
    assert facts["group_rows_shared"] == 1.0
    found = explore.no_overlap({"explore.split": facts}, {})
    assert found.verdict == "fail"
    assert "100.0% of the rows to decide on are of groups that have trained" in found.summary


def test_rows_without_a_group_are_each_their_own(tmp_path) -> None:
    """They were one big group, all on one side."""
    who = np.where(np.arange(ROWS) % 2, (np.arange(ROWS) // 20).astype(str), None)
    facts, train, holdout = split(table(who), tmp_path, holdout_share=0.3)
    assert facts["boundaries"]["rows_without_group"] == 300
    assert facts["boundaries"]["groups"] == 330
    assert train["who"].isna().sum() > 150
    assert holdout["who"].isna().sum() > 50
    assert facts["groups_shared"] == 0


def test_folds_forward_in_time_keep_groups_apart() -> None:
    frame = table(np.random.default_rng(2).integers(0, 40, ROWS))
    clock = Clock(frame["at"], group=frame["who"])
    truth = frame["y"].to_numpy()
    folds = make_folds(truth, count=3, rows=1000, seed=0, time=clock, dealer=ByRow(frame["who"]))
    assert len(folds) == 3
    for fold in folds:
        assert frame["at"].iloc[fold.train].max() < frame["at"].iloc[fold.test].min()
        assert not set(frame["who"].iloc[fold.train]) & set(frame["who"].iloc[fold.test])
        assert min(fold.train.size, fold.test.size) > 20


@examples(
    codes=st.lists(st.integers(0, 6), min_size=2, max_size=40),
    place=st.floats(0.05, 0.95),
    seed=st.integers(0, 50),
)
@settings(max_examples=150, deadline=None)
def test_no_group_is_on_both_sides_unless_a_side_would_be_empty(codes, place, seed) -> None:
    given = np.asarray(codes, dtype=np.int64)
    early = np.arange(given.size) < max(1, int(place * given.size))
    kept = kept_apart(given, early, seed=seed)
    assert np.array_equal(kept, kept_apart(given, early, seed=seed))
    if (~early).any():
        assert (kept & early).any()
        assert (kept & ~early).any()
    if not kept.all():
        assert not spanning(given[kept], early[kept]).size
    elif spanning(given, early).size:
        assert np.unique(given).size == 1


@pytest.mark.parametrize("beside", [True, False])
def test_one_group_that_spans_decides_where_others_train(beside) -> None:
    codes = np.asarray([9, 5, 5, 5] if beside else [5, 5, 5, 7])
    early = np.asarray([True, True, False, False])
    kept = kept_apart(codes, early, seed=0)
    assert kept.tolist() == ([True, False, True, True] if beside else [True, True, False, True])
