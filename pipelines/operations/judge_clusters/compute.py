"""Judge a segment model: does it come again, is it more than chance, what does it say?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipelines.operations.clusters.files import Segments, open_segments
from pipelines.operations.clusters.profiles import profile
from pipelines.operations.clusters.shares import share_drift
from pipelines.operations.clusters.stability import Labels, chance, separation, stability
from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.fit_clusters.compute import sizes
from pipelines.operations.learning.frames import read_columns
from pipelines.operations.tables import read_table, write_document
from pipelines.operations.unlabelled.columns import need_rows
from pipelines.operations.unlabelled.matrix import Floats, sample_rows


def run(context: Context) -> Outcome:
    """Compute every figure and the profile; raises OperationError."""
    model = open_segments(context.inputs["candidate"])
    frame = read_table(context.inputs["rows"])
    need_rows(frame, field="rows")
    matrix = model.matrix(_needed(frame, model.features.names), field="rows")
    shares = model.segmenter.predict_proba(matrix)
    labels, membership = model.segmenter.predict(matrix), shares.max(axis=1)
    facts = {**_figures(context, model, matrix), **sizes(labels), **_certainty(context, membership)}
    segments = profile(frame, labels, membership, _described(context, frame))
    facts |= {
        "family": str(model.about.get("family")),
        "columns": list[Json](model.features.names),
        "rows": len(labels),
        "segments": list[Json](segments),
        "segment_names": [str(one["name"]) for one in segments],
        "sentences": {str(one["name"]): str(one["sentence"]) for one in segments},
        "holdout": _holdout(context, model, labels),
    }
    document: dict[str, Json] = {"format": "baton/segment-evaluation/1", "facts": facts}
    said: dict[str, Json] = {"format": "baton/segment-profile/1", "segments": facts["segments"]}
    context.progress(1.0, "segments judged", len(labels))
    outputs = {
        "evaluation": write_document(context.output("evaluation"), document),
        "profile": write_document(context.output("profile"), said),
    }
    return Outcome(outputs, facts)


def _needed(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise OperationError(
            "unknown_column",
            f"rows lacks {', '.join(map(repr, absent))}",
            field="rows",
            value=list[Json](absent),
            rule="has every column that the segments were learned from",
        )
    return frame


def _figures(context: Context, model: Segments, matrix: Floats) -> dict[str, Json]:
    """Stability, separation and chance, on as many rows as the time allows."""
    seed = context.seed + 1  # not the resamples that the family was chosen by
    sample = matrix[sample_rows(len(matrix), context.whole("judged"), seed=seed)]
    segmenter = model.segmenter
    held = stability(
        segmenter, sample, resamples=context.whole("resamples"), seed=seed,
        told=lambda share: context.progress(0.1 + 0.4 * share, "resampling", len(sample)),
    )  # fmt: skip
    versus = chance(
        segmenter, sample, shuffles=context.whole("shuffles"), seed=seed,
        told=lambda share: context.progress(0.5 + 0.4 * share, "shuffling", len(sample)),
    )  # fmt: skip
    return {
        "judged_on": len(sample),
        "stability": held.as_json(),
        "chance": versus,
        **separation(sample, segmenter.predict(sample)),
    }


def _certainty(context: Context, membership: Floats) -> dict[str, Json]:
    limit = context.number("unsure_below")
    return {
        "membership": finite(float(membership.mean()), 6),
        "unsure_below": limit,
        "unsure_share": finite(float((membership < limit).mean()), 6),
    }


def _described(context: Context, frame: pd.DataFrame) -> list[str]:
    chosen = context.names("describe")
    absent = [name for name in chosen if name not in frame.columns]
    if absent:
        raise OperationError(
            "unknown_column",
            f"describe names {absent[0]!r}, which is not in rows",
            field="describe",
            value=absent[0],
            rule="names a column of the table",
        )
    return chosen or [str(name) for name in frame.columns]


def _holdout(context: Context, model: Segments, labels: Labels) -> dict[str, Json]:
    """Shares of the segments among rows that the model has not seen; empty without such."""
    if "holdout" not in context.inputs:
        return {}
    unseen = read_columns(context.inputs["holdout"], model.features.names, field="holdout")
    found = model.segmenter.predict(model.matrix(unseen, field="holdout"))
    return {"rows": int(np.size(found)), **share_drift(labels, found)}
