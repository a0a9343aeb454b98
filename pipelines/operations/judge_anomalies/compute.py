"""Judge a detector on later rows: what it finds, what it costs in alerts, what it relies on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.operations.anomalies.alerts import (
    alert_rate,
    at_volume,
    macro,
    per_day,
    reasons,
    recall,
    share_of,
    threshold_for,
    volume_of,
)
from pipelines.operations.anomalies.planting import PLANTED
from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.judge_anomalies.relying import importance, slices_of
from pipelines.operations.learning.candidates import Candidate, open_candidate, score_frame
from pipelines.operations.learning.metrics import Floats, all_scores
from pipelines.operations.tables import plain, read_table, write_document, write_table


def run(context: Context) -> Outcome:
    """Compute every figure; raises OperationError."""
    candidate = open_candidate(context.inputs["candidate"], context)
    frame, checked = read_table(context.inputs["holdout"]), read_table(context.inputs["checked"])
    scores = score_frame(candidate, frame, field="holdout")
    planted = score_frame(candidate, checked, field="checked")
    context.progress(0.3, "rows scored", len(frame) + len(checked))
    times = frame[candidate.time] if candidate.time in frame.columns else None
    volume, capacity = volume_of(context, frame, candidate.time), context.number("capacity")
    threshold = threshold_for(capacity, volume.planned, margin=context.number("margin"))
    rate = alert_rate(scores >= threshold, times, expected=1 - threshold)
    found = recall(checked, planted, threshold)
    alerts = scores >= threshold
    facts: dict[str, Json] = {
        "family": candidate.family,
        "rows": len(frame),
        "positives": int((checked[PLANTED] == 1).sum()),
        "positive": "planted anomalies",
        "threshold": threshold,
        "threshold_method": "the reviewers' day",
        "capacity": capacity,
        **volume.as_json(),
        "alerts": int(alerts.sum()),
        **per_day(times, alerts, capacity),
        "alert_rate": rate,
        "alerts_at_volume": at_volume(rate, volume.planned or 0.0),
        "beyond_held_back": 1 - threshold < _finest(candidate),
        "recall": found,
        "metrics": _metrics(checked, planted, found),
        "sentences": _sentences(found, alerts, capacity),
        "labelled": _labelled(context, frame, scores, alerts),
    }
    cases = top_cases(context, candidate, frame, scores)
    facts |= {"cases": list[Json](cases), "case_names": [str(row["case"]) for row in cases]}
    context.progress(0.6, "looking at columns", len(checked))
    relied = importance(candidate, checked, planted, seed=context.seed)
    facts["importance"] = list[Json](relied)
    context.progress(1.0, "judged", len(frame))
    return Outcome(_outputs(context, facts, _predictions(context, candidate, frame, scores)), facts)


def _finest(candidate: Candidate) -> float:
    """The smallest share that the rows held back from learning can tell; 0 where not known."""
    held = getattr(candidate.model[-1], "ordinary_", None)
    return 0.0 if held is None else 1.0 / (np.size(held) + 1)


def _outputs(context: Context, facts: dict[str, Json], predictions: pd.DataFrame) -> dict:  # type: ignore[type-arg]
    explained: dict[str, Json] = {
        "format": "baton/explanation/1",
        "importance": facts["importance"],
    }
    cases: dict[str, Json] = {"format": "baton/cases/1", "cases": facts["cases"]}
    return {
        "evaluation": write_document(context.output("evaluation"), {"facts": facts}),
        "predictions": write_table(predictions, context.output("predictions")),
        "cases": write_document(context.output("cases"), cases),
        "slices": write_document(context.output("slices"), slices_of(facts["recall"])),
        "explanation": write_document(context.output("explanation"), explained),
    }


def _metrics(checked: pd.DataFrame, scores: Floats, found: dict[str, Json]) -> dict[str, Json]:
    """Areas on planted anomalies: how well they are ranked, whatever the threshold."""
    plain_scores = all_scores(scores, checked[PLANTED].to_numpy())
    mean, error = macro(found)
    rows: dict[str, Json] = {
        name: {"value": finite(plain_scores[name], 6), "low": None, "high": None}
        for name in ("roc_auc", "pr_auc")
    }
    rows["recall"] = {name: found[name] for name in ("value", "low", "high")}
    rows["recall_over_kinds"] = {
        "value": finite(mean, 6),
        "low": finite(max(0.0, mean - 1.96 * error), 6),
        "high": finite(min(1.0, mean + 1.96 * error), 6),
    }
    return rows


def _sentences(found: dict[str, Json], alerts: np.ndarray, capacity: float) -> list[Json]:
    share = found["value"]
    told = "No planted anomaly is gross." if share is None else f"Finds {share:.0%} of gross ones."
    return [f"{int(alerts.sum()):,} alerts in {alerts.size:,} rows.", told, f"{capacity:g} a day."]


def _labelled(
    context: Context, frame: pd.DataFrame, scores: Floats, alerts: np.ndarray
) -> dict[str, Json]:
    """Precision among the k strangest and among alerts, by a column of labels; else empty."""
    label = context.text("label")
    if not label:
        return {}
    if label not in frame.columns:
        raise OperationError(
            "unknown_column",
            f"label names {label!r}, which is not in the table",
            field="label",
            value=label,
            rule="names a column of the table",
        )
    known = frame[label].notna().to_numpy()
    truth = np.asarray([_is_true(value) for value in frame[label]], dtype=bool)
    top = np.argsort(-scores, kind="stable")
    top = top[known[top]][: context.whole("k")]
    hits, marked = known & alerts & truth, known & truth
    return {
        "label": label,
        "rows": int(known.sum()),
        "share": finite(float(truth[known].mean()), 6) if known.any() else None,
        "k": int(top.size),
        "precision_at_k": share_of(int(truth[top].sum()), int(top.size)),
        "precision": share_of(int(hits.sum()), int((known & alerts).sum())),
        "recall": share_of(int(hits.sum()), int(marked.sum())),
    }


def _is_true(value: object) -> bool:
    return str(value).strip().lower() in ("1", "1.0", "true", "yes", "anomaly")


def top_cases(
    context: Context, candidate: Candidate, frame: pd.DataFrame, scores: Floats
) -> list[dict[str, Json]]:
    """The k strangest rows, each with its name, time, score and what is far out."""
    key = context.text("key_column") or (candidate.key[0] if candidate.key else "")
    order = np.argsort(-scores, kind="stable")[: context.whole("k")]
    told = reasons(frame, order, candidate.columns)
    names = frame[key].astype("str").to_numpy() if key in frame.columns else None
    return [
        {
            "case": str(row) if names is None else str(names[row]),
            "score": finite(float(scores[row]), 6),
            "at": plain(frame[candidate.time].iloc[row])
            if candidate.time in frame.columns
            else None,
            "reason": reason,
        }
        for row, reason in zip(order, told, strict=True)
    ]


def _predictions(
    context: Context, candidate: Candidate, frame: pd.DataFrame, scores: Floats
) -> pd.DataFrame:
    extra = [*candidate.key, *([candidate.time] if candidate.time else [])]
    kept = frame[[name for name in extra if name in frame.columns]].copy()
    kept["score"] = scores
    return kept
