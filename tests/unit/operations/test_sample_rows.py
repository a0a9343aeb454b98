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

from pipelines.operations.contract import OperationError
from pipelines.operations.learning.metrics import all_scores
from pipelines.operations.learning.weights import WEIGHT, fit_weighted
from pipelines.operations.sample_rows import compute
from pipelines.operations.sample_rows.compute import shared_out
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
