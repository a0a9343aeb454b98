"""Compute of `train_candidate`."""

from __future__ import annotations

from time import perf_counter

from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.settings import clean_settings
from pipelines.operations.learning.tasks import need_metric
from pipelines.operations.learning.training import (
    Training,
    fit,
    mean_scores,
    open_training,
    score_folds,
    scores_document,
    write_model,
    write_told,
)
from pipelines.operations.tables import write_document


def run(context: Context) -> Outcome:
    """Score the family on folds, fit it on all rows; raises OperationError."""
    family = context.text("family")
    training = open_training(context)
    settings = _settings(context, training, family)
    count = len(training.folds)
    rows = len(training.truth)
    told: list[Floats] = []
    found = score_folds(
        training,
        family,
        settings,
        folds=training.folds,
        kept=told,
        done=lambda n: context.progress(0.1 + 0.5 * n / count, f"{family}: fold {n} of {count}"),
    )
    context.progress(0.65, f"{family}: fitting all rows", rows)
    start = perf_counter()
    fitted = fit(training, family, settings)
    spent = perf_counter() - start
    document = scores_document(training, family, settings, found=found)
    outputs = {
        "model": write_model(
            training, family, settings, fitted=fitted, path=context.output("model")
        ),
        "scores": write_document(context.output("scores"), document),
        "unseen": write_told(training, told, context.output("unseen")),
    }
    facts: dict[str, Json] = {
        "family": family,
        "settings": dict(settings),
        "rows": rows,
        "folds": count,
        "folds_digest": document["folds_digest"],
        "forward_in_time": document["forward_in_time"],
        "scores": mean_scores(found),
        "converged": fitted.converged,
        "features_digest": document["features_digest"],
        "model_bytes": outputs["model"].stat().st_size,
        "fit_seconds": round(spent, 3),
    }
    return Outcome(outputs, facts)


def _settings(context: Context, training: Training, family: str) -> dict[str, Json]:
    """Those given, over those that suit the metric; raises OperationError."""
    given = clean_settings(context.mapping("settings"), training.task.space(family))
    metric = context.text("metric")
    if not metric:
        return given
    return training.task.fitting(family, need_metric(training.task, metric)) | given
