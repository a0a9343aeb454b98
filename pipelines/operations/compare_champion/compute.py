"""Compare the champion and the challenger on the same rows, pair by pair."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.compare_champion.question import same_question
from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.learning.labels import Labels, as_labels, labelled
from pipelines.operations.learning.metrics import (
    HIGHER_IS_BETTER,
    Floats,
    all_scores,
    brier_losses,
    log_losses,
    metric_name,
)
from pipelines.operations.learning.resampling import (
    Resampling,
    area_samples,
    by_day_or_row,
    sum_samples,
)
from pipelines.operations.learning.thresholds import Costs, parse_costs, worth
from pipelines.operations.packages.archive import PackageError
from pipelines.operations.packages.loaded import Loaded, load_package
from pipelines.operations.tables import read_table, write_document


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
    frame, labels = _rows(context.inputs["holdout"], challenger)
    costs = parse_costs(context.mapping("costs"))
    times = frame[context.text("time")] if context.text("time") in frame.columns else None
    drawn = by_day_or_row(len(frame), times, samples=context.whole("samples"), seed=context.seed)
    ours = _side(challenger, (frame, labels), costs, drawn)
    context.progress(0.5, "challenger scored", len(frame))
    theirs = _side(champion, (frame, labels), costs, drawn) if champion else None
    metrics = [_compared(name, ours, theirs) for name in ours.values]
    facts: dict[str, Json] = {
        "rows": len(frame),
        "positives": int(labels.sum()),
        "resampled_by": drawn.unit,
        "challenger": challenger.digest,
        "champion": champion.digest if champion else None,
        "primary": primary,
        "metrics": list[Json](metrics),
    }
    path = write_document(context.output("comparison"), facts)
    context.progress(1.0, "compared", len(frame))
    return Outcome({"comparison": path}, facts)


def _load(context: Context, port: str) -> Loaded:
    try:
        return load_package(context.inputs[port])
    except PackageError as problem:
        raise OperationError(
            "package_not_loaded", f"the {port} does not load: {problem}",
            field=port, value=problem.code, rule="is a package that proves its golden rows",
        ) from problem  # fmt: skip


def _rows(path: Path, loaded: Loaded) -> tuple[pd.DataFrame, Labels]:
    target = str(loaded.manifest["target"])
    frame = read_table(path)
    if target not in frame.columns:
        raise OperationError(
            "target_absent", f"the holdout lacks the target {target}",
            field="holdout", value=target, rule="has the target column",
        )  # fmt: skip
    frame = labelled(frame, target)
    classes = loaded.decision.classes
    assert classes is not None, "a package of this version always states two classes"
    return frame, as_labels(frame[target], classes)


def _side(
    loaded: Loaded, rows: tuple[pd.DataFrame, Labels], costs: Costs | None, drawn: Resampling
) -> Side:
    frame, labels = rows
    absent = [name for name in loaded.signature.names if name not in frame.columns]
    if absent:
        raise OperationError(
            "columns_absent", f"the holdout lacks {', '.join(absent)}",
            field="holdout", value=list[Json](absent), rule="has every input of both models",
        )  # fmt: skip
    scores = loaded.score_frame(frame[list(loaded.signature.names)])
    values = all_scores(scores, labels)
    auc, average = area_samples(scores, labels, drawn)
    losses = {"log_loss": log_losses(scores, labels), "brier": brier_losses(scores, labels)}
    if costs:
        flags = (scores >= loaded.decision.threshold).astype(np.float64)
        losses["value_per_1000"] = 1000 * worth(flags, labels, costs)
        values["value_per_1000"] = float(losses["value_per_1000"].mean())
    sums = sum_samples(np.column_stack([*losses.values(), np.ones(labels.size)]), drawn)
    means = {name: sums[:, place] / sums[:, -1] for place, name in enumerate(losses)}
    return Side(loaded, values, {"roc_auc": auc, "pr_auc": average, **means})


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
