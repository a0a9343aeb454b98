"""The staleness curve: a world that turns is seen to age, one that stands still is not."""

import numpy as np
import pandas as pd
import pytest

from pipelines.operations.age_model import curve, numbers
from pipelines.operations.age_model.periods import calendar
from pipelines.operations.learning import store
from pipelines.operations.learning.candidates import about_model
from pipelines.operations.learning.definition import FeatureColumn, FeatureSet
from pipelines.operations.learning.families import build, encode, whole
from pipelines.operations.learning.resampling import Resampling, by_day_or_row
from pipelines.operations.tables import write_table
from tests.unit.operations.running import perform

ROWS = 3600


def world(turn: float) -> pd.DataFrame:
    """What decides turns from `a` to `b` by this angle over the year; both are always known."""
    draw = np.random.default_rng(1)
    a, b = draw.normal(size=(2, ROWS))
    angle = np.linspace(0, turn, ROWS)
    chance = 1 / (1 + np.exp(-3 * (np.cos(angle) * a + np.sin(angle) * b)))
    return pd.DataFrame(
        {
            "t": pd.date_range("2024-01-01", periods=ROWS, freq="2h", tz="UTC"),
            "a": a,
            "b": b,
            "late": (draw.random(ROWS) < chance).astype("int64"),
        }
    )


def given(frame: pd.DataFrame, folder, *, time: str = "t") -> dict:
    columns = (FeatureColumn("a", "number"), FeatureColumn("b", "number"))
    features = FeatureSet("late", (0, 1), columns, (), time)
    encoder, matrix = encode(features, frame, field="train")
    model = build("linear", features, {}, 1)
    model.fit(matrix, frame["late"])
    about = about_model(features, family="linear", settings={}, seed=1)
    return {
        "candidate": store.dump(whole(encoder, model), folder / "m.skops", about),
        "train": write_table(frame[: ROWS * 3 // 4], folder / "train.parquet"),
        "holdout": write_table(frame[ROWS * 3 // 4 :], folder / "holdout.parquet"),
    }


def aged(turn: float, folder, **params):
    return perform("age_model", folder, given(world(turn), folder), samples=50, **params).facts


def test_a_world_that_turns_is_seen_to_age(tmp_path) -> None:
    facts = aged(2.5, tmp_path)
    assert facts["aged"] is True
    assert facts["decays"] is True
    losses = [row["loss"] for row in facts["curve"]]
    assert losses[0] == 0
    assert losses[6] > losses[4] > losses[2] > 0
    assert facts["loss_at_end"]["low"] > 0.1
    life = facts["half_life"]
    assert life["low"] <= life["value"] <= life["high"]
    assert 20 < facts["half_life_days"] == life["value"] < 300
    assert facts["period_days"] == pytest.approx(ROWS / 12 / 12, rel=0.01)


def test_a_world_that_stands_still_is_not(tmp_path) -> None:
    facts = aged(0.0, tmp_path)
    assert abs(facts["loss_at_end"]["value"]) < 0.01
    assert facts["decays"] is False
    assert facts["half_life_days"] is None


def test_windows_of_a_sampled_table_learn_with_its_weights(tmp_path) -> None:
    """Of three in four rows that are not late one in four is kept, and weighs four."""
    files = given(world(0.0), tmp_path)
    train = pd.read_parquet(files["train"])
    kept = (train["late"] == 1) | (np.arange(len(train)) % 4 == 0)
    sample = train[kept].assign(baton_weight=np.where(train[kept]["late"] == 1, 1.0, 4.0))
    fresh = {}
    for name, table in (("whole", train), ("weighed", sample),
                        ("alike", sample.drop(columns="baton_weight"))):  # fmt: skip
        path = write_table(table, tmp_path / f"{name}.parquet")
        given_files = {**files, "train": path}
        facts = perform(
            "age_model", tmp_path / name, given_files, samples=50, metric="log_loss"
        ).facts
        # scored on rows of the holdout, which are whole
        fresh[name] = facts["curve"][-1]["value"]
    assert fresh["weighed"] == pytest.approx(fresh["whole"], abs=0.02)
    assert fresh["alike"] > fresh["whole"] + 0.05


@pytest.mark.parametrize("metric", ["pr_auc", "log_loss", "brier"])
def test_losses_are_positive_where_older_is_worse_whatever_the_metric(tmp_path, metric) -> None:
    facts = aged(2.5, tmp_path, metric=metric, ages=3, tests=2)
    assert facts["loss_at_end"]["low"] > 0
    assert facts["curve"][0]["skill"] > facts["curve"][3]["skill"]


def test_windows_end_so_many_periods_before_what_they_are_scored_on() -> None:
    time = pd.Series(pd.date_range("2024-01-01", periods=120, freq="D"))
    known = calendar(time, window=3, ages=4, tests=3)
    assert known is not None
    assert (known.count, list(known.scored)) == (10, [7, 8, 9])
    assert known.ends == [2, 3, 4, 5, 6, 7, 8]
    for period in known.scored:
        for age in range(5):
            trained, scored = known.training(period - 1 - age), known.scoring(period)
            gap = (time[scored].min() - time[trained].max()).days
            assert gap == pytest.approx(age * known.days + 1, abs=1.01)
            assert len(trained) == pytest.approx(36, abs=1)


def test_rows_without_a_time_are_in_no_period() -> None:
    time = pd.Series([pd.Timestamp("2024-01-01"), pd.NaT, pd.Timestamp("2024-03-01")])
    known = calendar(time, window=1, ages=1, tests=1)
    assert known is not None
    assert known.place.tolist() == [0, -1, 2]
    assert 1 not in known.training(0)
    assert calendar(time[:2], window=1, ages=1, tests=1) is None


def test_half_life_is_that_of_the_curve_it_is_read_off() -> None:
    skill = 0.4 * 0.5 ** (np.arange(7) / 3.0)
    draw = np.random.default_rng(1)
    samples = skill * np.exp(draw.normal(0, 0.02, (400, 7)))
    life, shown = curve.half_life(skill, samples)
    assert life.value == pytest.approx(3.0)
    assert life.low < 3 < life.high < 3.5
    assert shown
    flat, shown = curve.half_life(np.full(7, 0.4), np.full((50, 7), 0.4))
    assert not shown
    assert flat.value == np.inf
    none, shown = curve.half_life(np.full(7, -0.1), np.full((50, 7), -0.1))
    assert not shown
    assert np.isnan(none.value)


def test_chance_alone_rarely_shows_decay() -> None:
    draw = np.random.default_rng(2)
    shown = 0
    for _ in range(200):
        truth = 0.4 + draw.normal(0, 0.02, 7)
        samples = truth + draw.normal(0, 0.02, (200, 7))
        shown += curve.half_life(truth, samples)[1]
    assert shown <= 14  # 2.5 % would be 5


def test_ages_are_compared_on_the_same_samples() -> None:
    draw = np.random.default_rng(3)
    labels = (draw.random(300) < 0.4).astype("int64")
    scores = draw.random(300)
    resampling = by_day_or_row(300, None, samples=50, seed=1)
    found = curve.combine(
        [curve.score_ages([scores, scores], labels, "roc_auc", resampling)], "roc_auc"
    )
    assert (found.losses[1].low, found.losses[1].value, found.losses[1].high) == (0, 0, 0)


@pytest.mark.parametrize(("present", "rows"), [(60, 60), (19, 100)])
def test_a_column_is_compared_on_the_rows_that_have_it(present: int, rows: int) -> None:
    """Rows without the last season are hard: scored by the model alone they would cost it skill."""
    rng = np.random.default_rng(3)
    truth = rng.normal(size=100)
    predicted = truth + np.where(np.arange(100) < present, 0.1, 5.0)
    naive = np.where(np.arange(100) < present, truth + 1.0, np.nan)
    drawn = Resampling(np.arange(100) // 2, 50, 1, "day")
    found = numbers.score_ages([predicted], truth, "mae", drawn, naive=naive)
    expected = np.abs(predicted - truth)[:rows].mean()
    assert found.values[0] == pytest.approx(expected)
    assert abs(found.samples.mean() - expected) < 0.5
    alone = np.abs(truth - np.median(truth)).mean()
    assert found.no_skill == pytest.approx(1.0 if rows == present else alone)


def test_why_there_is_no_curve_is_said(tmp_path) -> None:
    frame = world(1.0)
    (tmp_path / "a").mkdir()
    facts = perform("age_model", tmp_path / "a", given(frame, tmp_path / "a", time="")).facts
    assert facts == {"aged": False, "not_aged": "no time column is known"}
    frame["t"] = frame["t"].iloc[0]
    (tmp_path / "b").mkdir()
    facts = perform("age_model", tmp_path / "b", given(frame, tmp_path / "b")).facts
    assert facts["not_aged"] == "all rows are of one moment"
    frame = world(1.0)
    frame.loc[:400, "late"] = 0
    (tmp_path / "c").mkdir()
    facts = perform("age_model", tmp_path / "c", given(frame, tmp_path / "c"), window=1).facts
    assert "fewer than 10 rows of a class" in facts["not_aged"]
