"""Sampling with weights: quotas, weights that restore the whole, and models that use them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from pipelines.blueprints.shipped import shipped
from pipelines.operations.anomalies import example
from pipelines.operations.contract import OperationError
from pipelines.operations.learning.keyword_votes import KeywordVotes
from pipelines.operations.learning.metrics import all_scores
from pipelines.operations.learning.texts import KeywordRule
from pipelines.operations.learning.weights import WEIGHT, fit_weighted
from pipelines.operations.sample_rows import compute
from pipelines.operations.sample_rows.compute import shared_out
from pipelines.operations.tables import write_document, write_table
from tests.unit.operations.bad_tables import KINDS
from tests.unit.operations.running import perform


@pytest.fixture
def table(tmp_path: Path) -> Path:
    draw = np.random.default_rng(2)
    frame = pd.DataFrame({"n": np.arange(5000), "x": draw.normal(size=5000)})
    frame["y"] = np.where(draw.random(5000) < 0.02, "rare", "usual")
    frame.loc[::500, "y"] = None
    path = tmp_path / "table.parquet"
    frame.to_parquet(path, index=False)
    return path


@pytest.mark.parametrize(
    ("counts", "limit", "least", "expected"),
    [
        ({"a": 900, "b": 100}, 100, 0, {"a": 90, "b": 10}),
        ({"a": 990, "b": 10}, 100, 20, {"a": 90, "b": 10}),
        ({"a": 900, "b": 100}, 100, 1000, {"a": 50, "b": 50}),
        ({"a": 5, "b": 5}, 100, 2, {"a": 5, "b": 5}),
        ({"a": 334, "b": 333, "c": 333}, 100, 0, {"a": 34, "b": 33, "c": 33}),
    ],
)
def test_limits_are_shared_out(counts, limit, least, expected) -> None:
    quotas = shared_out(counts, limit=limit, least=least)
    assert quotas == expected
    assert sum(quotas.values()) == min(limit, sum(counts.values()))


def test_rare_classes_stay_and_weights_restore_the_whole(tmp_path, table, monkeypatch) -> None:
    monkeypatch.setattr(compute, "BATCH_ROWS", 700)
    before = pd.read_parquet(table)
    outcome = perform(
        "sample_rows", tmp_path, {"table": table}, limit=1000, target="y", min_class_rows=300
    )
    after = pq.read_table(outcome.outputs["table"]).to_pandas()
    assert len(after) == 1000
    rare = before["y"] == "rare"
    assert (after["y"] == "rare").sum() == rare.sum()
    assert after["y"].isna().sum() == before["y"].isna().sum()
    for name, rows in after.groupby(after["y"].fillna("none")):
        assert rows[WEIGHT].sum() == pytest.approx((before["y"].fillna("none") == name).sum())
    assert after["n"].is_monotonic_increasing
    assert after["n"].is_unique
    assert outcome.facts["sampled"] is True
    weights = {row["class"]: row["weight"] for row in outcome.facts["strata"]}
    assert weights["rare"] == 1.0


def test_every_row_has_the_same_chance(tmp_path, table, monkeypatch) -> None:
    monkeypatch.setattr(compute, "BATCH_ROWS", 700)
    seen = np.zeros(5000)
    for seed in range(20):
        outcome = perform("sample_rows", tmp_path, {"table": table}, limit=1000, seed=seed)
        seen[pq.read_table(outcome.outputs["table"]).column("n").to_numpy()] += 1
    assert seen.sum() == 20_000
    thirds = [part.mean() for part in np.array_split(seen, 7)]
    assert max(thirds) - min(thirds) < 0.4  # 4 draws a row; the error of a part's mean is 0.07
    assert seen.std() == pytest.approx(np.sqrt(20 * 0.2 * 0.8), rel=0.1)


def test_the_same_seed_gives_the_same_bytes(tmp_path, table) -> None:
    made = [
        perform("sample_rows", tmp_path / name, {"table": table}, limit=500, target="y", seed=seed)
        .outputs["table"]
        .read_bytes()
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert made[0] == made[1] != made[2]


def test_a_table_within_the_limit_stays_as_it_is(tmp_path, table) -> None:
    outcome = perform("sample_rows", tmp_path, {"table": table}, limit=5000, target="y")
    assert outcome.outputs["table"].read_bytes() == table.read_bytes()
    assert outcome.facts["weight_column"] is None


def test_numbers_are_no_classes(tmp_path, table) -> None:
    outcome = perform("sample_rows", tmp_path, {"table": table}, limit=200, target="x")
    assert [row["class"] for row in outcome.facts["strata"]] == ["all rows"]
    assert outcome.facts["strata"][0]["weight"] == 25.0


def test_unknown_targets_and_second_samples_are_refused(tmp_path, table) -> None:
    with pytest.raises(OperationError, match="names a column"):
        perform("sample_rows", tmp_path, {"table": table}, target="z")
    once = perform("sample_rows", tmp_path, {"table": table}, limit=500).outputs["table"]
    with pytest.raises(OperationError) as caught:
        perform("sample_rows", tmp_path / "again", {"table": once}, limit=100)
    assert caught.value.code == "already_sampled"


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        HistGradientBoostingClassifier(max_iter=5),
        Pipeline([("scale", StandardScaler()), ("last", LogisticRegression())]),
    ],
)
def test_models_are_fitted_with_the_weights(model) -> None:
    draw = np.random.default_rng(0)
    matrix = draw.normal(size=(400, 2))
    labels = (matrix[:, 0] + draw.normal(size=400) > 0).astype(np.int64)
    weights = np.where(labels == 1, 5.0, 1.0)
    shares = [
        fit_weighted(model, matrix, labels, given).predict_proba(matrix)[:, 1].mean()
        for given in (None, weights)
    ]
    assert shares[1] > shares[0] + 0.15


def test_weighted_scores_are_those_of_scikit_learn() -> None:
    draw = np.random.default_rng(5)
    labels = draw.integers(0, 2, 300)
    scores = np.clip(np.round(0.3 * labels + 0.7 * draw.random(300), 1), 0.01, 0.99)
    weights = draw.integers(1, 9, 300).astype(float)
    found = all_scores(scores, labels, weights)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(labels, scores, sample_weight=weights))
    assert found["pr_auc"] == pytest.approx(
        average_precision_score(labels, scores, sample_weight=weights)
    )
    assert found["log_loss"] == pytest.approx(log_loss(labels, scores, sample_weight=weights))
    assert found["brier"] == pytest.approx(brier_score_loss(labels, scores, sample_weight=weights))


def test_no_limit_is_all_rows_bit_for_bit(tmp_path, table) -> None:
    outcome = perform("sample_rows", tmp_path, {"table": table}, limit=0, target="y")
    assert outcome.outputs["table"].read_bytes() == table.read_bytes()
    assert (outcome.facts["rows"], outcome.facts["sampled"]) == (5000, False)
    with pytest.raises(OperationError, match="0 for all rows, or at least 100"):
        perform("sample_rows", tmp_path / "tiny", {"table": table}, limit=99)


@pytest.fixture
def forecasts(tmp_path: Path) -> Path:
    """Three rows of each of 100 days, in no order; one without a day."""
    days = pd.date_range("2024-01-01", periods=100, freq="D").repeat(3)
    frame = pd.DataFrame({"origin": days, "horizon": [1, 2, 3] * 100, "value": np.arange(300.0)})
    frame = frame.sample(frac=1.0, random_state=1).reset_index(drop=True)
    frame.loc[0, "origin"] = pd.NaT
    path = tmp_path / "forecasts.parquet"
    frame.to_parquet(path, index=False)
    return path


def test_the_latest_moments_are_kept_whole_and_without_weights(
    tmp_path, forecasts, monkeypatch
) -> None:
    monkeypatch.setattr("pipelines.operations.sample_rows.latest.BATCH_ROWS", 70)
    given = {"keep": "latest", "time_column": "origin"}
    outcome = perform("sample_rows", tmp_path, {"table": forecasts}, limit=131, **given)
    before, after = pd.read_parquet(forecasts), pd.read_parquet(outcome.outputs["table"])
    since = pd.Timestamp(outcome.facts["since"])
    pd.testing.assert_frame_equal(after, before[before["origin"] >= since].reset_index(drop=True))
    a_day_more = since - pd.Timedelta(days=1)
    assert (before["origin"] >= a_day_more).sum() > 131
    assert outcome.facts["rows"] == len(after)
    assert outcome.facts["left_out"] == 300 - len(after)
    assert (outcome.facts["sampled"], outcome.facts["without_time"]) == (False, 1)
    assert WEIGHT not in after


def test_a_window_needs_a_time_and_room_for_its_last_moment(tmp_path, forecasts) -> None:
    for column, code in (("", "unknown_column"), ("horizon", "not_a_time")):
        with pytest.raises(OperationError) as refused:
            perform("sample_rows", tmp_path, {"table": forecasts}, limit=150, keep="latest",
                    time_column=column)  # fmt: skip
        assert refused.value.code == code
    one = pd.read_parquet(forecasts).assign(origin=pd.Timestamp("2024-01-01"))
    one.to_parquet(tmp_path / "one.parquet", index=False)
    with pytest.raises(OperationError, match="the last moment has 300 rows"):
        perform("sample_rows", tmp_path, {"table": tmp_path / "one.parquet"}, limit=150,
                keep="latest", time_column="origin")  # fmt: skip


def test_rows_left_out_are_counted_and_how_is_said(tmp_path, table) -> None:
    drawn = perform("sample_rows", tmp_path, {"table": table}, limit=1000, target="y").facts
    alike = perform("sample_rows", tmp_path, {"table": table}, limit=1000).facts
    every = perform("sample_rows", tmp_path, {"table": table}).facts
    assert [one["left_out"] for one in (drawn, alike, every)] == [4000, 4000, 0]
    assert "within each class" in drawn["how"]
    assert "all rows alike" in alike["how"]
    assert every["how"] == "all rows"


@pytest.mark.parametrize("classes", [2, 3])
def test_keywords_learn_with_the_weights(classes: int) -> None:
    """Rows of weight two are as two rows; words are chosen and shares counted alike."""
    draw = np.random.default_rng(3)
    labels = np.tile(draw.integers(0, classes, 120), 20)  # many, or the prior would weigh in
    said = np.array(
        [" ".join(draw.choice(["tea", "cup", f"word{label}", "box"], 4)) for label in labels],
        dtype=object,
    )[:, None]
    weights = np.where(labels == 0, 3.0, 1.0)
    times = weights.astype(int)
    rule = KeywordRule if classes == 2 else KeywordVotes
    weighed = fit_weighted(rule(), said, labels, weights).predict_proba(said)
    often = rule().fit(np.repeat(said, times, axis=0), np.repeat(labels, times))
    assert np.abs(weighed - often.predict_proba(said)).max() < 0.05  # the prior
    assert np.abs(weighed - rule().fit(said, labels).predict_proba(said)).max() > 0.1


def test_rows_of_different_weight_are_refused_without_labels(tmp_path) -> None:
    given = example.write_inputs(tmp_path)
    for weights, code in ((2.0, None), (np.arange(1.0, 601.0), "weights_not_taken")):
        rows = example.rows(600).assign(**{WEIGHT: weights})
        path = write_table(rows, tmp_path / "weighed.parquet")
        inputs = {"train": path, "features": given["features"]}
        if code is None:
            assert perform("fit_anomalies", tmp_path, inputs).facts["rows"] == 600
            continue
        with pytest.raises(OperationError) as refused:
            perform("fit_anomalies", tmp_path, inputs)
        assert refused.value.code == code


def test_a_weight_is_never_compared_by(tmp_path) -> None:
    rows = write_table(example.rows(200).assign(**{WEIGHT: 3.0}), tmp_path / "rows.parquet")
    contract = write_document(tmp_path / "contract.json", {"columns": []})
    found = perform("build_inputs", tmp_path, {"rows": rows, "contract": contract}).facts
    left = {row["column"]: row["reason"] for row in found["left_out"]}
    assert left[WEIGHT] == "weight of a sample"


@pytest.mark.parametrize(
    ("key", "learners"),
    [("text-classification", 8), ("clustering", 6), ("anomaly-detection", 8), ("forecasting", 7)],
)
def test_every_kind_learns_from_the_sample_and_decides_on_the_whole(key, learners) -> None:
    plan = shipped(key)
    assert "train_rows" in {one.key for one in plan.parameters}
    steps = [step for stage in plan.stages for step in stage.all_steps()]
    sample = next(step for step in steps if step.operation == "sample_rows")
    assert (sample.params.get("keep") == "latest") is (key == "forecasting")
    reads = [step for step in steps if "explore.sample.table" in str(step.inputs)]
    assert len(reads) == learners
    fits = ("train_candidate", "search_candidate", "retrain_clean", "fit_clusters",
            "fit_anomalies", "refit_anomalies")  # fmt: skip
    for step in steps:
        if step.operation in fits:
            assert step in reads, step.key


@pytest.mark.parametrize(
    ("kind", "step"),
    [("texts", "svc"), ("clustering", "kmeans"), ("anomalies", "rule"), ("forecasting", "linear")],
)
def test_a_sample_goes_through_the_stages_of_a_kind(tmp_path, kind, step) -> None:
    stages = KINDS[kind].play(tmp_path, KINDS[kind].table(), "tune", train_rows=150)
    assert stages.error is None
    said = stages.facts("explore.sample")
    parts = stages.facts("explore.split")["parts"]
    assert said["rows_before"] == parts["train"]["rows"]
    assert 100 <= said["rows"] <= 150
    assert said["rows"] + said["left_out"] == said["rows_before"]
    assert stages.facts(f"tune.{step}")["rows"] == said["rows"]
    chosen = stages.facts("tune.select")
    if kind == "anomalies":  # rows a day are those of the whole, not of the sample
        train = pd.read_parquet(stages.made["explore.split"].outputs["train"])
        usual = len(train) / train["at"].dt.floor("D").nunique()
        assert chosen["measured_volume"] == pytest.approx(usual, rel=0.25)
        assert said["rows"] < 0.7 * said["rows_before"]
