"""The flights' evaluation against the same scikit-learn calls in a plain script; JSON lines.

    python -m benchmarks.evaluation

On all rows, in one process: the operations evaluate_model, evaluate_slices and explain_model, then
what a data scientist writes with scikit-learn for the same results: scores with 300 bootstrap
samples each, calibration, thresholds, the metric by slice with its samples, a tree on the errors,
permutation importance and partial dependence with as many rows, repeats and points. The other
operations of the stage have no calls of scikit-learn to be held against. Bar: wall <= 1.10.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.calibration import calibration_curve
from sklearn.inspection import permutation_importance
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
    roc_curve,
)
from sklearn.tree import DecisionTreeClassifier

from benchmarks.flights import SEED, Plain, machine, say
from pipelines.operations.contract import Context
from pipelines.operations.explain_model.dependence import POINTS, ROWS
from pipelines.operations.learning.candidates import Candidate, open_candidate, open_holdout
from portal.demo.flights import write_known

STAGES = ("source", "explore", "features", "tune", "evaluate")
COMPARED = ("evaluate", "slices", "explain")
SAMPLES, REPEATS, IMPORTANCE_ROWS, CURVES = 300, 5, 5000, 6
METRICS = (roc_auc_score, average_precision_score, log_loss, brier_score_loss)


def main() -> None:
    """Time both, and the rest of the stage."""
    say(machine=machine())
    folder = Path(tempfile.mkdtemp(prefix="baton-evaluation-"))
    try:
        tables = folder / "tables"
        tables.mkdir()
        run = Plain(folder / "run", write_known(tables), stages=STAGES)
        run.run()
        context = run.context("evaluate", run.plan.stage("evaluate").step("evaluate"))
        ours = {row["step"].partition(".")[2]: row["wall"] for row in run.times}
        theirs = dict(_plain(context))
    finally:
        shutil.rmtree(folder)
    ours = {name: ours[name] for name in COMPARED}
    wall, plain = sum(ours.values()), sum(theirs.values())
    say(operations=ours, plain=theirs, wall=round(wall, 2), plain_wall=round(plain, 2))
    say(ratio=round(wall / plain, 3), bar=1.10)


def _plain(context: Context) -> Iterator[tuple[str, float]]:
    candidate = open_candidate(context.inputs["candidate"], context)
    holdout = open_holdout(context.inputs["holdout"], candidate, extra=("carrier", "origin"))
    rows = holdout.frame.reset_index(drop=True)
    parts: dict[str, Callable[[Candidate, pd.DataFrame, np.ndarray], Any]] = {
        "evaluate": _judge,
        "slices": _slices,
        "explain": _explain,
    }
    for name, part in parts.items():
        began = time.perf_counter()
        part(candidate, rows, holdout.labels)
        yield name, round(time.perf_counter() - began, 2)


def _scores(candidate: Candidate, rows: pd.DataFrame) -> np.ndarray:
    found: np.ndarray = candidate.model.predict_proba(rows[list(candidate.columns)])[:, 1]
    return found


def _judge(candidate: Candidate, rows: pd.DataFrame, labels: np.ndarray) -> None:
    scores, chance = _scores(candidate, rows), np.random.default_rng(SEED)
    for _ in range(SAMPLES):
        picked = chance.integers(0, labels.size, labels.size)
        for metric in METRICS:
            metric(labels[picked], scores[picked])
    calibration_curve(labels, scores, n_bins=10)
    roc_curve(labels, scores)


def _slices(candidate: Candidate, rows: pd.DataFrame, labels: np.ndarray) -> None:
    scores, chance = _scores(candidate, rows), np.random.default_rng(SEED)
    errors = np.abs(labels - scores)
    numbers = rows[list(candidate.columns)].select_dtypes("number").fillna(0)
    DecisionTreeClassifier(max_depth=3, random_state=SEED).fit(numbers, errors > 0.5)
    for column in ("carrier", "origin"):
        for places in rows.groupby(column).indices.values():
            if len(places) < 50 or len(set(labels[places])) < 2:
                continue
            for _ in range(SAMPLES):
                picked = chance.choice(places, len(places))
                if len(set(labels[picked])) == 2:
                    roc_auc_score(labels[picked], scores[picked])


def _explain(candidate: Candidate, rows: pd.DataFrame, labels: np.ndarray) -> None:
    chance = np.random.default_rng(SEED)
    columns = list(candidate.columns)
    picked = chance.choice(labels.size, IMPORTANCE_ROWS, replace=False)
    found = permutation_importance(
        candidate.model,
        rows[columns].iloc[picked],
        labels[picked],
        scoring="roc_auc",
        n_repeats=REPEATS,
        random_state=SEED,
    )
    some = rows[columns].iloc[chance.choice(labels.size, ROWS, replace=False)]
    for place in np.argsort(-found.importances_mean)[:CURVES]:
        for value in rows[columns[place]].dropna().sample(POINTS, random_state=SEED):
            candidate.model.predict_proba(some.assign(**{columns[place]: value}))


if __name__ == "__main__":
    main()
