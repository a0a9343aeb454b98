"""Three classes through every operation of a run, from the split to late labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from pipelines.operations import windows
from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_contract
from pipelines.operations.learning.example_classes import CLASSES, TARGET, rows
from pipelines.operations.measure_quality.multiclass import reading_of
from pipelines.operations.packages.loaded import load_package
from pipelines.operations.tables import read_table, write_table
from tests.long import only_long
from tests.unit.operations.running import perform

pytestmark = [only_long, pytest.mark.slow]

COSTS: dict[str, Json] = {"late -> on time": 5, "diverted -> on time": 20, "other": 1}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Outcomes of all operations, by name."""
    folder = tmp_path_factory.mktemp("chain")
    table = write_table(rows(1500, seed=3), folder / "table.parquet")
    contract = write_contract(folder)
    done: dict[str, Any] = {"folder": folder}

    def keep(key: str) -> None:
        """Out of the way of the next candidate, whose files have the same names."""
        for name in ("model", "scores"):
            path = Path(done[f"{key}.{name}"])
            done[f"{key}.{name}"] = path.rename(folder / f"{key}-{path.name}")

    def step(key: str, operation: str, inputs: dict[str, Any], **params: Json) -> Any:
        done[key] = perform(operation, folder, inputs, **params)
        for name, path in done[key].outputs.items():
            done[f"{key}.{name}"] = path
        return done[key]

    step("split", "split_data", {"table": table}, target=TARGET, time_column="leaves")
    parts = {"train": done["split.train"], "holdout": done["split.holdout"]}
    step("baseline", "score_baseline", parts, target=TARGET, exclude=["journey", "booked"])
    built = {"train": done["split.train"], "contract": contract}
    step("build", "build_features", built, target=TARGET, exclude=["note"])
    given = {"train": done["split.train"], "features": done["build.features"]}
    step("dummy", "train_candidate", given, family="dummy", folds=3)
    keep("dummy")
    step("linear", "train_candidate", given, family="linear", folds=3)
    keep("linear")
    quick: Json = {"max_iter": 15, "max_leaf_nodes": 7}
    step("boosting", "train_candidate", given, family="boosting", settings=quick, folds=3)
    tried = ("dummy", "linear", "boosting")
    step("select", "select_candidate", {
        port: {key: done[f"{key}.{port[:-1] if port == 'models' else port}"] for key in tried}
        for port in ("models", "scores")
    }, metric="log_loss")  # fmt: skip
    judged = {"candidate": done["select.candidate"], "holdout": done["split.holdout"]}
    step("evaluate", "evaluate_model", judged, class_costs=COSTS, currency="EUR",
         target_metric="log loss", target_value=1.2, samples=60)  # fmt: skip
    decided = {**judged, "evaluation": done["evaluate.evaluation"]}
    step("classes", "evaluate_classes", {
        "predictions": done["evaluate.predictions"], "evaluation": done["evaluate.evaluation"],
    }, abstain_error=0.2)  # fmt: skip
    step("slices", "evaluate_slices", judged, slices=["place"])
    step("explain", "explain_model", judged, metric="log_loss", rows=200, repeats=3)
    step("fairness", "screen_fairness", decided, sensitive=["place"], samples=60)
    step("coverage", "measure_coverage", decided, samples=60)
    step("stress", "stress_model", decided, rows=100)
    aged = {**judged, "train": done["split.train"]}
    step("age", "age_model", aged, metric="log_loss", samples=50)
    step("rows", "explain_rows", decided, errors=2, close=2, others=1, orders=20)
    step("retrain", "retrain_clean", aged)
    packed = {**decided, "band": done["classes.classes"]}
    step("package", "package_model", packed, golden=40, abstain=True, licence="MIT")
    tried = {"package": done["package.package"], "holdout": done["split.holdout"]}
    step("load", "load_test", tried, rows=40, singles=20)
    step("compare", "compare_champion", {
        "challenger": done["package.package"], "champion": done["package.package"],
        "holdout": done["split.holdout"],
    }, primary="log_loss", class_costs=COSTS, samples=100)  # fmt: skip
    return done


def test_every_class_is_known_from_the_split_to_the_package(chain: dict[str, Any]) -> None:
    assert chain["build"].facts["task"] == "multiclass"
    for key in ("build", "evaluate", "package"):
        assert chain[key].facts["classes"] == list(CLASSES)
    assert chain["baseline"].facts["task"] == "multiclass"
    assert chain["baseline"].facts["gain"]["low"] > 0


def test_the_best_family_beats_the_shares_of_classes(chain: dict[str, Any]) -> None:
    assert chain["select"].facts["baseline_gain"]["low"] > 0
    assert chain["evaluate"].facts["target_metric"]["met"] is True


def test_decisions_cost_less_than_those_by_the_likeliest_class(chain: dict[str, Any]) -> None:
    facts = chain["evaluate"].facts
    table = read_table(chain["evaluate.predictions"])
    scores = table[[f"p:{name}" for name in CLASSES]].to_numpy()
    matrix = np.asarray(facts["decision"]["costs"])
    assert matrix.tolist() == [[0, 1, 20], [1, 0, 5], [1, 1, 0]]
    truth, answers = table["label"].to_numpy(), table["answer"].to_numpy()
    paid = 1000 * matrix[truth, answers].mean()
    assert facts["decision"]["cost_per_1000"]["value"] == pytest.approx(paid, abs=1e-5)
    assert paid < 1000 * matrix[truth, scores.argmax(axis=1)].mean()


def test_each_operation_speaks_of_classes(chain: dict[str, Any]) -> None:
    assert chain["slices"].facts["metric"] == "accuracy"
    assert chain["explain"].facts["top_column"] == "wind"
    named = {row["class"] for row in chain["fairness"].facts["fairness"]}
    assert named == set(CLASSES)
    coverage = chain["coverage"].facts
    assert coverage["coverage"]["high"] >= coverage["allowed_low"]
    assert chain["stress"].facts["bad_scores"] == 0
    assert chain["stress"].facts["noise"][0]["flipped"]["value"] < 0.2
    assert chain["rows"].facts["largest_gap"] < 0.2
    assert {"answered", "class", "right"} <= chain["rows"].facts["examples"][0].keys()
    assert chain["retrain"].facts["predictions_equal"] is True
    assert chain["load"].facts["skew_rows"] == 0
    metrics = {row["metric"]: row for row in chain["compare"].facts["metrics"]}
    assert all(row["gain"] == 0 for row in metrics.values())
    assert "value_per_1000" in metrics


def test_late_labels_of_classes_are_scored_and_weighed(chain: dict[str, Any]) -> None:
    loaded = load_package(chain["package.package"])
    later = rows(400, seed=9, start="2024-06-01")
    names = list(loaded.signature.names)
    table = later[names].assign(booked=later["booked"].map(lambda day: day.isoformat()))
    given = table.astype(object).where(table.notna(), None).to_dict("records")
    found = loaded.predict(given)
    shares = [json.dumps(more["probabilities"]) for more in loaded.more(found)]
    moment = later["leaves"]
    window = pd.DataFrame({
        windows.KEY: [str(key) for key in later["journey"]], windows.EVENT_TIME: moment,
        windows.AT: moment, windows.MODE: "live", windows.SERVED_BY: windows.MODEL,
        windows.SCORE: found.scores, windows.LABEL: found.labels, windows.FAILED: False,
        windows.PROBABILITIES: shares, windows.ACTUAL: later[TARGET].where(moment.dt.hour > 2),
        windows.RECEIVED_AT: moment + pd.Timedelta(hours=5),
    })  # fmt: skip
    window.loc[20, windows.ACTUAL] = "cancelled"  # an outcome that is no class
    folder = chain["folder"]
    inputs = {
        "window": write_table(window, folder / "window.parquet"),
        "predictions": chain["evaluate.predictions"],
    }
    facts = perform(
        "measure_quality", folder, inputs, metric="macro_f1", class_costs=COSTS, samples=100
    ).facts
    assert (facts["enough"], facts["unreadable"]) == (True, 1)
    kept = window[window[windows.ACTUAL].isin(CLASSES)]
    answers = [max(json.loads(text), key=json.loads(text).get) for text in kept["_probabilities"]]
    wanted = f1_score(kept[windows.ACTUAL], answers, average="macro")
    assert facts["value"] == pytest.approx(wanted)
    assert facts["left_to_people"] == kept[windows.LABEL].isna().sum() > 0
    assert [row["class"] for row in facts["per_class"]] == list(CLASSES)
    assert facts["beside"] == "always answering late"
    assert facts["alerts"] == 0


def test_an_evaluation_of_two_classes_is_not_read_as_several(tmp_path: Path) -> None:
    table = pd.DataFrame({"score": [0.1, 0.9], "label": [0, 1]})
    assert reading_of(write_table(table, tmp_path / "two.parquet")) is None
