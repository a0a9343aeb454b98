"""Time column, target, filters: what is added to and dropped from joined batches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.ingest.sketch import Sketch
from pipelines.operations.learning.metrics import SCORES, metric_name

OPERATORS: dict[str, Callable[[pa.Array, pa.Scalar], pa.Array]] = {
    ">": pc.greater,
    ">=": pc.greater_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    "==": pc.equal,
    "!=": pc.not_equal,
}
PARTS = ("year", "month", "day", "hour", "minute")


@dataclass(frozen=True)
class TargetRule:
    """Target = 1 where column op value holds, 0 where not, missing where column is."""

    name: str
    column: str
    op: str
    value: Json


def parse_rule(given: Mapping[str, Json], schema: pa.Schema, target: str = "") -> TargetRule | None:
    """The target_rule parameter; raises OperationError naming what does not fit.

    A rule without a name makes the column that `target` names.
    """
    if not given:
        return None
    rule = TargetRule(
        str(given.get("name") or target),
        str(given.get("column") or ""),
        str(given.get("op") or ""),
        given.get("value"),
    )
    if not rule.name or rule.name in schema.names:
        raise _bad_rule(rule.name, "name is a new column name")
    if rule.column not in schema.names:
        raise _bad_rule(rule.column, "column is in the table")
    if rule.op not in OPERATORS:
        raise _bad_rule(rule.op, f"op is one of {' '.join(OPERATORS)}")
    try:
        pa.scalar(rule.value, schema.field(rule.column).type)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise _bad_rule(rule.value, f"value suits {schema.field(rule.column).type}") from error
    return rule


def _bad_rule(value: Json, rule: str) -> OperationError:
    text = f"target_rule: {value!r}; rule: {rule}"
    return OperationError("bad_target_rule", text, field="target_rule", value=value, rule=rule)


def add_target(batch: pa.Table, rule: TargetRule) -> pa.Table:
    """The batch with the target as 0, 1 or missing."""
    column = batch.column(rule.column)
    holds = OPERATORS[rule.op](column, pa.scalar(rule.value, column.type))
    return batch.append_column(rule.name, pc.cast(holds, pa.int64()))


def add_time(batch: pa.Table, name: str, parts: Mapping[str, Json]) -> pa.Table:
    """The batch with a time built from columns of whole numbers."""
    given = {
        part: batch.column(str(parts[part])).to_pandas()
        for part in PARTS
        if part in parts and str(parts[part]) in batch.column_names
    }
    missing = [part for part in PARTS[:3] if part not in given]
    if missing:
        raise OperationError(
            "bad_time_parts",
            f"time_parts names no column of the table for {', '.join(missing)}",
            field="time_parts",
            value=dict(parts),
            rule="year, month and day name columns",
        )
    times = pd.to_datetime(pd.DataFrame(given), errors="coerce")
    return batch.append_column(name, pa.array(times.to_numpy(dtype="datetime64[us]")))


@dataclass
class RowFilter:
    """Drops rows by time and by missing target, and counts why."""

    time_column: str = ""
    time_from: datetime | None = None
    time_until: datetime | None = None
    target: str = ""
    dropped: dict[str, int] = field(default_factory=dict)

    def apply(self, batch: pa.Table) -> pa.Table:
        """The rows that stay; every dropped row is counted under its first reason."""
        keep = np.ones(batch.num_rows, dtype=bool)
        if self.time_column and (self.time_from or self.time_until):
            times = batch.column(self.time_column).to_numpy()
            keep = self._drop(keep, np.isnat(times), f"{self.time_column} is missing")
            if self.time_from:
                early = times < np.datetime64(self.time_from)
                keep = self._drop(keep, early, f"before {self.time_from.isoformat()}")
            if self.time_until:
                late = times >= np.datetime64(self.time_until)
                keep = self._drop(keep, late, f"at or after {self.time_until.isoformat()}")
        if self.target:
            missing = pc.is_null(batch.column(self.target)).to_numpy()
            keep = self._drop(keep, missing, f"{self.target} is missing")
        return batch if keep.all() else batch.filter(pa.array(keep))

    def _drop(self, keep: np.ndarray, which: np.ndarray, reason: str) -> np.ndarray:
        count = int((keep & which).sum())
        if count:
            self.dropped[reason] = self.dropped.get(reason, 0) + count
        kept: np.ndarray = keep & ~which
        return kept


def parse_time(text: str, field_name: str) -> datetime | None:
    """An ISO time without zone; raises OperationError naming the parameter."""
    if not text:
        return None
    try:
        stamp = pd.Timestamp(text)
    except ValueError as error:
        raise OperationError(
            "bad_time",
            f"{field_name}: {text!r} is no ISO 8601 time",
            field=field_name,
            value=text,
            rule="is an ISO 8601 time",
        ) from error
    if stamp.tz is not None:
        stamp = stamp.tz_convert("UTC").tz_localize(None)
    found: datetime = stamp.to_pydatetime()
    return found


def unsuited(metric: str, target: str, labels: Sketch) -> OperationError | None:
    """Why a target of two classes cannot be judged by the score that was chosen; None if it can."""
    if not metric or not target or labels.distinct != 2 or metric_name(metric) in SCORES:
        return None
    return OperationError(
        "metric_of_another_task",
        f"{metric!r} is no score of two classes: target {target!r} is "
        + " or ".join(str(value) for value in labels.examples),
        field="metric",
        value=metric,
        rule=f"is one of {', '.join(SCORES)}",
    )
