"""Runs in the clean process: learns by the recipe in the model file; JSON in, JSON out."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipelines.operations.anomalies.detector import Detector
from pipelines.operations.clusters.files import open_rows
from pipelines.operations.contract import Context, Json
from pipelines.operations.fit_anomalies.compute import whole
from pipelines.operations.learning.candidates import open_candidate
from pipelines.operations.learning.frames import read_columns
from pipelines.operations.packages import environment
from pipelines.operations.packages.loaded import scores_of
from pipelines.operations.refit_anomalies.spec import SPEC
from pipelines.operations.tables import write_document


def main() -> None:
    """Read the request from standard input and answer on standard output."""
    json.dump(probe(json.load(sys.stdin)), sys.stdout, allow_nan=False)


def probe(request: Mapping[str, Json]) -> dict[str, Json]:
    """Facts of the comparison; `recipe` is False for a model that was trained elsewhere."""
    folder = Path(str(request["folder"]))
    context = Context(spec=SPEC, folder=folder)
    candidate = open_candidate(Path(str(request["candidate"])), context)
    facts = environment.describe()
    settings = candidate.about.get("settings")
    if candidate.features is None or not isinstance(settings, dict):
        return {"recipe": False, "environment": facts}
    started = time.perf_counter()
    recipe = write_document(folder / "recipe.json", candidate.features.as_json())
    rows = open_rows(Path(str(request["train"])), recipe, scale=str(settings.get("scale")))
    recipe.unlink()
    detector = Detector(
        candidate.family, int(str(settings.get("rows"))), int(str(candidate.about.get("seed")))
    )
    again = whole(rows, detector.fit(rows.matrix))
    seconds = time.perf_counter() - started
    frame = read_columns(Path(str(request["holdout"])), candidate.columns, field="holdout")
    frame = frame.iloc[: int(str(request["rows"]))]
    gap = np.abs(scores_of(candidate.model, frame) - scores_of(again, frame))
    return {
        "recipe": True,
        "family": candidate.family,
        "rows": gap.size,
        "predictions_equal": bool((gap == 0).all()),
        "largest_difference": float(gap.max()),
        "environment": facts,
        "deviations": facts["deviations"],
        "train_seconds": seconds,
    }


if __name__ == "__main__":
    main()
