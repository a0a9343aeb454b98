"""Runs in the clean process: trains by the recipe in the model file; JSON in, JSON out."""

import hashlib
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

from pipelines.operations.contract import Context, Json
from pipelines.operations.learning import store
from pipelines.operations.learning.candidates import Candidate, open_candidate, open_holdout
from pipelines.operations.learning.definition import FeatureSet
from pipelines.operations.learning.families import build, encode, whole
from pipelines.operations.learning.frames import read_training
from pipelines.operations.learning.resampling import group_codes
from pipelines.operations.learning.tasks import TASKS
from pipelines.operations.learning.weights import fit_weighted, weights_in
from pipelines.operations.packages import environment
from pipelines.operations.packages.loaded import scores_of
from pipelines.operations.retrain_clean.spec import SPEC


def main() -> None:
    """Read the request from standard input and answer on standard output."""
    json.dump(probe(json.load(sys.stdin)), sys.stdout, allow_nan=False)


def probe(request: Mapping[str, Json]) -> dict[str, Json]:
    """Facts of the comparison; `recipe` is False for a model that was trained elsewhere."""
    folder = Path(str(request["folder"]))
    path = Path(str(request["candidate"]))
    candidate = open_candidate(path, Context(spec=SPEC, folder=folder))
    facts = environment.describe()
    if candidate.features is None or "settings" not in candidate.about:
        return {"recipe": False, "environment": facts}
    started = time.perf_counter()
    again = _train(candidate, candidate.features, Path(str(request["train"])))
    seconds = time.perf_counter() - started
    file = store.dump(again, folder / "again.skops", candidate.about)
    digests = [_digest(path), _digest(file)]
    file.unlink()
    gap = _gap(candidate, again, request)
    return {
        "recipe": True,
        "family": candidate.family,
        "rows": gap.size,
        "predictions_equal": bool((gap == 0).all()),
        "largest_difference": float(gap.max()),
        "model_digest": digests[0],
        "again_digest": digests[1],
        "file_equal": digests[0] == digests[1],
        "environment": facts,
        "deviations": facts["deviations"],
        "train_seconds": seconds,
    }


def _train(candidate: Candidate, features: FeatureSet, path: Path) -> Pipeline:
    frame = read_training(path, features, field="train")
    columns, matrix = encode(features, frame, field="train")
    settings, seed = candidate.about.get("settings"), candidate.about.get("seed")
    model = build(
        candidate.family,
        features,
        settings if isinstance(settings, dict) else {},
        seed if isinstance(seed, int) else 0,
    )
    truth = TASKS[features.task].truth(frame[features.target], features.classes)
    groups = group_codes(frame[features.group]) if features.group else None
    fit_weighted(model, matrix, truth, weights_in(frame), groups)
    return whole(columns, model)


def _gap(candidate: Candidate, again: Pipeline, request: Mapping[str, Json]) -> np.ndarray:
    holdout = open_holdout(Path(str(request["holdout"])), candidate)
    rows = holdout.frame[list(candidate.columns)].iloc[: int(str(request["rows"]))]
    return np.abs(scores_of(candidate.model, rows) - scores_of(again, rows))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
