"""Compute of `search_candidate`: cheap trials on thinned folds, then one full candidate."""

from __future__ import annotations

from time import perf_counter

from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.tasks import need_metric
from pipelines.operations.learning.training import (
    fit,
    mean_scores,
    open_training,
    score_folds,
    scores_document,
    write_model,
    write_told,
)
from pipelines.operations.search_candidate.searching import search
from pipelines.operations.search_candidate.trials import Search
from pipelines.operations.tables import write_document


def run(context: Context) -> Outcome:
    """Search, then score and fit the best; raises OperationError."""
    family = context.text("family")
    training = open_training(context)
    metric = need_metric(training.task, context.text("metric"))
    start = perf_counter()
    found = search(training, Search.of(context, training.task, metric), context)
    searched = perf_counter() - start
    count = len(training.folds)
    context.progress(0.7, "scoring the best on the full folds")
    told: list[Floats] = []
    scores = score_folds(
        training,
        family,
        found.best.settings,
        folds=training.folds,
        kept=told,
        done=lambda n: context.progress(0.7 + 0.15 * n / count, f"best: fold {n} of {count}"),
    )
    context.progress(0.87, "fitting the best on all rows", len(training.truth))
    fitted = fit(training, family, found.best.settings)
    document = scores_document(training, family, found.best.settings, found=scores)
    outputs = {
        "model": write_model(
            training, family, found.best.settings, fitted=fitted, path=context.output("model")
        ),
        "log": write_document(context.output("log"), found.as_json()),
        "scores": write_document(context.output("scores"), document),
        "unseen": write_told(training, told, context.output("unseen")),
    }
    facts: dict[str, Json] = {
        **found.facts(),
        "rows": len(training.truth),
        "scores": mean_scores(scores),
        "metric": metric,
        "converged": fitted.converged,
        "folds_digest": document["folds_digest"],
        "features_digest": document["features_digest"],
        "search_seconds": round(searched, 3),
    }
    return Outcome(outputs, facts)
