"""Compute of `compare_candidates`: paired bootstrap of the differences on the same rows.

A model that was trained elsewhere has no scores on folds, so that it is compared where every
model can be: on the rows to decide on. Simple models are not chosen there, only compared with.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.learning.candidates import Candidate, open_candidate, open_holdout
from pipelines.operations.learning.metrics import HIGHER_IS_BETTER, Floats
from pipelines.operations.learning.resampling import Interval, by_group_day_or_row, interval
from pipelines.operations.learning.tasks import need_metric
from pipelines.operations.tables import write_document

BASELINE = "dummy"


def run(context: Context) -> Outcome:
    """Compare; raises OperationError for another target, task or metric."""
    candidate = open_candidate(context.inputs["candidate"], context)
    metric = need_metric(candidate.task, context.text("metric"))
    beside = {
        name: open_candidate(path, context, field=name)
        for name, path in context.many["models"].items()
    }
    values, samples = _scored(context, candidate, beside, metric)
    sign = 1 if HIGHER_IS_BETTER[metric] else -1
    gains = {
        name: interval(sign * (values[""] - values[name]), sign * (samples[""] - samples[name]))
        for name in beside
    }
    rows: list[Json] = [
        {"name": "candidate", "family": candidate.family, "mean": finite(values[""], 6)}
    ]
    rows += [
        {
            "name": name,
            "family": other.family,
            "mean": finite(values[name], 6),
            "gain": _plain(gains[name]),
        }
        for name, other in beside.items()
    ]
    facts: dict[str, Json] = {
        "metric": metric,
        "on": "unseen rows",
        "candidates": rows,
        "families": list[Json](
            dict.fromkeys([*(o.family for o in beside.values()), candidate.family])
        ),
        "chosen_family": candidate.family,
        "chosen_score": finite(values[""], 6),
        "baseline_gain": next(
            (_plain(gains[n]) for n, other in beside.items() if other.family == BASELINE), None
        ),
    }
    document: dict[str, Json] = {"format": "baton/comparison/1", **facts}
    context.progress(1.0, f"compared with {len(beside)}")
    return Outcome({"comparison": write_document(context.output("comparison"), document)}, facts)


def _scored(
    context: Context, candidate: Candidate, beside: Mapping[str, Candidate], metric: str
) -> tuple[dict[str, float], dict[str, Floats]]:
    """The metric of every model, as measured and in the same bootstrap samples; "" is ours."""
    values: dict[str, float] = {}
    samples: dict[str, Floats] = {}
    for name, one in {"": candidate, **beside}.items():
        holdout = open_holdout(context.inputs["holdout"], one, extra=one.grouped)
        resampling = by_group_day_or_row(
            holdout.frame,
            group=candidate.group,
            time=candidate.time,
            samples=context.whole("samples"),
            seed=context.seed,
        )
        values[name] = candidate.task.measure(holdout.scores, holdout.labels)[metric]
        samples[name] = np.asarray(
            candidate.task.samples(holdout.scores, holdout.labels, resampling)[metric]
        )
        context.progress(len(values) / (2 + len(beside)), f"scored {name or 'the candidate'}")
    return values, samples


def _plain(found: Interval) -> dict[str, Json]:
    return {
        "value": finite(found.value, 6),
        "low": finite(found.low, 6),
        "high": finite(found.high, 6),
    }
