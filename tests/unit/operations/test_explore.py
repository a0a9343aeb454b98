"""Profile, worries, leaks, splits and baselines against known answers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.detect_worries.missing import of_classes
from pipelines.operations.detect_worries.relations import cramers_v
from pipelines.operations.examples import flights_frame
from pipelines.operations.signals import auc, average_precision
from tests.unit.operations.running import perform


def save(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_parquet(path)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return save(flights_frame(2000), tmp_path / "table.parquet")


def worries(tmp_path: Path, frame: pd.DataFrame, **params: Json) -> list[dict[str, Json]]:
    table = save(frame, tmp_path / "worried.parquet")
    return perform("detect_worries", tmp_path, {"table": table}, target="y", **params).facts[
        "findings"
    ]


def told(findings: list[dict[str, Json]], worry: str) -> list[tuple[Json, Json]]:
    return [(row["severity"], row["columns"]) for row in findings if row["worry"] == worry]


def test_profile_of_known_columns(tmp_path) -> None:
    frame = pd.DataFrame(
        {"n": [1, 2, 3, 4], "t": ["b", "a", "b", None], "f": [0.5, None, 1.5, 2.5], "c": [1] * 4}
    )
    outcome = perform("profile", tmp_path, {"table": save(frame, tmp_path / "t.parquet")}, bins=2)
    assert outcome.facts["types"] == {"float": 1, "int": 2, "text": 1}
    assert outcome.facts["constant_columns"] == ["c"]
    found = {
        row["name"]: row for row in json.loads(outcome.outputs["profile"].read_text())["columns"]
    }
    assert found["t"]["top"][0] == {"value": "b", "count": 2, "share": 0.5}
    assert found["f"]["nulls"] == 1
    assert found["n"]["quantiles"]["0.5"] == 2.5
    assert found["n"]["histogram"]["counts"] == [2, 2]


def test_auc_and_precision_agree_with_scikit_learn() -> None:
    draw = np.random.default_rng(3)
    truth = draw.integers(0, 2, 500).astype(float)
    scores = np.round(truth * 0.3 + draw.random(500), 1)  # with ties
    weights = draw.integers(0, 3, 500).astype(float)
    assert auc(truth, scores) == pytest.approx(roc_auc_score(truth, scores))
    assert auc(truth, scores, weights) == pytest.approx(
        roc_auc_score(truth, scores, sample_weight=weights)
    )
    assert average_precision(truth, scores, weights) == pytest.approx(
        average_precision_score(truth, scores, sample_weight=weights)
    )


@pytest.mark.parametrize(("ones", "severity"), [(200, None), (50, "warn"), (5, "blocker")])
def test_w1_imbalance(tmp_path, ones, severity) -> None:
    frame = pd.DataFrame({"x": np.arange(1000) % 7, "y": np.arange(1000) < ones})
    expected = [(severity, ["y"])] if severity else []
    assert told(worries(tmp_path, frame.astype(int)), "W1") == expected


def test_w2_outliers(tmp_path) -> None:
    size = np.where(np.arange(1000) % 10 == 0, 1e6, np.arange(1000) % 7).astype(float)
    frame = pd.DataFrame({"size": size, "y": np.arange(1000) % 3 % 2})
    assert ("warn", ["size"]) in told(worries(tmp_path, frame), "W2")


def test_w2_odd_rows_are_found_the_same_way_each_time(tmp_path) -> None:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(800, 5)), columns=list("abcde"))
    frame["y"] = np.arange(800) % 2
    assert told(worries(tmp_path, frame), "W2") == []
    frame.iloc[:64, :5] += 6 * draw.choice([-1, 1], size=(64, 5))
    first, second = worries(tmp_path, frame), worries(tmp_path, frame)
    assert ("note", []) in told(first, "W2")
    assert first == second


def test_w3_missing_that_says_something(tmp_path) -> None:
    y = np.arange(2000) % 2
    x = np.where((y == 1) & (np.arange(2000) % 4 < 2), np.nan, 1.0 + np.arange(2000) % 5)
    found = told(worries(tmp_path, pd.DataFrame({"x": x, "y": y})), "W3")
    assert found == [("warn", ["x"]), ("note", ["x"])]


def test_missing_against_classes_agrees_with_the_chi_square_test() -> None:
    from scipy.stats import chi2_contingency

    gone = np.arange(300) % 3 == 0
    truth = ((np.arange(300) * 7) % 10 < 3 + 2 * gone).astype(int)
    expected = chi2_contingency(pd.crosstab(gone, truth), correction=False).pvalue
    assert of_classes(gone, truth)[0] == pytest.approx(expected)


def test_w4_identifier(tmp_path) -> None:
    frame = pd.DataFrame({"id": [f"u{n}" for n in range(400)], "y": np.arange(400) % 2})
    assert told(worries(tmp_path, frame), "W4") == [("warn", ["id"])]


def test_w5_columns_that_say_the_same(tmp_path) -> None:
    draw = np.random.default_rng(0)
    x, z = draw.random(600), draw.random(600)
    code = pd.Series(draw.choice(np.array(["a", "b", "c"]), 600))
    frame = pd.DataFrame(
        {
            "x": x,
            "x2": x**3,
            "z": z,
            "code": code,
            "name": code.map({"a": "Ann", "b": "Bob", "c": "Cy"}),
            "y": draw.integers(0, 2, 600),
        }
    )
    found = told(worries(tmp_path, frame), "W5")
    assert ("warn", ["x", "x2"]) in found
    assert ("warn", ["code", "name"]) in found
    assert not [row for row in found if "z" in row[1]]


def test_cramers_v_at_both_ends() -> None:
    left = pd.Series(["a", "b"] * 50)
    assert cramers_v(left, left) == pytest.approx(1.0)
    assert cramers_v(left, pd.Series(["x", "x", "y", "y"] * 25)) == pytest.approx(0.0)


def test_w6_and_w7_leak_and_twin(tmp_path) -> None:
    draw = np.random.default_rng(0)
    y = draw.integers(0, 2, 500)
    frame = pd.DataFrame({"x": draw.random(500), "leak": y * 10 + draw.random(500), "y": y})
    frame["twin"] = frame["x"]
    found = worries(tmp_path, frame)
    assert told(found, "W6") == [("blocker", ["leak"])]
    assert told(found, "W7") == [("warn", ["x", "twin"])]
    assert told(worries(tmp_path, frame, exclude=["leak"]), "W6") == []


def test_leak_is_a_suspect_and_an_identifier_is_none(tmp_path, table) -> None:
    frame = pd.read_parquet(table)
    frame["flight_id"] = [f"F{n}" for n in range(len(frame))]
    facts = perform(
        "scan_leakage", tmp_path, {"table": save(frame, tmp_path / "t.parquet")}, target="late"
    ).facts
    scores = {row["column"]: row["score"] for row in facts["columns"]}
    assert facts["open"] == ["arr_delay"]
    assert scores["arr_delay"] == 1.0
    assert scores["flight_id"] == pytest.approx(0.5, abs=0.05)
    assert 0.6 < scores["hour"] < 0.9


def test_excluded_suspects_are_answered(tmp_path, table) -> None:
    facts = perform(
        "scan_leakage", tmp_path, {"table": table}, target="late", exclude=["arr_delay"]
    ).facts
    assert facts["open"] == []
    assert [(row["column"], row["answer"]) for row in facts["suspects"]] == [
        ("arr_delay", "excluded")
    ]


def test_times_after_the_prediction_are_leaks(tmp_path, table) -> None:
    frame = pd.read_parquet(table)
    frame["landed"] = frame["time_hour"] + pd.Timedelta(hours=3)
    frame["booked"] = frame["time_hour"] - pd.Timedelta(days=9)
    facts = perform(
        "scan_leakage",
        tmp_path,
        {"table": save(frame, tmp_path / "t.parquet")},
        target="late",
        time_column="time_hour",
        exclude=["arr_delay"],
    ).facts
    assert [row["column"] for row in facts["future_times"]] == ["landed"]
    assert facts["future_times"][0]["share"] == 1.0
    assert facts["open"] == ["landed"]


def test_rows_in_both_parts_are_counted(tmp_path, table) -> None:
    held = save(pd.read_parquet(table).iloc[[3, 4]], tmp_path / "held.parquet")
    facts = perform(
        "scan_leakage", tmp_path, {"table": table, "holdout": held}, target="late"
    ).facts
    assert facts["overlap_rows"] == 2
    assert facts["overlap_first"] == [1, 2]


def test_split_by_time_parts_at_the_moment(tmp_path, table) -> None:
    outcome = perform(
        "split_data",
        tmp_path,
        {"table": table},
        target="late",
        time_column="time_hour",
        train_until="2013-06-01",
        decide_until="2013-08-01",
    )
    train = pq.read_table(outcome.outputs["train"]).to_pandas()
    holdout = pq.read_table(outcome.outputs["holdout"]).to_pandas()
    assert train["time_hour"].max() < pd.Timestamp("2013-06-01") <= holdout["time_hour"].min()
    assert holdout["time_hour"].max() < pd.Timestamp("2013-08-01")
    left = outcome.facts["left_out"]["at or after 2013-08-01T00:00:00"]
    assert len(train) + len(holdout) + left == 2000
    assert outcome.facts["parts"]["holdout"]["positives"] == int(holdout["late"].sum())
    assert outcome.facts["reproducible"] is True
    assert outcome.facts["overlap_rows"] == 0


def test_rows_of_one_moment_are_never_parted(tmp_path) -> None:
    frame = pd.DataFrame({"t": pd.to_datetime(["2024-01-01"] * 3 + ["2024-01-02"] * 7), "y": 1})
    facts = perform(
        "split_data",
        tmp_path,
        {"table": save(frame, tmp_path / "t.parquet")},
        time_column="t",
        holdout_share=0.2,
    ).facts
    assert [facts["parts"][part]["rows"] for part in ("train", "holdout")] == [3, 7]


def test_groups_stay_on_one_side(tmp_path, table) -> None:
    frame = pd.read_parquet(table).assign(person=[n % 40 for n in range(2000)])
    outcome = perform(
        "split_data",
        tmp_path,
        {"table": save(frame, tmp_path / "t.parquet")},
        group_column="person",
    )
    parts = [set(pd.read_parquet(outcome.outputs[part])["person"]) for part in ("train", "holdout")]
    assert not parts[0] & parts[1]
    assert outcome.facts["groups_shared"] == 0
    assert outcome.facts["boundaries"]["holdout_groups"] == 8


def test_stratified_split_keeps_the_share_and_follows_the_seed(tmp_path, table) -> None:
    def split(seed: int) -> dict[str, Json]:
        return perform("split_data", tmp_path, {"table": table}, seed=seed, target="late").facts

    facts = split(1)
    assert facts["rule"] == "stratified"
    shares = [facts["parts"][part]["positive_share"] for part in ("train", "holdout")]
    assert shares[0] == pytest.approx(shares[1], abs=0.002)
    assert facts["digest"] == split(1)["digest"] != split(2)["digest"]


def test_a_part_may_not_be_empty(tmp_path, table) -> None:
    with pytest.raises(OperationError, match="the train part is empty") as caught:
        perform(
            "split_data",
            tmp_path,
            {"table": table},
            time_column="time_hour",
            train_until="2000-01-01",
        )
    assert caught.value.field == "train_until"


def test_baseline_of_a_known_rule(tmp_path) -> None:
    draw = np.random.default_rng(5)
    x = draw.integers(0, 2, 2000)
    y = np.where(draw.random(2000) < 0.9, x, 1 - x)
    frame = pd.DataFrame({"x": x, "noise": draw.random(2000), "y": y})
    facts = perform(
        "score_baseline",
        tmp_path,
        {
            "train": save(frame[:1000], tmp_path / "a.parquet"),
            "holdout": save(frame[1000:], tmp_path / "b.parquet"),
        },
        target="y",
    ).facts
    assert facts["column"] == "x"
    rule = facts["baselines"]["one_column"]["roc_auc"]
    assert rule["value"] == pytest.approx(0.9, abs=0.03)
    assert rule["low"] < rule["value"] < rule["high"]
    assert facts["baselines"]["constant"]["roc_auc"]["value"] == 0.5
    assert facts["gain"]["low"] > 0.3


def test_baseline_of_numbers_uses_median_and_bins(tmp_path) -> None:
    x = np.tile(np.arange(10), 200)
    frame = pd.DataFrame({"x": x, "y": 2.5 * x})
    path = save(frame, tmp_path / "a.parquet")
    facts = perform("score_baseline", tmp_path, {"train": path, "holdout": path}, target="y").facts
    assert facts["task"] == "regression"
    assert facts["baselines"]["constant"]["mae"]["value"] == pytest.approx(6.25)
    assert facts["baselines"]["one_column"]["mae"]["value"] < 0.5
