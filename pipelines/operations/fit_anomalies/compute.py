"""Learn what is ordinary, as a model that packaging and serving take like any classifier."""

from __future__ import annotations

import numpy as np
from sklearn.pipeline import Pipeline

from pipelines.operations.anomalies.detector import Detector
from pipelines.operations.clusters.files import Comparable, open_rows
from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.learning import store
from pipelines.operations.learning.candidates import about_model
from pipelines.operations.unlabelled.columns import need_rows


def run(context: Context) -> Outcome:
    """Fit; raises OperationError for too few rows or values that no column may hold."""
    rows = open_rows(
        context.inputs["train"], context.inputs["features"], scale=context.text("scale")
    )
    need_rows(rows.frame, field="train")
    context.progress(0.3, "rows prepared", len(rows.frame))
    family = context.text("family")
    settings: dict[str, Json] = {"rows": context.whole("rows"), "scale": context.text("scale")}
    detector = Detector(family, context.whole("rows"), context.seed).fit(rows.matrix)
    context.progress(0.8, "learned", len(rows.frame))
    about = about_model(rows.features, family=family, settings=settings, seed=context.seed)
    model = store.dump(whole(rows, detector), context.output("model"), about)
    scores = detector.predict_proba(rows.matrix)[:, 1]
    facts: dict[str, Json] = {
        "family": family,
        "rows": len(rows.frame),
        "learned_from": min(len(rows.frame) - detector.ordinary_.size, context.whole("rows")),
        "held_back": int(detector.ordinary_.size),
        "columns": list[Json](rows.features.names),
        "above": {
            str(level): finite(float(np.mean(scores >= level)), 6) for level in (0.9, 0.95, 0.99)
        },
    }
    context.progress(1.0, "scored", len(rows.frame))
    return Outcome({"model": model}, facts)


def whole(rows: Comparable, detector: Detector) -> Pipeline:
    """The fitted steps as one pipeline that takes the raw columns."""
    return Pipeline([("columns", rows.columns), ("prepare", rows.prepare), ("detector", detector)])
