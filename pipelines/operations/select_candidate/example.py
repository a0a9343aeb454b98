"""A small example of `select_candidate`."""

import json
from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import write_model

SETTINGS = {"max_iter": 20, "min_samples_leaf": 10}
FOLDS = {"dummy": (0.5, 0.5, 0.5), "boosting": (0.71, 0.68, 0.73)}


def example(folder: Path) -> tuple[dict[str, Path | dict[str, Path]], dict[str, Json]]:
    """Inputs and params; the inputs of `many` ports map names to files."""
    models, scores = {}, {}
    for family, values in FOLDS.items():
        models[f"tune.{family}.model"] = write_model(folder, family=family).model
        document = {
            "family": family,
            "settings": SETTINGS,
            "folds_digest": "same",
            "features_digest": "same",
            "folds": [{"roc_auc": value} for value in values],
        }
        path = folder / f"{family}.json"
        path.write_text(json.dumps(document), "utf-8")
        scores[f"tune.{family}.scores"] = path
    return {"models": models, "scores": scores}, {"metric": "roc_auc"}
