"""Judging a classification: scores, calibration, threshold, and what deciding by it is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, finite
from pipelines.operations.evaluate_model.curves import pr_curve, roc_curve, thin
from pipelines.operations.evaluate_model.intervals import (
    decision_intervals,
    interval_json,
    score_intervals,
)
from pipelines.operations.evaluate_model.judgement import Judgement
from pipelines.operations.evaluate_model.words import sentences
from pipelines.operations.learning import calibration, thresholds
from pipelines.operations.learning.candidates import Candidate, Holdout
from pipelines.operations.learning.resampling import Interval, Resampling
from pipelines.operations.learning.thresholds import Costs


@dataclass(frozen=True)
class Decision:
    """The threshold, how it was chosen, and (with costs) what deciding by it is worth.

    `honest` is what thresholds flag that other rows chose: what deciding is judged by.
    """

    threshold: float
    method: str
    flags: np.ndarray
    honest: np.ndarray
    worth: dict[str, Interval]


def judge_classes(
    context: Context, candidate: Candidate, holdout: Holdout, resampling: Resampling
) -> Judgement:
    """The judgement of a classifier; raises OperationError for costs that leave no choice."""
    costs = thresholds.parse_costs(_named(context))
    measured = score_intervals(candidate.task, holdout, resampling)
    context.progress(0.7, "intervals drawn", len(holdout.labels))
    decision = decide(holdout, costs, resampling)
    measured |= decision_intervals(decision.honest, holdout.labels, resampling)
    if "nothing" in decision.worth:
        measured["value_per_1000"] = decision.worth["nothing"]
    return Judgement(
        measured=measured,
        facts=_facts(candidate, holdout, decision=decision, costs=costs),
        curves=_curves(holdout, costs),
        columns=pd.DataFrame(
            {
                "score": holdout.scores,
                "label": holdout.labels,
                "flagged": decision.flags,
                "honest": decision.honest,
            }
        ),
    )


def _named(context: Context) -> dict[str, Json]:
    """The costs with the brief's currency, where they have none of their own."""
    given = context.mapping("costs")
    return {"currency": context.text("currency"), **given} if given else {}


def decide(holdout: Holdout, costs: Costs | None, resampling: Resampling) -> Decision:
    """The threshold of greatest worth; of greatest balanced accuracy without costs."""
    scores, labels = holdout.scores, holdout.labels
    threshold = thresholds.chosen(scores, labels, costs)
    honest = thresholds.honest_flags(scores, labels, costs, resampling)
    flags, apart = scores >= threshold, honest == 1
    if costs is None:
        return Decision(threshold, "balanced accuracy", flags, apart, {})
    worth = thresholds.worth_intervals(honest, labels, costs, resampling)
    return Decision(threshold, "expected cost", flags, apart, worth)


def _facts(
    candidate: Candidate,
    holdout: Holdout,
    *,
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
        "positives": int(labels.sum()),
        "positive_share": float(labels.mean()),
        "positive": holdout.classes[1],
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


def _curves(holdout: Holdout, costs: Costs | None) -> dict[str, Json]:
    scores, labels = holdout.scores, holdout.labels
    return {
        "roc": list[Json](roc_curve(scores, labels)),
        "pr": list[Json](pr_curve(scores, labels)),
        "sweep": list[Json](thin(thresholds.sweep(scores, labels, costs))),
    }
