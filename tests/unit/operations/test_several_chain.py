"""Three classes through every operation of a run, from the split to late labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_contract
from pipelines.operations.learning.example_classes import CLASSES, TARGET, rows
from pipelines.operations.tables import write_table

from .running import perform

COSTS: dict[str, Json] = {"late -> on time": 5, "diverted -> on time": 20, "other": 1}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Outcomes of all operations, by name."""
    folder = tmp_path_factory.mktemp("chain")
    table = write_table(rows(1500, seed=3), folder / "table.parquet")
    contract = write_contract(folder)
    done: dict[str, Any] = {"folder": folder}

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
    done["dummy.copy"] = Path(done["dummy.model"]).rename(folder / "dummy.skops")
    done["dummy.told"] = Path(done["dummy.scores"]).rename(folder / "dummy.json")
    step("linear", "train_candidate", given, family="linear", folds=3)
    search = {"metric": "log_loss", "n_trials": 10, "folds": 3, "sample_rows": 400}
    step("search", "search_candidate", given, family="boosting", **search)
    step("select", "select_candidate", {
        "models": {"a": done["dummy.copy"], "b": done["linear.model"], "c": done["search.model"]},
        "scores": {"a": done["dummy.told"], "b": done["linear.scores"], "c": done["search.scores"]},
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
    step("coverage", "measure_coverage", judged, samples=60)
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
    assert chain["build"].facts["classes"] == list(CLASSES)
    assert chain["evaluate"].facts["classes"] == list(CLASSES)
    assert chain["package"].facts["classes"] == list(CLASSES)
