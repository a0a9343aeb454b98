"""Events to a series, a series to forecasts that know no future, and their judgement."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from pipelines.operations import windows
from pipelines.operations.contract import Context, OperationError, clean_params
from pipelines.operations.evaluate_forecast.example import write_model
from pipelines.operations.learning import store
from pipelines.operations.learning.definition import FeatureColumn, FeatureSet, from_json
from pipelines.operations.learning.families import build
from pipelines.operations.learning.folds import ByRow, Clock, make_folds
from pipelines.operations.learning.offsets import FromColumn
from pipelines.operations.learning.resampling import (
    by_day_or_row,
    by_reach,
    interval,
    sum_samples,
)
from pipelines.operations.make_horizons.compute import run as make_horizons
from pipelines.operations.make_horizons.example import series
from pipelines.operations.make_horizons.spec import SPEC as HORIZONS
from pipelines.operations.make_series.example import events
from pipelines.operations.packages.loaded import load_package, plain_rows
from pipelines.operations.tables import read_document, write_table
from tests.unit.operations.running import perform


def made(frame: pd.DataFrame, folder: Path, **params):
    table = write_table(frame, folder / "events.parquet")
    return perform("make_series", folder, {"table": table}, time_column="leaves", **params)


def horizons(frame: pd.DataFrame, folder: Path, **params) -> pd.DataFrame:
    given = {"horizons": 3, "season": 7, "lags": 4, "windows": [4, 8]} | params
    folder.mkdir(exist_ok=True)
    path = write_table(frame, folder / "series.parquet")
    outcome = make_horizons(
        Context(
            spec=HORIZONS,
            folder=folder,
            inputs={"series": path},
            params=clean_params(HORIZONS, given),
        )
    )
    return pd.read_parquet(outcome.outputs["table"])


def test_counts_agree_with_pandas(tmp_path) -> None:
    frame = events()
    outcome = made(frame, tmp_path, groups=["place"])
    found = pd.read_parquet(outcome.outputs["series"]).set_index(["place", "moment"])["value"]
    wanted = frame.groupby("place").resample("D", on="leaves").size()
    assert outcome.facts["unfinished_steps"] == 1
    last = frame["leaves"].max().floor("D")
    assert outcome.facts["unfinished_rows"] == (frame["leaves"] >= last).sum()
    wanted = wanted[wanted.index.get_level_values("leaves") < last]
    assert len(found) == len(wanted)
    assert np.array_equal(found.to_numpy(), wanted.to_numpy())


def test_gaps_and_duplicates_are_named(tmp_path) -> None:
    facts = made(events(), tmp_path, groups=["place"]).facts
    # nobody leaves on the 17th: of each place, in January and in February
    assert (facts["gap_steps"], facts["gaps"]) == (4, 4)
    first = facts["gap_list"][0]
    assert (first["from"][:10], first["steps"], first["place"]) == ("2024-01-17", 1, "AMS")
    assert facts["duplicates"] >= 1
    assert facts["out_of_order"] >= 1


def test_nights_without_events_are_no_gaps(tmp_path) -> None:
    hours = pd.date_range("2024-01-01", periods=24 * 28, freq="h")
    day = hours[(hours.hour >= 6) & (hours != pd.Timestamp("2024-01-10T12:00"))]
    facts = made(pd.DataFrame({"leaves": day}), tmp_path, every="hour").facts
    assert facts["empty_steps"] > 100
    assert (facts["gap_steps"], facts["gap_list"][0]["from"]) == (1, "2024-01-10T12:00:00")


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({"measure": "mean"}, [2.0, None, 4.0]),
        ({"measure": "mean", "gaps": "previous"}, [2.0, 2.0, 4.0]),
        # the third is not over
        ({"measure": "sum"}, [4.0, 0.0]),
        ({"measure": "sum", "time_until": "2024-01-04"}, [4.0, 0.0, 4.0]),
        ({"measure": "last"}, [3.0, None, 4.0]),
    ],
)
def test_what_stands_in_a_gap(params, wanted, tmp_path) -> None:
    days = pd.to_datetime(["2024-01-01T10:00", "2024-01-01T12:00", "2024-01-03T01:00"])
    frame = pd.DataFrame({"leaves": days, "seats": [1.0, 3.0, 4.0]})
    outcome = made(frame, tmp_path, value_column="seats", **params)
    found = pd.read_parquet(outcome.outputs["series"])["value"]
    assert [None if pd.isna(value) else value for value in found] == wanted


@pytest.mark.parametrize(
    ("step", "every", "params", "last"),
    [
        ("min", "hour", {}, "2024-01-16T00:00:00"),  # up to 00:59
        ("h", "day", {}, "2024-01-15T00:00:00"),  # up to 00:00 of the 16th
        ("h", "day", {"time_until": "2024-01-15T12:00"}, "2024-01-14T00:00:00"),
        ("h", "day", {"time_until": "2024-01-15"}, "2024-01-14T00:00:00"),
        ("D", "day", {}, "2024-01-16T00:00:00"),  # a date stands for its day
        ("D", "week", {}, "2024-01-08T00:00:00"),
        ("D", "week", {"time_until": "2024-01-15"}, "2024-01-08T00:00:00"),
        ("h", "day", {"time_until": "2024-03-01"}, "2024-01-15T00:00:00"),  # data end before
        ("h", "day", {"measure": "last", "value_column": "seats"}, "2024-01-16T00:00:00"),
    ],
)
def test_a_step_that_the_data_end_within_is_left_out(step, every, params, last, tmp_path) -> None:
    end = {"min": "2024-01-16T00:59"}.get(step, "2024-01-16")
    times = pd.date_range("2024-01-01", end, freq=step)
    facts = made(pd.DataFrame({"leaves": times, "seats": 1.0}), tmp_path, every=every, **params)
    assert facts.facts["last"] == last
    counted = "measure" not in params and last != "2024-01-16T00:00:00"
    aligned = params.get("time_until") == "2024-01-15"
    assert facts.facts["unfinished_steps"] == int(counted and not aligned)


def test_data_within_one_step_are_no_series(tmp_path) -> None:
    times = pd.date_range("2024-01-01", periods=5, freq="h")
    with pytest.raises(OperationError) as refused:
        made(pd.DataFrame({"leaves": times}), tmp_path)
    assert refused.value.code == "no_whole_step"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"time_column": "place"}, "not_a_time"),
        ({"groups": ["nowhere"]}, "unknown_column"),
        ({"measure": "sum", "value_column": "place"}, "not_a_number"),
        ({"max_steps": 20}, "too_many_steps"),
    ],
)
def test_events_that_do_not_suit_are_refused(params, code, tmp_path) -> None:
    table = write_table(events(), tmp_path / "events.parquet")
    with pytest.raises(OperationError) as refused:
        perform("make_series", tmp_path, {"table": table}, **{"time_column": "leaves"} | params)
    assert refused.value.code == code


@pytest.mark.parametrize("at", [20, 33, 50])
def test_no_feature_knows_what_comes_after_its_origin(at, tmp_path) -> None:
    """Whatever the values from a moment on, forecasts made until then have equal features."""
    moments = pd.date_range("2024-01-01", periods=60, freq="D")
    values = np.arange(60.0) % 7
    noise = np.random.default_rng(at).normal(1000, 50, 60)
    changed = np.where(np.arange(60) >= at, values + noise, values)
    tables = [
        horizons(pd.DataFrame({"moment": moments, "value": v}), tmp_path / str(n))
        for n, v in enumerate((values, changed))
    ]
    early = [
        table[table["origin"] <= moments[at]].drop(columns="value").reset_index(drop=True)
        for table in tables
    ]
    pd.testing.assert_frame_equal(early[0], early[1])
    assert len(early[0]) > 20


def test_features_are_what_their_names_say(tmp_path) -> None:
    moments = pd.date_range("2024-01-01", periods=40, freq="D")
    values = np.random.default_rng(0).normal(size=40)
    table = horizons(pd.DataFrame({"moment": moments, "value": values}), tmp_path)
    row = table[(table["origin"] == moments[30]) & (table["horizon"] == 3)].iloc[0]
    assert row["moment"] == moments[32]
    assert row["value"] == values[32]
    assert [row[f"lag_{k}"] for k in (1, 2)] == [values[29], values[28]]
    assert row["change_1"] == values[29] - values[22]
    assert row["mean_4"] == pytest.approx(values[26:30].mean())
    assert row["deviation_8"] == pytest.approx(values[22:30].std(ddof=1))
    assert (row["season_1"], row["season_2"]) == (values[25], values[18])
    same = values[[25, 18, 11, 4]]
    assert row["above_seasons"] == pytest.approx(values[25] - same.mean())
    assert row["weekday"] == moments[32].weekday()
    # beyond a season the same place of the one before is not known yet
    far = horizons(pd.DataFrame({"moment": moments, "value": values}), tmp_path / "far", horizons=9)
    row = far[(far["origin"] == moments[25]) & (far["horizon"] == 9)].iloc[0]
    assert (row["moment"], row["season_1"]) == (moments[33], values[19])


def test_a_series_with_a_hole_is_refused(tmp_path) -> None:
    moments = pd.date_range("2024-01-01", periods=40, freq="D").delete(20)
    with pytest.raises(OperationError, match="different lengths"):
        horizons(pd.DataFrame({"moment": moments, "value": 1.0}), tmp_path)


def test_the_split_leaves_a_gap_as_long_as_the_horizon(tmp_path) -> None:
    table = horizons(series(tmp_path), tmp_path / "h")
    path = write_table(table, tmp_path / "table.parquet")
    outcome = perform("split_origins", tmp_path, {"table": path}, train_until="2024-02-15")
    train, holdout = (pd.read_parquet(outcome.outputs[name]) for name in ("train", "holdout"))
    boundary = pd.Timestamp("2024-02-15")
    assert train["moment"].max() < boundary <= holdout["origin"].min()
    left = list(outcome.facts["left_out"].values())
    assert len(train) + len(holdout) + sum(left) == len(table)
    assert left[0] == 2 * (
        1 + 2
    )  # of two places: horizons 2 and 3 of the last, 3 of the one before
    assert outcome.facts["reproducible"] is True


def test_folds_train_on_outcomes_known_at_the_origin() -> None:
    origin = pd.Series(np.repeat(pd.date_range("2024-01-01", periods=50, freq="D"), 7))
    moment = origin + pd.to_timedelta(np.tile(np.arange(7), 50), unit="D")
    truth = np.arange(350.0)
    clock = Clock(moment, origin)
    for fold in make_folds(truth, count=4, rows=1000, seed=0, time=clock, dealer=ByRow()):
        assert moment[fold.train].max() < origin[fold.test].min()
    plain = make_folds(truth, count=4, rows=1000, seed=0, time=origin, dealer=ByRow())
    assert moment[plain[0].train].max() >= origin[plain[0].test].min()


def test_a_model_from_a_column_goes_beyond_the_levels_it_saw() -> None:
    rng = np.random.default_rng(0)
    base = np.append(rng.uniform(0, 10, 300), np.nan)
    rows = np.column_stack([rng.normal(size=301), base])
    outcomes = np.where(np.isnan(base), 5.0, base) + 2 * rows[:, 0]
    model = FromColumn(1, LinearRegression()).fit(rows[:, [0, 1]][:300], outcomes[:300])
    assert model.predict(np.array([[1.0, 1000.0]])) == pytest.approx([1002.0])
    same = FromColumn(1, DecisionTreeRegressor(max_depth=2)).fit(rows[:300], outcomes[:300])
    assert np.isfinite(same.predict(np.array([[1.0, np.nan]]))).all()


def test_the_simplest_forecast_is_the_last_season() -> None:
    columns = (FeatureColumn("lag_1", "number"), FeatureColumn("season_1", "number"))
    features = FeatureSet("value", (), columns, task="regression", base="season_1", origin="origin")
    assert from_json(features.as_json()) == features
    rows = np.array([[1.0, 7.0], [2.0, 9.0], [3.0, 8.0]])
    model = build("dummy", features, {}, 0).fit(rows, np.array([1.0, 2.0, 3.0]))
    assert model.predict(rows).tolist() == [7.0, 9.0, 8.0]


def test_horizons_agree_with_counting_by_hand(tmp_path) -> None:
    trained = write_model(tmp_path)
    inputs = {"candidate": trained.model, "train": trained.train, "holdout": trained.holdout}
    outcome = perform("evaluate_forecast", tmp_path, inputs, groups=["place"], samples=60)
    train, holdout = pd.read_parquet(trained.train), pd.read_parquet(trained.holdout)
    names = store.about(trained.model)["features"]["columns"]
    frame = holdout[[column["name"] for column in names]]
    found = pd.Series(store.load(trained.model).predict(frame), index=holdout.index)
    first = train[train["horizon"] == 1]
    scale = (first["value"] - first["season_1"]).abs().groupby(first["place"]).mean()
    errors = (found - holdout["value"]).abs()
    for row in outcome.facts["horizons"]:
        mine = holdout["horizon"] == row["horizon"]
        mase = (errors / holdout["place"].map(scale))[mine].mean()
        assert row["mase"]["value"] == pytest.approx(mase, abs=1e-6)
        size = (found.abs() + holdout["value"].abs())[mine]
        assert row["smape"]["value"] == pytest.approx((200 * errors[mine] / size).mean(), abs=1e-5)
        others = (holdout["season_1"] - holdout["value"]).abs()[mine]
        assert row["gain"]["value"] == pytest.approx((others - errors[mine]).mean(), abs=1e-6)
        assert row["mase"]["low"] <= row["mase"]["value"] <= row["mase"]["high"]
        assert row["beats_naive"] == (errors[mine].mean() < others.mean())
    assert [row["horizon"] for row in outcome.facts["horizons"]] == [1, 2, 3]
    assert read_document(outcome.outputs["forecast"])["format"] == "baton/forecast/1"


def test_few_days_calibrate_by_time_whatever_the_order_of_rows(tmp_path) -> None:
    trained = write_model(tmp_path)
    holdout = pd.read_parquet(trained.holdout)
    holdout = holdout[holdout["moment"] < holdout["moment"].min() + pd.Timedelta(days=9)]
    found = []
    for name, order in (("time", ["moment"]), ("place", ["place", "moment"])):
        path = write_table(holdout.sort_values(order), tmp_path / f"{name}.parquet")
        inputs = {"candidate": trained.model, "train": trained.train, "holdout": path}
        facts = perform(
            "evaluate_forecast", tmp_path / name, inputs, groups=["place"], alpha=0.5, samples=60
        ).facts
        assert facts["resampled_by"] == "row"
        found.append([(row["interval"], row["pinball"]) for row in facts["horizons"]])
    assert found[0] == found[1]
    assert all(interval is not None for interval, _ in found[0])


def test_a_series_that_was_not_learned_from_is_refused(tmp_path) -> None:
    trained = write_model(tmp_path)
    train = pd.read_parquet(trained.train)
    only = write_table(train[train["place"] == "AMS"], tmp_path / "only.parquet")
    inputs = {"candidate": trained.model, "train": only, "holdout": trained.holdout}
    with pytest.raises(OperationError, match="BRU has forecasts to judge"):
        perform("evaluate_forecast", tmp_path, inputs, groups=["place"], samples=60)


@pytest.mark.parametrize("family", ["dummy", "linear", "boosting"])
def test_single_forecasts_are_served_by_the_row_form(family, tmp_path) -> None:
    trained = write_model(tmp_path, family=family, base="season_1")
    given = {"candidate": trained.model, "holdout": trained.holdout}
    facts = perform("package_model", tmp_path, given, golden=40).facts
    assert (facts["row_form"], facts["row_form_reason"]) == (True, "")
    assert facts["row_form_difference"] < 1e-12


# --- an interval for each step, money beside the last season, blocks as long as the reach -------


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A model of forecasts, judged as the blueprint has it judged."""
    folder = tmp_path_factory.mktemp("judged")
    made_ = write_model(folder, base="season_1")
    inputs = {"candidate": made_.model, "holdout": made_.holdout}
    outcome = perform(
        "evaluate_model", folder, inputs, alpha=0.2, samples=50, costs={"unit_cost": 2},
        interval_by="horizon", usual_column="season_1",
    )  # fmt: skip
    return made_, outcome


def test_each_step_has_the_interval_of_its_own_errors(judged) -> None:
    _, outcome = judged
    found = outcome.facts["prediction_interval"]
    table = pd.read_parquet(outcome.outputs["predictions"])
    errors = table["label"] - table["score"]
    assert found["by"] == "horizon"
    assert [row["step"] for row in found["steps"]] == sorted(table["step"].unique())
    for row in found["steps"]:
        mine = table["step"] == row["step"]
        set_ = np.sort(errors[mine & table["calibrates"]])
        place = int((set_.size + 1) * 0.1 + 1e-9)
        assert row["low"] == set_[place - 1]
        assert row["high"] == set_[set_.size - place]
        ends = (table["low"] - table["score"])[mine]
        assert np.allclose(ends, row["low"])
    inside = (table["label"] >= table["low"]) & (table["label"] <= table["high"])
    assert found["coverage"] == pytest.approx(inside[~table["calibrates"]].mean())
    assert found["checked_rows"] == (~table["calibrates"]).sum()


def test_forecasts_are_worth_what_they_save_beside_the_last_season(judged) -> None:
    made_, outcome = judged
    table, rows = (
        pd.read_parquet(path) for path in (outcome.outputs["predictions"], made_.holdout)
    )
    saved = (rows["value"] - rows["season_1"]).abs() - (table["label"] - table["score"]).abs()
    money = outcome.facts["value"]
    assert money["per_1000"]["value"] == pytest.approx(2000 * saved.mean(), rel=1e-6)
    assert money["against"][0]["against"] == "answering season_1"


def test_answers_carry_the_interval_of_their_step(judged, tmp_path) -> None:
    made_, outcome = judged
    inputs = {
        "candidate": made_.model,
        "holdout": made_.holdout,
        "evaluation": outcome.outputs["evaluation"],
    }
    package = load_package(perform("package_model", tmp_path, inputs).outputs["package"])
    frame = pd.read_parquet(made_.holdout).groupby("horizon").head(1)
    rows = plain_rows(frame, package.signature)
    strange = {**rows[0], "horizon": 99}
    answers = package.more(package.predict([*rows, strange]))
    steps = {row["step"]: row for row in outcome.facts["prediction_interval"]["steps"]}
    for row, answer in zip(rows, answers, strict=False):
        margin = steps[row["horizon"]]
        assert answer["low"] == pytest.approx(answer["prediction"] + margin["low"])
        assert answer["high"] == pytest.approx(answer["prediction"] + margin["high"])
    # nobody has looked at forecasts 99 steps ahead: nothing is promised of them
    assert (answers[-1]["low"], answers[-1]["high"]) == (None, None)


def test_late_outcomes_are_held_against_interval_and_season_of_their_step(judged, tmp_path) -> None:
    made_, outcome = judged
    table = pd.read_parquet(outcome.outputs["predictions"])
    rows = pd.read_parquet(made_.holdout)
    window = rows[["horizon", "season_1", "moment"]].assign(
        **{
            windows.KEY: rows["key"].astype(str),
            windows.EVENT_TIME: rows["moment"],
            windows.AT: rows["moment"],
            windows.RECEIVED_AT: rows["moment"],
            windows.SERVED_BY: windows.MODEL,
            windows.SCORE: table["score"].to_numpy(),
            windows.ACTUAL: rows["value"].astype(str),
        }
    )
    inputs = {
        "window": write_table(window, tmp_path / "window.parquet"),
        "predictions": outcome.outputs["predictions"],
    }
    facts = perform(
        "measure_quality", tmp_path, inputs, metric="mae", minimum=20, costs={"unit_cost": 2}
    ).facts
    assert facts["beside"] == "answering season_1"
    assert facts["worth_per_1000"] == pytest.approx(
        outcome.facts["value"]["per_1000"]["value"], abs=0.01
    )
    inside = (table["label"] >= table["low"]) & (table["label"] <= table["high"])
    assert facts["interval"]["coverage"] == pytest.approx(inside.mean(), abs=1e-6)


def test_blocks_are_as_long_as_forecasts_reach() -> None:
    origins = pd.date_range("2024-01-01", periods=200, freq="D", tz="UTC")
    origin = pd.Series(origins.repeat(7))
    moment = origin + pd.to_timedelta(np.tile(np.arange(7), 200), unit="D")
    found = by_reach(moment, origin, samples=10, seed=0)
    assert found is not None
    assert (found.unit, found.days, found.wanted_days) == ("block", 7.0, None)
    spans = moment.groupby(found.blocks).agg(lambda days: (days.max() - days.min()).days)
    assert (spans <= 6).all()
    few = moment < pd.Timestamp("2024-02-01", tz="UTC")
    short = by_reach(moment[few], origin[few], samples=10, seed=0)
    assert short is not None
    assert (short.days, short.wanted_days) == (3.0, 7.0)
    assert by_reach(moment[:21], origin[:21], samples=10, seed=0) is None
    missing = moment.where(np.arange(1400) > 0)
    assert by_reach(missing, origin, samples=10, seed=0) is None


def test_errors_that_overlap_make_the_interval_wider_than_days_say() -> None:
    """Forecasts seven days ahead from every day: each error holds seven days' news."""
    draw = np.random.default_rng(4)
    days = pd.Series(pd.date_range("2024-01-01", periods=400, freq="D", tz="UTC"))
    covered = {"day": 0, "block": 0}
    for trial in range(150):
        news = draw.normal(size=407)
        errors = np.convolve(news, np.ones(7) / 7, mode="valid")[:400]
        for drawn in (
            by_day_or_row(400, days, samples=100, seed=trial),
            by_reach(days, days - pd.Timedelta(days=6), samples=100, seed=trial),
        ):
            assert drawn is not None
            sums = sum_samples(np.column_stack([errors, np.ones(400)]), drawn)
            found = interval(float(errors.mean()), sums[:, 0] / sums[:, 1])
            covered[drawn.unit] += found.low <= 0 <= found.high
    assert covered["day"] < 105  # of 150: 95 % would be 142
    assert covered["block"] > 125


def test_a_horizon_with_few_forecasts_is_named(tmp_path) -> None:
    made_ = write_model(tmp_path)
    rows = pd.read_parquet(made_.holdout)
    last = rows["horizon"].max()
    keep = (rows["horizon"] < last) | ((rows["horizon"] == last).cumsum() <= 4)
    inputs = {
        "candidate": made_.model,
        "train": made_.train,
        "holdout": write_table(rows[keep], tmp_path / "few.parquet"),
    }
    facts = perform("evaluate_forecast", tmp_path, inputs, groups=["place"], samples=50).facts
    assert facts["too_few"] == [{"horizon": int(last), "rows": 4}]
    assert last not in [row["horizon"] for row in facts["horizons"]]


def test_coverage_counts_the_intervals_that_are_served(judged, tmp_path) -> None:
    made_, outcome = judged
    inputs = {"candidate": made_.model, "holdout": made_.holdout}
    found = perform(
        "measure_coverage", tmp_path, inputs, alpha=0.2, interval_by="horizon", samples=50,
        groups=["horizon"],
    ).facts  # fmt: skip
    served = outcome.facts["prediction_interval"]
    assert found["served"] == "one margin each step"
    assert found["coverage"]["value"] == pytest.approx(served["coverage"], abs=1e-6)
    steps = {f"horizon = {row['step']:g}": row["coverage"] for row in served["steps"]}
    for row in found["groups"]:
        assert row["coverage"] == pytest.approx(steps[row["group"]], abs=1e-6)
