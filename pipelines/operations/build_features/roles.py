"""Which role a column can play as a feature, and why some can play none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.operations.learning.contracts import ContractColumn
from pipelines.operations.learning.definition import (
    MAX_CATEGORIES,
    Availability,
    FeatureColumn,
    Role,
)
from pipelines.operations.tables import column_type

NESTED = (list, dict, np.ndarray, bytes)  # W13 lists, W14 objects
ID_LIKE = 0.5  # distinct texts per row from which a column only names rows (own, W4)


@dataclass(frozen=True)
class Unmapped:
    """A column that no transformer suits, the worry it raises and the reason in words."""

    name: str
    worry: str
    reason: str


def map_column(values: pd.Series, stated: ContractColumn | None) -> FeatureColumn | Unmapped:
    """The column's role by its type and content."""
    name = str(values.name)
    known = values.dropna()
    if known.empty:
        return Unmapped(name, "W3", "has no value in any row")
    if _is_nested(known):
        first = next(value for value in known if isinstance(value, NESTED))
        worry = "W14" if isinstance(first, dict | bytes) else "W13"
        return Unmapped(
            name, worry, f"holds {type(first).__name__} values: unpack or drop them first"
        )
    kind = column_type(values)
    if kind in ("int", "float") and stated and stated.type in ("text", "category"):
        return _categories(known, stated)
    if kind == "text":
        return _categories(known, stated)
    roles: dict[str, Role] = {"bool": "flag", "time": "date", "int": "number", "float": "number"}
    return FeatureColumn(name, roles[kind], str(values.dtype), _availability(stated))


def text_column(values: pd.Series, stated: ContractColumn | None) -> FeatureColumn | Unmapped:
    """The column as texts, as somebody has asked for; what holds no texts is said."""
    name, known = str(values.name), values.dropna()
    if known.empty:
        return Unmapped(name, "W3", "has no value in any row")
    if column_type(values) != "text" or _is_nested(known):
        return Unmapped(name, "W11", f"holds {column_type(values)} values, no texts")
    return FeatureColumn(name, "text", str(values.dtype), _availability(stated))


def _categories(known: pd.Series, stated: ContractColumn | None) -> FeatureColumn | Unmapped:
    name = str(known.name)
    distinct = known.nunique()
    if distinct > max(MAX_CATEGORIES, ID_LIKE * len(known)):
        return Unmapped(
            name, "W4", f"{distinct:,} different texts in {len(known):,} rows: names rows"
        )
    if pd.api.types.is_numeric_dtype(known):
        found: list[str] | list[float] = sorted(float(v) for v in known.unique())
    else:
        found = sorted({str(value) for value in known.unique()})
    role: Role = "category" if distinct <= MAX_CATEGORIES else "many_categories"
    return FeatureColumn(name, role, str(known.dtype), _availability(stated), tuple(found))  # type: ignore[arg-type]


def _is_nested(known: pd.Series) -> bool:
    return known.dtype == object and bool(
        known.head(1000).map(lambda value: isinstance(value, NESTED)).any()
    )


def _availability(stated: ContractColumn | None) -> Availability:
    return stated.availability if stated else "unknown"
