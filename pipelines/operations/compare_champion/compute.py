"""Compare the champion and the challenger on the same rows, pair by pair."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from pipelines.operations.compare_champion.question import same_question
from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.learning import class_costs, thresholds, unit_costs
from pipelines.operations.learning.labels import labelled
from pipelines.operations.learning.metrics import HIGHER_IS_BETTER, Floats, metric_name
from pipelines.operations.learning.resampling import Resampling, by_group_day_or_row, sum_samples
from pipelines.operations.learning.tasks import Task, task_named
from pipelines.operations.packages.archive import PackageError
from pipelines.operations.packages.loaded import Loaded, load_package
from pipelines.operations.tables import need_column, read_table, write_document

Money: TypeAlias = "Callable[[Loaded, Floats, np.ndarray], Floats] | None"


@dataclass(frozen=True)
class Rows:
    """The holdout as both sides see it, and how it is resampled; money of each row by a score."""

    task: Task
    frame: pd.DataFrame
    truth: np.ndarray
    drawn: Resampling
    money: Money


@dataclass(frozen=True)
class Side:
    """One model on the holdout: its values, and the values in every bootstrap sample."""

    loaded: Loaded
    values: Mapping[str, float]
    samples: Mapping[str, Floats]


def run(context: Context) -> Outcome:
    """Metrics of both with the interval of their difference; raises OperationError."""
    primary = metric_name(context.text("primary"))
    if not primary:
        raise OperationError(
            "unknown_metric", f"there is no metric {context.text('primary')!r}",
            field="primary", value=context.text("primary"),
            rule=f"is one of {', '.join(HIGHER_IS_BETTER)}",
        )  # fmt: skip
    challenger = _load(context, "challenger")
    champion = _load(context, "champion") if "champion" in context.inputs else None
    if champion:
        same_question(challenger.manifest, champion.manifest)
    rows = _rows(context, challenger)
    ours = _side(challenger, rows)
    context.progress(0.5, "challenger scored", len(rows.frame))
    theirs = _side(champion, rows) if champion else None
    metrics = [_compared(name, ours, theirs) for name in ours.values]
    classed = rows.task.name == "classification"
    facts: dict[str, Json] = {
        "rows": len(rows.frame),
        "positives": int(rows.truth.sum()) if classed else None,
        "resampled_by": rows.drawn.unit,
        "challenger": challenger.digest,
        "champion": champion.digest if champion else None,
        "primary": primary,
        "metrics": list[Json](metrics),
    }
    path = write_document(context.output("comparison"), facts)
    context.progress(1.0, "compared", len(rows.frame))
    return Outcome({"comparison": path}, facts)


def _load(context: Context, port: str) -> Loaded:
    try:
        return load_package(context.inputs[port])
    except PackageError as problem:
        raise OperationError(
            "package_not_loaded", f"the {port} does not load: {problem}",
            field=port, value=problem.code, rule="is a package that proves its golden rows",
        ) from problem  # fmt: skip


def _rows(context: Context, loaded: Loaded) -> Rows:
    target = str(loaded.manifest["target"])
    task = task_named(str(loaded.manifest.get("kind") or "classification"))
    frame = read_table(context.inputs["holdout"])
    if target not in frame.columns:
        raise OperationError(
            "target_absent", f"the holdout lacks the target {target}",
            field="holdout", value=target, rule="has the target column",
        )  # fmt: skip
    frame = labelled(frame, target)
    truth = task.truth(frame[target], loaded.decision.classes or loaded.decision.several)
    if context.text("group_column"):
        need_column(frame, context.text("group_column"), "group_column")
    drawn = by_group_day_or_row(
        frame,
        group=context.text("group_column"),
        time=_there(context, frame, "time"),
        origin=_there(context, frame, "origin_column"),
        samples=context.whole("samples"),
        seed=context.seed,
    )
    costs = context.mapping("class_costs" if task.name == "multiclass" else "costs")
    return Rows(task, frame, truth, drawn, MONEY[task.name](costs))


def _there(context: Context, frame: pd.DataFrame, param: str) -> str:
    name = context.text(param)
    return name if name in frame.columns else ""


def _of_decisions(given: Mapping[str, Json]) -> Money:
    """Money of flagging by each side's own threshold, beside doing nothing."""
    costs = thresholds.parse_costs(given)
    if costs is None:
        return None

    def money(loaded: Loaded, scores: Floats, truth: np.ndarray) -> Floats:
        flags = (scores >= loaded.decision.threshold).astype(np.float64)
        return thresholds.worth(flags, truth, costs)

    return money


def _of_errors(given: Mapping[str, Json]) -> Money:
    """Money saved beside always answering the median of these rows, the same for both sides."""
    cost = unit_costs.parse_unit_cost(given)
    if cost is None:
        return None

    def money(loaded: Loaded, scores: Floats, truth: np.ndarray) -> Floats:
        return unit_costs.worth(scores, truth, float(np.median(truth)), cost)

    return money


def _of_answers(given: Mapping[str, Json]) -> Money:
    """Money saved beside the best single answer to these rows, by each side's own decisions."""
    if not given:
        return None

    def money(loaded: Loaded, scores: Floats, truth: np.ndarray) -> Floats:
        several = loaded.decision.several
        costs = class_costs.parse_class_costs(given, several)
        mine = class_costs.ClassCosts(np.asarray(loaded.decision.costs))
        alone = np.full(truth.size, class_costs.constant_answer(costs, truth))
        paid: Floats = costs.paid(truth, mine.answers(scores))
        return costs.paid(truth, alone) - paid

    return money


MONEY: Mapping[str, Callable[[Mapping[str, Json]], Money]] = {
    "classification": _of_decisions,
    "multiclass": _of_answers,
    "regression": _of_errors,
}


def _side(loaded: Loaded, rows: Rows) -> Side:
    absent = [name for name in loaded.signature.names if name not in rows.frame.columns]
    if absent:
        raise OperationError(
            "columns_absent", f"the holdout lacks {', '.join(absent)}",
            field="holdout", value=list[Json](absent), rule="has every input of both models",
        )  # fmt: skip
    scores = loaded.score_frame(rows.frame[list(loaded.signature.names)])
    values = rows.task.measure(scores, rows.truth)
    samples = rows.task.samples(scores, rows.truth, rows.drawn)
    if rows.money:
        money = 1000 * rows.money(loaded, scores, rows.truth)
        sums = sum_samples(np.column_stack([money, np.ones(money.size)]), rows.drawn)
        values = {**values, "value_per_1000": float(money.mean())}
        samples = {**samples, "value_per_1000": sums[:, 0] / sums[:, 1]}
    return Side(loaded, values, samples)


def _compared(name: str, ours: Side, theirs: Side | None) -> dict[str, Json]:
    """One metric; `gain` is positive where the challenger is better, whatever the metric."""
    row: dict[str, Json] = {"metric": name, "challenger": finite(ours.values[name])}
    if theirs is None:
        return row
    sign = 1 if HIGHER_IS_BETTER[name] else -1
    gain = sign * (ours.values[name] - theirs.values[name])
    # Both sides drew the same rows, so the samples are paired.
    gains = sign * (ours.samples[name] - theirs.samples[name])
    known = gains[np.isfinite(gains)]
    low, high = np.percentile(known, (2.5, 97.5)) if known.size else (np.nan, np.nan)
    spread = float(known.std(ddof=1)) if known.size > 1 else float("nan")
    return row | {
        "champion": finite(theirs.values[name]),
        "gain": finite(gain),
        "low": finite(float(low)),
        "high": finite(float(high)),
        "standard_error": finite(spread),
        "not_worse": bool(gain >= -spread) if np.isfinite(spread) else None,
        "better": bool(gain > 0),
    }
