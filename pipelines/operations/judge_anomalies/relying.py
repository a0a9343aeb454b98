"""By which columns planted anomalies are found, and which kinds of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from pipelines.operations.anomalies.planting import PLANTED
from pipelines.operations.contract import Json, finite
from pipelines.operations.learning.candidates import Candidate, score_frame
from pipelines.operations.learning.metrics import Floats

ROWS = 1500  # scored again for each column
COLUMNS = 30


def importance(
    candidate: Candidate, checked: pd.DataFrame, scores: Floats, *, seed: int
) -> list[dict[str, Json]]:
    """Loss of ROC AUC on planted anomalies when a column is shuffled, the largest first."""
    draw = np.random.default_rng(seed)
    truth = checked[PLANTED].to_numpy()
    rows = np.sort(draw.permutation(len(checked))[:ROWS])
    planted = np.flatnonzero(truth == 1)
    rows = np.union1d(rows, planted)
    part, labels = checked.iloc[rows].reset_index(drop=True), truth[rows]
    whole = float(roc_auc_score(labels, scores[rows]))
    found: list[dict[str, Json]] = []
    for name in candidate.columns[:COLUMNS]:
        moved = part.assign(**{name: part[name].to_numpy()[draw.permutation(len(part))]})
        moved[name] = moved[name].astype(part[name].dtype)
        value = float(roc_auc_score(labels, score_frame(candidate, moved, field="checked")))
        found.append({"column": name, "value": finite(whole - value, 6)})
    return sorted(found, key=lambda row: (-float(str(row["value"])), str(row["column"])))


def slices_of(found: Json) -> dict[str, Json]:
    """Recall by kind of planted anomaly, in the form of slices."""
    kinds = found.get("kinds") if isinstance(found, dict) else None
    rows: list[Json] = []
    for kind, row in (kinds if isinstance(kinds, dict) else {}).items():
        if isinstance(row, dict):
            rows.append({**row, "slice": kind, "verdict": ""})
    return {"format": "baton/slices/1", "metric": "recall of planted anomalies", "slices": rows}
