"""The signature of a package, from the feature definition, the holdout and the data contract."""

from collections.abc import Mapping, Sequence

import pandas as pd

from pipelines.operations.contract import Json
from pipelines.operations.learning.definition import FeatureColumn
from pipelines.operations.packages.signature import Column, Output, Signature, Type


def signature_of(
    columns: Sequence[FeatureColumn],
    holdout: pd.DataFrame,
    *,
    outputs: tuple[Output, ...],
    not_null: frozenset[str],
    closed_up_to: int,
) -> Signature:
    """Inputs in the order of the definition, with the types of the holdout.

    A column with at most `closed_up_to` categories refuses others.
    """
    inputs = tuple(
        Column(
            name=column.name,
            type=_type(column, holdout[column.name]),
            dtype=str(holdout[column.name].dtype),
            nullable=column.name not in not_null,
            categories=tuple(column.categories),
            closed=column.role == "category" and len(column.categories) <= closed_up_to,
        )
        for column in columns
    )
    return Signature(inputs, outputs)


def guessed_columns(names: Sequence[str], holdout: pd.DataFrame) -> list[FeatureColumn]:
    """Columns of a model that was trained elsewhere: numbers, texts and times by their type."""
    return [FeatureColumn(name, "number", str(holdout[name].dtype)) for name in names]


def not_null_of(contract: Mapping[str, Json]) -> frozenset[str]:
    """Columns that the data contract does not allow to be missing."""
    columns = contract.get("columns")
    rows = columns if isinstance(columns, list) else []
    return frozenset(
        str(row.get("name"))
        for row in rows
        if isinstance(row, dict) and row.get("nullable") is False
    )


def _type(column: FeatureColumn, values: pd.Series) -> Type:
    if column.role == "date" or pd.api.types.is_datetime64_any_dtype(values):
        return "datetime"
    if pd.api.types.is_integer_dtype(values):
        return "integer"
    if pd.api.types.is_float_dtype(values):
        return "number"
    if pd.api.types.is_bool_dtype(values) or column.role == "flag":
        return "boolean"
    return "string"
