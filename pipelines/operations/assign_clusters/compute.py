"""The assignments table: every row once, with its segment and how surely it belongs there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from pipelines.operations.clusters.files import Segments, open_rows, open_segments
from pipelines.operations.clusters.segmenter import OUTSIDE
from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.fit_clusters.compute import again, sizes
from pipelines.operations.learning.frames import column_names, read_columns
from pipelines.operations.tables import write_document, write_table


def run(context: Context) -> Outcome:
    """Assign and prove; raises OperationError for rows that the model cannot take."""
    model = open_segments(context.inputs["candidate"])
    key = _key(context, model)
    known = column_names(context.inputs["rows"], field="rows")
    frame = read_columns(
        context.inputs["rows"], [*model.features.names, *([key] if key else [])], field="rows"
    )
    table = assign(model, frame, key=key, names=context.mapping("names"))
    context.progress(0.4, "rows assigned", len(table))
    labels = table["segment"].to_numpy()
    facts: dict[str, Json] = {
        "rows": len(table),
        "columns": len(known),
        "key": key,
        "repeated_keys": int(table[key].duplicated().sum()) if key else 0,
        "unassigned": int((labels == OUTSIDE).sum()),
        "order_changes": _order_changes(context, model, frame, labels),
        "alone_changes": _alone_changes(context, model, frame, labels),
        "retrained_rand": _retrained(context, model),
        **sizes(labels),
    }
    report = write_document(context.output("report"), facts)
    context.progress(1.0, "assignments proved", len(table))
    written = write_table(table, context.output("assignments"))
    return Outcome({"assignments": written, "report": report}, facts)


def _key(context: Context, model: Segments) -> str:
    return context.text("key_column") or (model.features.key[0] if model.features.key else "")


def assign(
    model: Segments, frame: pd.DataFrame, *, key: str, names: Mapping[str, Json]
) -> pd.DataFrame:
    """One row for each given: row number or key, segment, name, membership, runner-up."""
    shares = model.segmenter.predict_proba(model.matrix(frame, field="rows"))
    classes = model.segmenter.classes_
    order = np.argsort(-shares, axis=1, kind="stable")
    first = order[:, 0]
    second = order[:, 1] if shares.shape[1] > 1 else first
    labels = classes[first]
    called = {int(number): _name(int(number), names) for number in classes}
    columns: dict[str, object] = {
        key or "row": frame[key].to_numpy() if key else np.arange(len(frame)),
        "segment": labels,
        "segment_name": [called[int(number)] for number in labels],
        "membership": np.take_along_axis(shares, first[:, None], axis=1)[:, 0],
        "runner_up": classes[second],
    }
    return pd.DataFrame(columns)


def _name(number: int, names: Mapping[str, Json]) -> str:
    plain = "outside" if number == OUTSIDE else f"segment {number}"
    for key in (plain, str(number)):
        given = names.get(key)
        if isinstance(given, str) and given.strip():
            return given.strip()
    return plain


def _order_changes(
    context: Context, model: Segments, frame: pd.DataFrame, labels: np.ndarray
) -> int:
    """Rows that another order of the table would assign otherwise."""
    order = np.random.default_rng(context.seed).permutation(len(frame))
    found = model.segmenter.predict(model.matrix(frame.iloc[order], field="rows"))
    return int((found != labels[order]).sum())


def _alone_changes(
    context: Context, model: Segments, frame: pd.DataFrame, labels: np.ndarray
) -> int:
    """Rows that would be assigned otherwise without the others."""
    chosen = range(min(context.whole("singles"), len(frame)))
    alone = [
        model.segmenter.predict(model.matrix(frame.iloc[[row]], field="rows"))[0] for row in chosen
    ]
    return int((np.asarray(alone) != labels[: len(alone)]).sum())


def _retrained(context: Context, model: Segments) -> float | None:
    """Adjusted Rand of the model against one learned again by its recipe; 1.0 is equal."""
    if "learned" not in context.inputs:
        return None
    path = context.folder / "recipe.json"
    definition = model.about.get("features")
    if not isinstance(definition, dict):
        raise OperationError("no_recipe", "the model does not say its features", field="candidate")
    rows = open_rows(
        context.inputs["learned"],
        write_document(path, definition),
        scale=str(model.about.get("scale")),
    )
    path.unlink()
    fresh = again(model.about, rows).predict(rows.matrix)
    before = model.segmenter.predict(model.matrix(rows.frame, field="learned"))
    return finite(float(adjusted_rand_score(before, fresh)), 9)
