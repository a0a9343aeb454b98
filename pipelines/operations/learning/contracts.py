"""What the model operations read in a sealed data contract: types, availability, key, time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.operations.contract import Json
from pipelines.operations.learning.definition import Availability


@dataclass(frozen=True)
class ContractColumn:
    """A column as the data contract states it; `treatment` of personal data: drop, hash, keep."""

    name: str
    type: str
    availability: Availability
    treatment: str = ""


@dataclass(frozen=True)
class DataContract:
    """The columns by name, and those that are key or time."""

    columns: Mapping[str, ContractColumn]
    key: tuple[str, ...]
    time: str


def parse_contract(data: Mapping[str, Json]) -> DataContract:
    """Read what is needed; a contract that states no columns gives none."""
    stated = data.get("columns")
    rows = [row for row in stated if isinstance(row, dict)] if isinstance(stated, list) else []
    columns = {str(row.get("name")): _column(str(row.get("name")), row) for row in rows}
    key = str(data.get("key_column") or "")
    return DataContract(columns, (key,) if key else (), str(data.get("time_column") or ""))


def _column(name: str, row: Mapping[str, Json]) -> ContractColumn:
    known: dict[Json, Availability] = {"before": "before", "after": "after"}
    stated = row.get("available")
    return ContractColumn(
        name=name,
        type=str(row.get("type") or ""),
        availability=known.get(stated, "unknown") if isinstance(stated, str) else "unknown",
        treatment=str(row.get("treatment") or "") if row.get("pii") is True else "",
    )
