"""Several classes: each class in turn is the decision whose rates are compared between groups.

For class k a row is selected where k is answered, and deserving where k is true: the measures are
those of two classes, one class against the rest. p-values are corrected over all columns, classes
and measures together, so that more classes raise no more false alarms.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.learning.candidates import Candidate, Holdout, open_holdout
from pipelines.operations.learning.class_decisions import decide_class
from pipelines.operations.learning.class_names import texts_of
from pipelines.operations.learning.metrics import Labels
from pipelines.operations.learning.resampling import Resampling, by_group_day_or_row, sum_samples
from pipelines.operations.screen_fairness.rates import COUNTS, indicators, tied
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

SHOWN = 120  # groups in facts; the artefact has all


def screen_several(context: Context, candidate: Candidate) -> Outcome:
    """Screen every declared column for every class; raises OperationError."""
    names = list(dict.fromkeys(context.names("sensitive")))
    holdout = open_holdout(context.inputs["holdout"], candidate, extra=[*names, *candidate.grouped])
    context.progress(0.3, "scored", len(holdout.labels))
    decided = decide_class(context, holdout)
    resampling = by_group_day_or_row(
        holdout.frame,
        group=candidate.group,
        time=candidate.time,
        samples=context.whole("samples"),
        seed=context.seed,
    )
    classes = texts_of(holdout.classes)
    screened: list[Screened] = []
    labels: list[str] = []
    for name in names:
        for place, label in enumerate(classes):
            screened.append(_one(context, holdout, name, (decided.answers, place), resampling))
            labels.append(label)
        context.progress(0.9, f"screened {name}", len(holdout.labels))
    found = adjust(screened)
    groups: list[Json] = [
        {**row, "class": label}
        for one, label in zip(found, labels, strict=True)
        for row in group_rows(one)
    ]
    facts: dict[str, Json] = {
        "sensitive": list[Json](names),
        "favourable": "each class in turn",
        "classes": list[Json](classes),
        **decided.as_json(),
        "rows": len(holdout.labels),
        "minimum_rows": context.whole("minimum_rows"),
        "minimum_cases": context.whole("minimum_cases"),
        "interval": {
            "unit": resampling.unit,
            "units": resampling.size,
            "samples": resampling.samples,
        },
        "fairness": _columns(found, labels),
    }
    document: dict[str, Json] = {"format": "baton/fairness/1", "facts": facts, "groups": groups}
    path = write_document(context.output("fairness"), document)
    return Outcome({"fairness": path}, {**facts, "groups": groups[:SHOWN]})


def _columns(found: Sequence[Screened], labels: Sequence[str]) -> list[Json]:
    """One row per column and class; the column's name says both, since readers show only that."""
    rows: list[Json] = []
    for one, label in zip(found, labels, strict=True):
        row = column_json(one)
        rows.append({**row, "column": f"{row['column']}: {label}", "class": label})
    return rows


def _one(
    context: Context,
    holdout: Holdout,
    name: str,
    asked: tuple[Labels, int],
    resampling: Resampling,
) -> Screened:
    answers, place = asked
    groups = groups_of(holdout.frame[name])
    deserving = np.asarray(holdout.labels == place, dtype=np.int64)
    counted = indicators(groups, answers == place, deserving)
    shape = (len(groups.names), COUNTS)
    drawn = sum_samples(counted, resampling)
    return screen(
        groups,
        counted.sum(axis=0).reshape(shape),
        drawn.reshape(len(drawn), *shape),
        minimum=Minimum(context.whole("minimum_rows"), context.whole("minimum_cases")),
        seed=context.seed,
        told=tied(answers == place, deserving, resampling),
    )
