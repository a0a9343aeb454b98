"""Windows of logged predictions as Parquet files, for the measuring operations.

Imported by the worker just before an attempt, never by web or engine.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection

from pipelines.operations import windows as names
from pipelines.registry.models import Deployment

MAX_ROWS = 100_000  # the newest; 20 columns of them are about 30 MB in memory

_SELECT = """
SELECT p.key, p.event_time, p.at, p.mode, p.served_by, v.number, p.score, p.label, p.failed,
       p.latency, l.value, l.observed_at, l.received_at, p.inputs, p.probabilities
FROM serving_prediction p
LEFT JOIN registry_modelversion v ON v.id = p.version_id
LEFT JOIN serving_label l ON l.model_id = p.model_id AND l.key = p.key
WHERE {where}
ORDER BY p.id DESC LIMIT %(limit)s
"""
_TIME = pa.timestamp("us", tz="UTC")
_SCHEMA: Sequence[tuple[str, pa.DataType]] = (
    (names.KEY, pa.string()),
    (names.EVENT_TIME, _TIME),
    (names.AT, _TIME),
    (names.MODE, pa.string()),
    (names.SERVED_BY, pa.string()),
    (names.VERSION, pa.int64()),
    (names.SCORE, pa.float64()),
    (names.LABEL, pa.string()),
    (names.FAILED, pa.bool_()),
    (names.LATENCY, pa.float64()),
    (names.ACTUAL, pa.string()),
    (names.OBSERVED_AT, _TIME),
    (names.RECEIVED_AT, _TIME),
)
_TYPES: Mapping[str, pa.DataType] = {
    "number": pa.float64(),
    "integer": pa.float64(),  # a missing value would make it float anyway
    "boolean": pa.bool_(),
    "string": pa.string(),
    "datetime": pa.string(),
}
_LABEL, _INPUTS, _SHARES = 7, 13, 14


def fetch(where: str, values: Mapping[str, Any], *, limit: int = MAX_ROWS) -> list[Any]:
    """The newest rows that suit, oldest first; `where` is one of this module's callers' texts."""
    with connection.cursor() as cursor:
        cursor.execute(_SELECT.format(where=where), {**values, "limit": limit})
        rows: list[Any] = cursor.fetchall()
    rows.reverse()
    return rows


def write_window(path: Path, rows: Sequence[Any], deployment: Deployment | None) -> Path:
    """Write rows; inputs become columns of the types that the deployed version reads."""
    columns = dict(
        zip((name for name, _ in _SCHEMA), zip(*rows, strict=True), strict=False)
        if rows
        else ((name, ()) for name, _ in _SCHEMA)
    )
    columns[names.LABEL] = tuple(_label(row[_LABEL]) for row in rows)
    arrays = {name: pa.array(columns[name], type=kind) for name, kind in _SCHEMA}
    shares = [_text(row[_SHARES]) for row in rows]
    if any(shares):  # only of several classes: windows of other models stay as they were
        arrays[names.PROBABILITIES] = pa.array(shares, type=pa.string())
    given = [_loaded(row[_INPUTS]) for row in rows]
    types = deployment.version.facts.get("types") if deployment else None
    for name, kind in (types or {}).items():
        column = [row.get(name) for row in given]
        arrays[name] = pa.array(column, type=_TYPES[kind])
    pq.write_table(pa.table(arrays), path, compression="zstd")
    return path


def _loaded(value: object) -> dict[str, Any]:
    """Django leaves jsonb of raw SQL as text."""
    found = json.loads(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    """JSON as text, as Django leaves it or not."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _label(value: Any) -> str | None:
    found = json.loads(value) if isinstance(value, str) else value
    return None if found is None else names.text_of(found)
