"""Compute of `screen_fairness`: a flag that asks people to look, never a verdict on fairness."""

from __future__ import annotations

import numpy as np

from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.learning.candidates import Holdout, open_candidate, open_holdout
from pipelines.operations.learning.decisions import decide
from pipelines.operations.learning.metrics import Floats, Labels
from pipelines.operations.learning.resampling import Resampling, by_group_day_or_row, sum_samples
from pipelines.operations.learning.tasks import need_task
from pipelines.operations.screen_fairness import numbers
from pipelines.operations.screen_fairness.multiclass import screen_several
from pipelines.operations.screen_fairness.rates import COUNTS, Groups, indicators, tied
from pipelines.operations.screen_fairness.screening import (
    Minimum,
    Screened,
    adjust,
    column_json,
    group_rows,
    groups_of,
    screen,
)
from pipelines.operations.tables import write_document

SHOWN = 60  # groups in facts; the artefact has all


def run(context: Context) -> Outcome:
    """Screen every declared column; raises OperationError."""
    candidate = open_candidate(context.inputs["candidate"], context)
    if candidate.task.name == "regression":
        return numbers.run(context, candidate)
    if candidate.task.name == "multiclass":
        return screen_several(context, candidate)
    need_task(candidate.task, "classification")
    names = list(dict.fromkeys(context.names("sensitive")))
    holdout = open_holdout(context.inputs["holdout"], candidate, extra=[*names, *candidate.grouped])
    context.progress(0.3, "scored", len(holdout.labels))
    decided = decide(context, holdout)
    resampling = by_group_day_or_row(
        holdout.frame,
        group=candidate.group,
        time=candidate.time,
        samples=context.whole("samples"),
        seed=context.seed,
    )
    found = adjust(_screened(context, holdout, decided.flags, resampling))
    groups: list[Json] = [row for one in found for row in group_rows(one)]
    facts: dict[str, Json] = {
        "sensitive": list[Json](names),
        "favourable": context.text("favourable"),
        **decided.as_json(),
        "rows": len(holdout.labels),
        "minimum_rows": context.whole("minimum_rows"),
        "minimum_cases": context.whole("minimum_cases"),
        "interval": {
            "unit": resampling.unit,
            "units": resampling.size,
            "samples": resampling.samples,
        },
        "fairness": [column_json(one) for one in found],
    }
    document: dict[str, Json] = {"format": "baton/fairness/1", "facts": facts, "groups": groups}
    path = write_document(context.output("fairness"), document)
    return Outcome({"fairness": path}, {**facts, "groups": groups[:SHOWN]})


def _screened(
    context: Context, holdout: Holdout, flags: np.ndarray, resampling: Resampling
) -> list[Screened]:
    selected, deserving = _favourable(context, flags, holdout.labels)
    minimum = Minimum(context.whole("minimum_rows"), context.whole("minimum_cases"))
    found = []
    for name in dict.fromkeys(context.names("sensitive")):
        groups = groups_of(holdout.frame[name])
        counted = indicators(groups, selected, deserving)
        found.append(
            screen(
                groups,
                _by_group(counted.sum(axis=0), groups),
                _by_group(sum_samples(counted, resampling), groups),
                minimum=minimum,
                seed=context.seed,
                told=tied(selected, deserving, resampling),
            )
        )
        context.progress(0.9, f"screened {name}", len(holdout.labels))
    return found


def _favourable(context: Context, flags: np.ndarray, labels: Labels) -> tuple[np.ndarray, Labels]:
    """Who gets the favourable decision, and who should (1): both turned for "not flagged"."""
    if context.text("favourable") == "flagged":
        return flags, labels
    return ~flags, 1 - labels


def _by_group(counts: Floats, groups: Groups) -> Floats:
    """(..., groups * COUNTS) -> (..., groups, COUNTS)."""
    return counts.reshape(*counts.shape[:-1], len(groups.names), COUNTS)
