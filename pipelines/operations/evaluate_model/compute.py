"""Compute of `evaluate_model`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.evaluate_model.curves import pr_curve, roc_curve, thin
from pipelines.operations.evaluate_model.intervals import (
    decision_intervals,
    interval_json,
    score_intervals,
)
from pipelines.operations.evaluate_model.target import parse_target, target_facts
from pipelines.operations.evaluate_model.words import sentences
from pipelines.operations.learning import calibration, thresholds
from pipelines.operations.learning.candidates import (
    Candidate,
    Holdout,
    open_candidate,
    open_holdout,
)
from pipelines.operations.learning.resampling import Interval, Resampling, by_day_or_row
from pipelines.operations.learning.thresholds import Costs
from pipelines.operations.tables import write_document, write_table


@dataclass(frozen=True)
class Decision:
    """The threshold, how it was chosen, and (with costs) what deciding by it is worth."""

    threshold: float
    method: str
    flags: np.ndarray
    worth: dict[str, Interval]


def run(context: Context) -> Outcome:
    """Evaluate the candidate; raises OperationError."""
    asked = parse_target(context.text("target_metric"), context.params.get("target_value"))
    given = context.mapping("costs")
    named = {"currency": context.text("currency"), **given} if given else {}
    costs = thresholds.parse_costs(named)
    candidate = open_candidate(context.inputs["candidate"], context)
    holdout = open_holdout(context.inputs["holdout"], candidate)
    context.progress(0.2, "scored", len(holdout.labels))
    resampling = by_day_or_row(
        len(holdout.labels),
        holdout.frame[candidate.time] if candidate.time else None,
        samples=context.whole("samples"),
        seed=context.seed,
    )
    scores = score_intervals(holdout.scores, holdout.labels, resampling)
    context.progress(0.7, "intervals drawn", len(holdout.labels))
    decision = decide(holdout, costs, resampling)
    measured = {**scores, **decision_intervals(decision.flags, holdout.labels, resampling)}
    if "nothing" in decision.worth:
        measured["value_per_1000"] = decision.worth["nothing"]
    facts = _facts(candidate, holdout, measured=measured, decision=decision, costs=costs)
    facts["interval"] = {
        "unit": resampling.unit,
        "units": resampling.size,
        "samples": resampling.samples,
    }
    facts["target_metric"] = target_facts(asked, measured)
    evaluation = _document(holdout, facts, costs)
    outputs = {
        "evaluation": write_document(context.output("evaluation"), evaluation),
        "predictions": _predictions(context.output("predictions"), candidate, holdout, decision),
    }
    return Outcome(outputs, facts)


def decide(holdout: Holdout, costs: Costs | None, resampling: Resampling) -> Decision:
    """The threshold of greatest worth; of greatest balanced accuracy without costs."""
    scores, labels = holdout.scores, holdout.labels
    if costs is None:
        threshold = thresholds.balanced(scores, labels)
        return Decision(threshold, "balanced accuracy", scores >= threshold, {})
    threshold = thresholds.cheapest(scores, labels, costs)
    honest = thresholds.honest_flags(scores, labels, costs, resampling)
    worth = thresholds.worth_intervals(honest, labels, costs, resampling)
    return Decision(threshold, "expected cost", scores >= threshold, worth)


def _facts(
    candidate: Candidate,
    holdout: Holdout,
    *,
    measured: dict[str, Interval],
    decision: Decision,
    costs: Costs | None,
) -> dict[str, Json]:
    labels, flags = holdout.labels, decision.flags
    counts = thresholds.confusion(
        flagged=int(flags.sum()),
        hits=int(labels[flags].sum()),
        positives=int(labels.sum()),
        total=int(labels.size),
    )
    bins = calibration.bins(holdout.scores, labels)
    return {
        "rows": int(labels.size),
        "positives": int(labels.sum()),
        "positive_share": float(labels.mean()),
        "positive": holdout.classes[1],
        "target": candidate.target,
        "family": candidate.family,
        "metrics": {name: interval_json(found) for name, found in measured.items()},
        "calibration": {
            "error": finite(calibration.expected_error(bins), 6),
            "noise_floor": round(calibration.noise_floor(int(labels.size)), 6),
            "bins": list[Json](bins),
        },
        "threshold": decision.threshold,
        "threshold_method": decision.method,
        "confusion": counts,
        "value": _value(decision, costs),
        "sentences": list[Json](
            sentences(counts, target=candidate.target, positive=str(holdout.classes[1]))
        ),
    }


def _value(decision: Decision, costs: Costs | None) -> Json:
    if costs is None:
        return None
    return {
        "currency": costs.currency,
        "cost_fp": costs.false_alarm,
        "cost_fn": costs.miss,
        "benefit_tp": costs.hit,
        "break_even": costs.break_even,
        "per_1000": interval_json(decision.worth["nothing"]),
        "per_1000_over_flagging_all": interval_json(decision.worth["everything"]),
        "per_1000_over_best_without_model": interval_json(decision.worth["better"]),
    }


def _document(holdout: Holdout, facts: dict[str, Json], costs: Costs | None) -> dict[str, Json]:
    scores, labels = holdout.scores, holdout.labels
    return {
        "format": "baton/evaluation/1",
        "facts": facts,
        "roc": list[Json](roc_curve(scores, labels)),
        "pr": list[Json](pr_curve(scores, labels)),
        "sweep": list[Json](thin(thresholds.sweep(scores, labels, costs))),
    }


def _predictions(path: Path, candidate: Candidate, holdout: Holdout, decision: Decision) -> Path:
    named = [*candidate.key, *([candidate.time] if candidate.time else [])]
    frame = holdout.frame[list(dict.fromkeys(named))].copy()
    own = pd.DataFrame(
        {"score": holdout.scores, "label": holdout.labels, "flagged": decision.flags},
        index=frame.index,
    )
    return write_table(pd.concat([frame, own], axis=1), path)
