"""Decisions on several classes, class by class, and the rows that are better left to people.

Chow's rule with costs: a row is answered when its cheapest answer costs at most `most` on
average. With every error at 1 that is 1 minus the greatest probability. `most` is chosen on the
rows so that at most the wanted share of answers is wrong; what it is judged by was chosen on the
other half of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.operations.contract import Context, Json, OperationError, finite
from pipelines.operations.learning import class_tables
from pipelines.operations.learning.calibration import wilson
from pipelines.operations.learning.class_names import PREFIX, classes_in
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import Resampling

Bools = npt.NDArray[np.bool_]
STEPS = 51  # values of `most` tried: quantiles of the rows' own


@dataclass(frozen=True)
class Answered:
    """Rows with what their answer costs on average, and whether it is wrong."""

    risk: Floats
    wrong: Bools

    def part(self, rows: Bools) -> Answered:
        """Some of the rows."""
        return Answered(self.risk[rows], self.wrong[rows])


def judge_several(
    context: Context,
    facts: Mapping[str, Json],
    frame: pd.DataFrame,
    groups: npt.NDArray[np.int64] | None,
    halves: Bools,
) -> dict[str, Json]:
    """Each class, the matrix, and the band; raises OperationError for another evaluation's rows."""
    names = classes_in(list(map(str, frame.columns)))
    if names != facts.get("classes"):
        raise OperationError(
            "classes_differ", "evaluation and predictions speak of other classes",
            field="predictions", value=list[Json](names), rule="hold the evaluation's classes",
        )  # fmt: skip
    truth = frame["label"].to_numpy(dtype=np.int64)
    answers = frame["answer"].to_numpy(dtype=np.int64)
    blocks = np.arange(truth.size, dtype=np.int64) if groups is None else groups
    unit = "row" if groups is None else "group"
    resampling = Resampling(blocks, context.whole("samples"), context.seed, unit)
    table, overall = class_tables.decided(truth, answers, names, resampling)
    risk = (frame[[f"{PREFIX}{name}" for name in names]].to_numpy() @ _costs(facts, len(names)))[
        np.arange(truth.size), answers
    ]
    rows = Answered(risk, answers != truth)
    return {
        "rows": int(truth.size),
        "threshold": None,
        "classes": list[Json](table),
        "lowest_recall": class_tables.lowest_recall(table),
        **{name: class_tables.as_json(found) for name, found in overall.items()},
        "majority": class_tables.majority(truth, len(names)),
        "confusion_matrix": class_tables.matrix(truth, answers, names),
        "interval": {"unit": unit, "units": resampling.size, "samples": resampling.samples},
        "abstain": abstaining(rows, context.number("abstain_error"), halves),
    }


def _costs(facts: Mapping[str, Json], count: int) -> Floats:
    decision = facts.get("decision")
    rows = decision.get("costs") if isinstance(decision, dict) else None
    found = np.asarray(rows, dtype=np.float64) if isinstance(rows, list) else np.empty(0)
    if found.shape != (count, count):
        raise OperationError(
            "costs_absent", "the evaluation states no costs of its classes",
            field="evaluation", value=list(found.shape),
            rule=f"facts.decision.costs has {count} rows and columns",
        )  # fmt: skip
    return found


def choose(rows: Answered, wanted: float) -> float | None:
    """The greatest cost at which at most that share of answers is wrong; None where none is."""
    for most in _tried(rows):
        kept = rows.risk <= most
        if kept.any() and float(rows.wrong[kept].mean()) <= wanted:
            return float(most)
    return None


def _tried(rows: Answered) -> Floats:
    marks = np.quantile(rows.risk, np.linspace(1.0, 0.0, STEPS), method="lower")
    found: Floats = np.unique(marks)[::-1]
    return found


def abstaining(rows: Answered, wanted: float, halves: Bools) -> dict[str, Json]:
    """The cost chosen on all rows; coverage and error by costs that the other half chose."""
    most = choose(rows, wanted)
    facts: dict[str, Json] = {
        "wanted_error": wanted,
        "error_without": float(rows.wrong.mean()),
        "reachable": most is not None,
        "most": most, "coverage": None, "error": None, "error_high": None,
        "curve": list[Json](_curve(rows)),
    }  # fmt: skip
    if most is None:
        return facts
    answered = wrong = 0
    for half in (halves, ~halves):
        judged = rows.part(half)
        chosen = choose(rows.part(~half), wanted) if half.any() and not half.all() else most
        kept = judged.risk <= chosen if chosen is not None else np.zeros(half.sum(), dtype=bool)
        answered += int(kept.sum())
        wrong += int(judged.wrong[kept].sum())
    facts["coverage"] = answered / rows.risk.size
    if answered:
        facts["error"] = wrong / answered
        facts["error_high"] = finite(wilson(wrong / answered, answered)[1], 6)
    return facts


def _curve(rows: Answered) -> list[dict[str, Json]]:
    """Share of rows answered and share of wrong answers among them, by cost."""
    found: list[dict[str, Json]] = []
    for most in _tried(rows):
        kept = rows.risk <= most
        found.append(
            {
                "most": float(most),
                "coverage": float(kept.mean()),
                "error": float(rows.wrong[kept].mean()) if kept.any() else None,
            }
        )
    return found
