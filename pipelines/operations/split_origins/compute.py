"""Rolling-origin split: learn from outcomes known at the boundary, decide on later forecasts.

Forecasts made before the boundary about steps after it belong to neither part: at the boundary
their outcome was not known, and the model that is judged could not have made them. So between
the origins of both parts lies a gap as long as the horizon.
"""

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.ingest.target import parse_time
from pipelines.operations.tables import (
    digest_of,
    need_column,
    need_target,
    plain,
    read_table,
    recipe,
    row_hashes,
    write_document,
    write_table,
)

Parts = tuple[np.ndarray, np.ndarray]


def run(context: Context) -> Outcome:
    """Split; raises OperationError when a part would be empty or a column does not suit."""
    frame = read_table(context.inputs["table"])
    target = need_target(frame, context.text("target"))
    origin = _times(frame, context.text("origin_column"), "origin_column")
    moment = _times(frame, context.text("time_column"), "time_column")
    boundary, end = _boundary(context, origin), parse_time(context.text("decide_until"), "")
    known = target.notna() & origin.notna() & moment.notna()
    counted = known & (moment < end) if end is not None else known
    rows = (counted & (moment < boundary), counted & (origin >= boundary))
    parts = dict(zip(("train", "holdout"), (frame[mask] for mask in rows), strict=True))
    places = tuple(np.flatnonzero(mask).astype("int64") for mask in rows)
    _refuse_empty(parts, boundary)
    again = _boundary(context, origin) == boundary
    facts: dict[str, Json] = {
        "rule": "rolling origin",
        "rows": len(frame),
        "boundaries": {
            "time_column": str(moment.name),
            "train_until": plain(boundary),
            "decide_until": None if end is None else end.isoformat(),
        },
        "left_out": {
            "made before the boundary, about steps after it": int(
                (counted & (origin < boundary) & (moment >= boundary)).sum()
            ),
            "without outcome or time, or too late": int((~counted).sum()),
        },
        "seed": context.seed,
        "parts": {
            name: _describe(part, rows_of, context)
            for (name, part), rows_of in zip(parts.items(), places, strict=True)
        },
        "holdout_share": finite(len(places[1]) / (len(places[0]) + len(places[1])), 6),
        "digest": digest_of(np.concatenate([places[0], [-1], places[1]]).astype("int64")),
        "reproducible": bool(again),
        "overlap_rows": int(
            np.isin(row_hashes(parts["holdout"]), row_hashes(parts["train"])).sum()
        ),
        "groups_shared": None,
    }
    outputs = {name: write_table(part, context.output(name)) for name, part in parts.items()}
    outputs["split"] = write_document(context.output("split"), facts | {"recipe": recipe(context)})
    context.progress(1.0, "split written", len(frame))
    return Outcome(outputs=outputs, facts=facts)


def _times(frame: pd.DataFrame, name: str, field: str) -> pd.Series:
    times = need_column(frame, name, field)
    if not pd.api.types.is_datetime64_any_dtype(times.dtype):
        raise OperationError(
            "not_a_time", f"{field} {name!r} holds {times.dtype}, not times",
            field=field, value=str(times.dtype), rule="holds times",
        )  # fmt: skip
    return times


def _boundary(context: Context, origin: pd.Series) -> pd.Timestamp:
    until = parse_time(context.text("train_until"), "train_until")
    if until is not None:
        return pd.Timestamp(until)
    moments = np.sort(origin.dropna().unique())
    place = int(len(moments) * (1 - context.number("holdout_share")))
    return pd.Timestamp(moments[min(place, len(moments) - 1)])


def _refuse_empty(parts: dict[str, pd.DataFrame], boundary: pd.Timestamp) -> None:
    for name, part in parts.items():
        if part.empty:
            raise OperationError(
                "empty_part", f"the {name} part is empty: boundary {boundary.isoformat()}",
                field="train_until", value=0, rule="both parts have rows",
            )  # fmt: skip


def _describe(part: pd.DataFrame, rows: np.ndarray, context: Context) -> dict[str, Json]:
    target, origin = part[context.text("target")], part[context.text("origin_column")]
    moment = part[context.text("time_column")]
    marks = target.quantile([0, 0.25, 0.5, 0.75, 1]).tolist()
    return {
        "rows": len(part),
        "digest": digest_of(rows),
        "content_digest": digest_of(row_hashes(part)),
        "origins": int(origin.nunique()),
        "first": plain(moment.min()),
        "last": plain(moment.max()),
        "mean": finite(float(target.mean()), 6),
        "quantiles": [finite(float(mark), 6) for mark in marks],
    }
