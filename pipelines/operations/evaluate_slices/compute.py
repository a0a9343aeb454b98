"""Compute of `evaluate_slices`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.evaluate_slices.answers import ByAnswers
from pipelines.operations.evaluate_slices.areas import ByArea
from pipelines.operations.evaluate_slices.finding import found_slices
from pipelines.operations.evaluate_slices.grouping import declared_slices
from pipelines.operations.evaluate_slices.judging import Judged, Limits, Yardstick, judge
from pipelines.operations.evaluate_slices.sizes import BySize
from pipelines.operations.learning.candidates import open_candidate, open_holdout
from pipelines.operations.tables import write_document

YARDSTICKS: Mapping[str, Yardstick] = {
    "classification": ByArea(),
    "multiclass": ByAnswers(),
    "regression": BySize(),
}
SHOWN = 60  # rows in facts, the worst first; the artefact has all


def run(context: Context) -> Outcome:
    """Judge every slice against all rows; raises OperationError."""
    candidate = open_candidate(context.inputs["candidate"], context)
    names = context.names("slices")
    holdout = open_holdout(context.inputs["holdout"], candidate, extra=names)
    context.progress(0.3, "scored", len(holdout.labels))
    limits = Limits(
        rows=context.whole("minimum_rows"),
        tolerance=context.number("tolerance"),
        false_discovery=context.number("false_discovery"),
    )
    slices = [piece for name in names for piece in declared_slices(holdout.frame[name])]
    if context.flag("find"):
        context.progress(0.5, "looking for weak groups", len(holdout.labels))
        slices += found_slices(candidate, holdout, seed=context.seed)
    yardstick = YARDSTICKS[candidate.task.name]
    judged = judge(slices, holdout.scores, holdout.labels, limits, yardstick=yardstick)
    overall = yardstick.overall(holdout.scores, holdout.labels)
    rows = [row.as_json() for row in judged]
    facts: dict[str, Json] = {"metric": yardstick.metric, "rows": len(holdout.labels)}
    facts |= _facts(judged, overall=overall)
    document: dict[str, Json] = {
        "format": "baton/slices/1",
        "metric": yardstick.metric,
        "overall": facts["overall"],
        "slices": list[Json](rows),
    }
    return Outcome({"slices": write_document(context.output("slices"), document)}, facts)


def _facts(judged: Sequence[Judged], *, overall: tuple[float, float]) -> dict[str, Json]:
    value, error = overall
    return {
        "overall": {"value": value, "low": value - 1.96 * error, "high": value + 1.96 * error},
        "looked_at": len(judged),
        "too_small": sum(row.verdict == "too small" for row in judged),
        "worse": sum(row.verdict == "worse" for row in judged),
        "hard": sum(row.verdict == "hard" for row in judged),
        "declared": sum(not row.piece.found for row in judged),
        "found": sum(row.piece.found for row in judged),
        "slices": [row.as_json() for row in judged[:SHOWN]],
    }
