"""Compute of `evaluate_model`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.evaluate_model.classes import judge_classes
from pipelines.operations.evaluate_model.intervals import interval_json
from pipelines.operations.evaluate_model.judgement import Judgement
from pipelines.operations.evaluate_model.multiclass import judge_several
from pipelines.operations.evaluate_model.target import parse_target, target_facts
from pipelines.operations.evaluate_model.values import judge_values
from pipelines.operations.learning.candidates import (
    Candidate,
    Holdout,
    open_candidate,
    open_holdout,
)
from pipelines.operations.learning.resampling import Resampling, by_group_day_or_row
from pipelines.operations.tables import write_document, write_table

Judge = Callable[[Context, Candidate, Holdout, Resampling], Judgement]
JUDGES: Mapping[str, Judge] = {
    "classification": judge_classes,
    "multiclass": judge_several,
    "regression": judge_values,
}


def run(context: Context) -> Outcome:
    """Evaluate the candidate; raises OperationError."""
    asked = parse_target(context.text("target_metric"), context.params.get("target_value"))
    candidate = open_candidate(context.inputs["candidate"], context)
    holdout = open_holdout(context.inputs["holdout"], candidate, extra=_extra(context, candidate))
    context.progress(0.2, "scored", len(holdout.labels))
    resampling = by_group_day_or_row(
        holdout.frame,
        group=candidate.group,
        time=candidate.time,
        origin=candidate.origin,
        samples=context.whole("samples"),
        seed=context.seed,
    )
    judged = JUDGES[candidate.task.name](context, candidate, holdout, resampling)
    facts: dict[str, Json] = {
        "rows": len(holdout.labels),
        "task": candidate.task.name,
        "target": candidate.target,
        "family": candidate.family,
        "metrics": {name: interval_json(found) for name, found in judged.measured.items()},
        **judged.facts,
        "interval": {
            "unit": resampling.unit,
            "units": resampling.size,
            "samples": resampling.samples,
            **_blocks(resampling),
        },
        "target_metric": target_facts(asked, judged.measured),
    }
    evaluation: dict[str, Json] = {"format": "baton/evaluation/1", "facts": facts, **judged.curves}
    outputs = {
        "evaluation": write_document(context.output("evaluation"), evaluation),
        "predictions": _predictions(context.output("predictions"), candidate, holdout, judged),
    }
    return Outcome(outputs, facts)


def _blocks(drawn: Resampling) -> dict[str, Json]:
    if drawn.unit != "block":
        return {}
    return {"days": drawn.days, "wanted_days": drawn.wanted_days}


def _extra(context: Context, candidate: Candidate) -> list[str]:
    named = (context.text("interval_by"), context.text("usual_column"))
    return list(dict.fromkeys([*candidate.grouped, *filter(None, named)]))


def _predictions(path: Path, candidate: Candidate, holdout: Holdout, judged: Judgement) -> Path:
    named = [*candidate.key, *([candidate.time] if candidate.time else [])]
    frame = holdout.frame[list(dict.fromkeys(named))]
    own = judged.columns.set_axis(frame.index)
    return write_table(pd.concat([frame, own], axis=1), path)
