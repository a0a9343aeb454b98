"""What the model operations read in a sealed data contract: types, availability, key, time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.operations.contract import Json
from pipelines.operations.learning.definition import Availability


@dataclass(frozen=True)
class ContractColumn:
    """A column as the data contract states it."""

    name: str
    type: str
    availability: Availability
    categories: tuple[Json, ...]


@dataclass(frozen=True)
class DataContract:
    """The columns by name, and those that are key or time."""

    columns: Mapping[str, ContractColumn]
    key: tuple[str, ...]
    time: str


def parse_contract(data: Mapping[str, Json]) -> DataContract:
    """Read what is needed; a contract that states no columns gives none."""
    stated = data.get("columns")
    rows: list[tuple[str, Json]] = []
    if isinstance(stated, dict):
        rows = list(stated.items())
    elif isinstance(stated, list):
        rows = [(str(row.get("name")), row) for row in stated if isinstance(row, dict)]
    columns = {name: _column(name, row) for name, row in rows if isinstance(row, dict)}
    return DataContract(columns, _texts(data.get("key")), str(data.get("time") or ""))


def _column(name: str, row: Mapping[str, Json]) -> ContractColumn:
    categories = row.get("categories")
    known: dict[Json, Availability] = {"before": "before", "after": "after"}
    stated = row.get("availability")
    return ContractColumn(
        name=name,
        type=str(row.get("type") or row.get("dtype") or ""),
        availability=known.get(stated, "unknown") if isinstance(stated, str) else "unknown",
        categories=tuple(categories) if isinstance(categories, list) else (),
    )


def _texts(value: Json) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
