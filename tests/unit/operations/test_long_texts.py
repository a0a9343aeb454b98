"""Cells of a megabyte go the whole way, and what is written about them stays small."""

import csv
import json
from pathlib import Path

from pipelines.operations.ingest.inspect import inspect
from pipelines.operations.tables import write_document
from tests.unit.operations.running import perform

LONG = 1_000_000
SPAM = {"target": "spam"}


def long_table(folder: Path) -> Path:
    """120 notes of 12 authors; every tenth is longer than a megabyte, the first one, too."""
    path = folder / "notes.csv"
    with path.open("w", newline="", encoding="utf-8") as sink:
        writer = csv.writer(sink)
        writer.writerow(["id", "author", "said", "spam"])
        for n in range(120):
            spam = n // 3 % 2 == 1
            said = f"note {n % 50}: {'buy the offer now' if spam else 'see you at home soon'}"
            said += " " + "-" * LONG if n % 40 == 0 else ""
            writer.writerow([n, f"a{n * 7 % 12}", said, spam])
    return path


def test_long_cells_go_all_the_way(tmp_path: Path) -> None:
    path = long_table(tmp_path)
    seen = inspect(path, "notes.csv").as_json()
    assert seen["usable"]
    assert (seen["suggested_texts"], seen["suggested_group"]) == (["said"], "author")
    table = perform("ingest", tmp_path, {"tables": {"notes.csv": path}}, **SPAM).outputs["table"]
    parts = perform("split_data", tmp_path, {"table": table}, group_column="author", **SPAM)
    train, holdout = parts.outputs["train"], parts.outputs["holdout"]
    contract = write_document(tmp_path / "c.json", {"columns": [], "key_column": "id"})
    built = perform(
        "build_features", tmp_path, {"train": train, "contract": contract},
        find_texts=True, group_column="author", **SPAM,
    )  # fmt: skip
    assert built.facts["texts"][0]["cut"] >= 1
    assert "what comes after is not read" in str(built.facts["texts"][0]["findings"])
    inputs = {"train": train, "features": built.outputs["features"]}
    model = perform("train_candidate", tmp_path, inputs, family="text_linear", folds=2)
    judged = {"candidate": model.outputs["model"], "holdout": holdout}
    assert model.facts["scores"]["roc_auc"]["mean"] > 0.9
    slices = perform("evaluate_slices", tmp_path, judged, slices=["said"])
    assert len(json.dumps(slices.facts)) < 50_000
    explained = perform("explain_model", tmp_path, judged, repeats=3)
    assert len(json.dumps(json.loads(explained.outputs["explanation"].read_text()))) < 500_000
    packed = perform("package_model", tmp_path, judged, threshold=0.5)
    assert packed.facts["row_form"] is True
    assert packed.facts["bytes"] < 500_000
