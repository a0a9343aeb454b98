"""Clean retrain, load test, champion, traffic, drift, quality: known answers."""

import importlib
from pathlib import Path

import pandas as pd
import pytest

from pipelines.operations import windows
from pipelines.operations.compare_champion.question import same_question
from pipelines.operations.contract import (
    Context,
    NotYet,
    OperationError,
    Outcome,
    clean_params,
)
from pipelines.operations.learning.example import write_model, write_rows
from pipelines.operations.measure_traffic.compute import run as measure_traffic
from pipelines.operations.measure_traffic.spec import SPEC as TRAFFIC
from pipelines.operations.packages.example import write_package, write_window
from pipelines.operations.tables import read_table, write_table
from tests.unit.operations.running import perform


def test_a_recipe_gives_the_same_model_again(tmp_path: Path) -> None:
    trained = write_model(tmp_path)
    given = {"candidate": trained.model, "holdout": trained.holdout}
    train = write_rows(tmp_path / "train.parquet")
    facts = perform("retrain_clean", tmp_path, {**given, "train": train}).facts
    assert (facts["predictions_equal"], facts["file_equal"]) == (True, True)
    other = write_rows(tmp_path / "other.parquet", seed=8)
    facts = perform("retrain_clean", tmp_path, {**given, "train": other}).facts
    assert (facts["predictions_equal"], facts["file_equal"]) == (False, False)


def test_a_load_test_of_a_sound_package(tmp_path: Path) -> None:
    made = write_package(tmp_path)
    given = {"package": made.package, "holdout": made.holdout}
    facts = perform("load_test", tmp_path, given, rows=60, singles=40).facts
    assert (facts["loads"], facts["golden_difference"], facts["skew_rows"]) == (True, 0.0, 0)
    assert facts["schema_problems"] == []
    bad = facts["bad_input"]
    assert isinstance(bad, list)
    assert len(bad) == 9
    assert all(isinstance(row, dict) and row["refused"] for row in bad)
    assert isinstance(facts["p50_seconds"], float)
    assert facts["p50_seconds"] < float(str(facts["pipeline_p50_seconds"]))


def test_a_load_test_names_what_differs(tmp_path: Path) -> None:
    made = write_package(tmp_path)
    frame = read_table(made.holdout)
    frame["wind"] = frame["wind"].round().astype("int64")
    frame.loc[0, "place"] = "XXX"
    changed = write_table(frame, tmp_path / "changed.parquet")
    given = {"package": made.package, "holdout": changed}
    facts = perform("load_test", tmp_path, given, rows=60, singles=40).facts
    problems = facts["schema_problems"]
    assert isinstance(problems, list)
    assert "column wind is int64 in the holdout, float64 served" in problems
    assert any("must be one of AMS" in str(one) for one in problems)


def test_a_broken_package_does_not_load(tmp_path: Path) -> None:
    made = write_package(tmp_path)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(made.package.read_bytes()[:-40])
    given = {"package": broken, "holdout": made.holdout}
    facts = perform("load_test", tmp_path, given, rows=60, singles=40).facts
    assert (facts["loads"], facts["code"]) == (False, "no_zip")


def test_a_challenger_against_the_champion(tmp_path: Path) -> None:
    good, bad = write_package(tmp_path), write_package(tmp_path, family="dummy")
    given = {"challenger": good.package, "champion": bad.package, "holdout": good.holdout}
    facts = perform("compare_champion", tmp_path, given, samples=100).facts
    rows = {row["metric"]: row for row in facts["metrics"] if isinstance(row, dict)}  # type: ignore[union-attr]
    assert all(row["better"] and row["not_worse"] for row in rows.values())
    assert 0 < rows["roc_auc"]["low"] < rows["roc_auc"]["gain"] < rows["roc_auc"]["high"]  # type: ignore[operator]
    assert rows["roc_auc"]["champion"] == 0.5
    turned = {**given, "challenger": bad.package, "champion": good.package}
    facts = perform("compare_champion", tmp_path, turned, samples=100).facts
    rows = {row["metric"]: row for row in facts["metrics"] if isinstance(row, dict)}  # type: ignore[union-attr]
    assert not any(row["not_worse"] for row in rows.values())


def test_forecasts_are_drawn_in_blocks_as_long_as_they_reach(tmp_path: Path) -> None:
    made = write_package(tmp_path)
    rows = read_table(made.holdout)
    rows["leaves"] = pd.date_range("2031-01-01", periods=len(rows), freq="6h", tz="UTC")
    rows["made"] = rows["leaves"] - pd.Timedelta(days=3)
    write_table(rows, tmp_path / "asked.parquet")
    given = {"challenger": made.package, "holdout": tmp_path / "asked.parquet"}
    drawn = {
        origin: perform(
            "compare_champion", tmp_path, given, samples=100, time="leaves", origin_column=origin
        ).facts["resampled_by"]
        for origin in ("made", "")
    }
    assert drawn == {"made": "block", "": "day"}


def test_a_model_against_itself_gains_nothing(tmp_path: Path) -> None:
    made = write_package(tmp_path)
    given = {"challenger": made.package, "champion": made.package, "holdout": made.holdout}
    facts = perform("compare_champion", tmp_path, given, samples=100).facts
    rows = [row for row in facts["metrics"] if isinstance(row, dict)]  # type: ignore[union-attr]
    assert {(row["gain"], row["low"], row["high"]) for row in rows} == {(0.0, 0.0, 0.0)}


def test_samples_of_both_models_are_of_the_same_rows(tmp_path: Path) -> None:
    """The spread of the paired gain is that of pairs, smaller than of two unpaired samples."""
    good, other = write_package(tmp_path), write_package(tmp_path, family="linear")
    given = {"challenger": good.package, "champion": other.package, "holdout": good.holdout}
    facts = perform("compare_champion", tmp_path, given, samples=200).facts
    turned = {**given, "challenger": other.package, "champion": good.package}
    back = perform("compare_champion", tmp_path / "back", turned, samples=200).facts
    for one, two in zip(facts["metrics"], back["metrics"], strict=True):  # type: ignore[arg-type]
        assert one["gain"] == pytest.approx(-two["gain"])
        assert one["low"] == pytest.approx(-two["high"])
        assert one["standard_error"] == pytest.approx(two["standard_error"])
    loss = next(row for row in facts["metrics"] if row["metric"] == "brier")  # type: ignore[union-attr]
    alone = perform(
        "evaluate_model", tmp_path, {"candidate": good.model, "holdout": good.holdout}, samples=200
    ).facts["metrics"]["brier"]
    assert loss["high"] - loss["low"] < alone["high"] - alone["low"]


@pytest.mark.parametrize("change", [{"target": "other"}, {"classes": [1, 0]}])
def test_models_that_were_asked_something_else_are_not_compared(change: dict) -> None:
    asked = {"target": "late", "classes": [0, 1]}
    same_question(asked, dict(asked))
    with pytest.raises(OperationError) as caught:
        same_question(asked, asked | change)
    assert caught.value.field == "champion"


def test_a_first_release_has_no_champion(tmp_path: Path) -> None:
    made = write_package(tmp_path)
    given = {"challenger": made.package, "holdout": made.holdout}
    assert perform("compare_champion", tmp_path, given, samples=100).facts["champion"] is None


def traffic(folder: Path, window: Path, reference: Path, **params: float) -> Outcome | NotYet:
    given = {"window": window, "reference": reference}
    cleaned = clean_params(TRAFFIC, dict(params))
    return measure_traffic(Context(spec=TRAFFIC, folder=folder, inputs=given, params=cleaned))


def test_traffic_waits_for_predictions_and_for_event_time(tmp_path: Path) -> None:
    made = write_window(tmp_path, rows=300)
    few = traffic(tmp_path, made.window, made.predictions, minimum=301)
    assert isinstance(few, NotYet)
    assert few.reason.startswith("300 of 301 predictions")
    short = traffic(tmp_path, made.window, made.predictions, minimum=100, minimum_hours=400)
    assert isinstance(short, NotYet)
    assert "299.0 of 400 h of event time" in short.reason
    assert isinstance(traffic(tmp_path, made.window, made.predictions, minimum=300), Outcome)


def test_traffic_counts_sides_and_failures(tmp_path: Path) -> None:
    made = write_window(tmp_path, rows=400)
    frame = read_table(made.window)
    frame.loc[:99, windows.SERVED_BY] = windows.FALLBACK
    frame.loc[100:102, windows.FAILED] = True
    changed = write_table(frame, tmp_path / "changed.parquet")
    found = traffic(tmp_path, changed, made.predictions, minimum=200)
    assert isinstance(found, Outcome)
    facts = found.facts
    assert (facts["n"], facts["fallback"], facts["failed"]) == (297, 100, 3)
    assert (facts["share"], facts["error_share"]) == (0.75, 0.01)
    assert facts["score_level"] == "quiet"


def test_an_empty_window_is_waited_for(tmp_path: Path) -> None:
    made = write_window(tmp_path, rows=300)
    empty = write_table(read_table(made.window).iloc[:0], tmp_path / "empty.parquet")
    assert isinstance(traffic(tmp_path, empty, made.predictions, minimum=1), NotYet)


def test_drift_is_found_where_it_is(tmp_path: Path) -> None:
    made = write_window(tmp_path, rows=800, shift=6.0)
    given = {"window": made.window, "reference": made.holdout, "predictions": made.predictions}
    facts = perform("measure_drift", tmp_path, given).facts
    found = [row["column"] for row in facts["alert_list"] if isinstance(row, dict)]  # type: ignore[union-attr]
    assert found == ["wind", "score"]
    assert facts["alerts"] == 2
    quiet = perform("measure_drift", tmp_path, given, ignore=["wind", "score"]).facts
    assert quiet["reference_rows"] == 400


def test_drift_says_since_when(tmp_path: Path) -> None:
    made = write_window(tmp_path, rows=1200)
    frame = read_table(made.window)
    later = frame[windows.EVENT_TIME] >= frame[windows.EVENT_TIME].iloc[600]
    frame.loc[later, "wind"] += 12
    changed = write_table(frame, tmp_path / "changed.parquet")
    facts = perform("measure_drift", tmp_path, {"window": changed, "reference": made.holdout}).facts
    alert = facts["alert_list"][0]  # type: ignore[index, call-overload]
    assert str(alert["since"]) == frame[windows.EVENT_TIME].iloc[600].isoformat()


def test_a_small_window_is_not_judged(tmp_path: Path) -> None:
    made = write_window(tmp_path, rows=150, shift=20.0)
    facts = perform("measure_drift", tmp_path, {"window": made.window, "reference": made.holdout})
    assert (facts.facts["alerts"], facts.facts["enough"]) == (0, False)


def quality(folder: Path, window: Path, predictions: Path, **params: object) -> dict[str, object]:
    given = {"window": window, "predictions": predictions}
    more = {"costs": {"cost_fp": 100, "cost_fn": 400}, "samples": 100, **params}
    return dict(perform("measure_quality", folder, given, **more).facts)  # type: ignore[arg-type]


def test_quality_on_late_labels_holds(tmp_path: Path) -> None:
    made = write_window(tmp_path, rows=600, labels=400)
    facts = quality(tmp_path, made.window, made.predictions)
    assert (facts["labelled"], facts["enough"], facts["alerts"]) == (400, True, 0)
    assert facts["lag_p50_hours"] == 72.0
    assert float(str(facts["worth_per_1000"])) > 0


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_quality_that_fell_raises_an_alert(tmp_path: Path, metric: str) -> None:
    made = write_window(tmp_path, rows=600, labels=600)
    frame = read_table(made.window)
    frame[windows.SCORE] = 1 - frame[windows.SCORE]
    changed = write_table(frame, tmp_path / "changed.parquet")
    facts = quality(tmp_path, changed, made.predictions, metric=metric)
    assert facts["alerts"] == 1


def test_true_and_1_are_one_class(tmp_path: Path) -> None:
    made = write_window(tmp_path, rows=400, labels=400)
    plain = quality(tmp_path, made.window, made.predictions)
    frame = read_table(made.window)
    frame[windows.ACTUAL] = frame[windows.ACTUAL].map({"1": "true", "0": "false"})
    told = write_table(frame, tmp_path / "told.parquet")
    for positive in ("", "1", "True"):
        found = quality(tmp_path, told, made.predictions, positive=positive)
        assert found["worth_per_1000"] == plain["worth_per_1000"]
        assert found["value"] == plain["value"]


def test_few_labels_are_not_judged(tmp_path: Path) -> None:
    made = write_window(tmp_path, rows=600, labels=199)
    facts = quality(tmp_path, made.window, made.predictions)
    assert (facts["enough"], facts["alerts"]) == (False, 0)
    assert "value" not in facts


def test_every_operation_of_the_release_has_an_example() -> None:
    for name in ("package_model", "measure_drift", "measure_quality", "load_test"):
        assert importlib.import_module(f"pipelines.operations.{name}.example").example
