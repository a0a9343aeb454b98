"""Drift of a segmentation: do later rows fall into the segments as the delivered ones did?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipelines.operations.clusters.files import open_segments
from pipelines.operations.clusters.shares import share_drift
from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.drift import Limits
from pipelines.operations.learning.frames import read_columns
from pipelines.operations.tables import write_document


def run(context: Context) -> Outcome:
    """Measure the shares; raises OperationError for unreadable tables."""
    model = open_segments(context.inputs["candidate"])
    before = read_columns(
        context.inputs["assignments"], ["segment", "membership"], field="assignments"
    )
    window, later = later_rows(context, model.features.names)
    context.progress(0.3, "rows read", len(later))
    shares = model.segmenter.predict_proba(model.matrix(later, field="rows"))
    limits = Limits(
        amber=context.number("amber"),
        red=context.number("red"),
        confidence=context.number("confidence"),
        minimum_rows=context.whole("minimum"),
    )
    drift = share_drift(
        before["segment"].to_numpy(),
        model.segmenter.classes_[shares.argmax(axis=1)],
        limits=limits,
    )
    old, new = float(before["membership"].mean()), float(shares.max(axis=1).mean())
    less_sure = old - new > context.number("certainty_drop")
    facts: dict[str, Json] = {
        "window": window,
        "rows": len(later),
        "reference_rows": len(before),
        **drift,
        "membership_before": finite(old, 6),
        "membership_now": finite(new, 6),
        "less_sure": less_sure,
        "alerts": int(drift["level"] in ("amber", "red")) + int(less_sure),
    }
    report = write_document(context.output("report"), facts)
    context.progress(1.0, "shares measured", len(later))
    return Outcome({"report": report}, facts)


def later_rows(context: Context, names: list[str]) -> tuple[str, pd.DataFrame]:
    """The later rows, else those kept aside, and which of them it is.

    Raises OperationError where there are neither, or where they lack a column.
    """
    if "rows" not in context.inputs:
        if "unseen" not in context.inputs:
            raise OperationError(
                "no_later_rows",
                "there are neither later rows nor rows kept aside",
                field="rows",
                rule="rows or unseen is given",
            )
        return "rows kept aside", read_columns(context.inputs["unseen"], names, field="unseen")
    path = context.inputs["rows"]
    if is_parquet(path):
        return "later rows", read_columns(path, names, field="rows")
    return "later rows", _from_csv(path, names)


def is_parquet(path: Path) -> bool:
    """Whether a file starts as Parquet files do."""
    with path.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def _from_csv(path: Path, names: list[str]) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise OperationError(
            "unreadable_table", f"rows is no readable CSV: {error}", field="rows", rule="is CSV"
        ) from error
    absent = [name for name in names if name not in frame.columns]
    if absent or frame.empty:
        raise OperationError(
            "unknown_column" if absent else "empty_table",
            f"rows lacks {', '.join(map(repr, absent))}" if absent else "rows has no rows",
            field="rows",
            value=list[Json](absent),
            rule="has every column that rows are compared by, and rows",
        )
    return frame
