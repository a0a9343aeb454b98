"""Which columns rows are compared by, where there is nothing to predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipelines.operations.build_features.roles import Unmapped, map_column
from pipelines.operations.contract import Context, Json, OperationError
from pipelines.operations.learning.contracts import DataContract
from pipelines.operations.learning.definition import FeatureColumn, LeftOut
from pipelines.operations.learning.weights import WEIGHT
from pipelines.operations.tables import column_type

FEWEST_ROWS = 50  # fewer rows show no group and no habit that another sample would show (own)
MOST_COLUMNS = 1000  # with more, every row is about as far from every other (own)


@dataclass(frozen=True)
class Chosen:
    """Columns with their roles, those that no transformer suits, and those left out."""

    mapped: tuple[FeatureColumn, ...]
    unmapped: tuple[Unmapped, ...]
    left_out: tuple[LeftOut, ...]


def need_rows(frame: pd.DataFrame, *, field: str, least: int = FEWEST_ROWS) -> None:
    """Raise OperationError where there are too few rows to learn from."""
    if len(frame) < least:
        raise OperationError(
            "too_few_rows",
            f"{field} has {len(frame):,} rows, which is too few to learn from",
            field=field,
            value=len(frame),
            rule=f"has at least {least} rows",
        )


def choose(
    frame: pd.DataFrame, context: Context, contract: DataContract, *, hidden: Sequence[str] = ()
) -> Chosen:
    """The columns to compare rows by; raises OperationError for names that cannot be used."""
    listed, names = context.names("columns"), [str(name) for name in frame.columns]
    _require(names, columns=listed, exclude=context.names("exclude"))
    reasons = _reasons(context, contract, hidden)
    for name in listed:
        if reasons.get(name, "time") not in ("time", "key"):
            raise OperationError(
                "column_not_usable",
                f"columns lists {name!r}, which is {reasons[name]}",
                field="columns",
                value=name,
                rule="is not excluded, not the label, and may be kept",
            )
    wanted = list(dict.fromkeys(listed)) or [name for name in names if name not in reasons]
    _refuse_many(wanted)
    left = [
        LeftOut(name, reasons.get(name, "not listed"), decided=True)
        for name in names
        if name not in wanted
    ]
    return _mapped(frame, wanted, contract, left)


def _mapped(
    frame: pd.DataFrame, wanted: Sequence[str], contract: DataContract, left: list[LeftOut]
) -> Chosen:
    found = [map_column(frame[name], contract.columns.get(name)) for name in wanted]
    unmapped = [column for column in found if isinstance(column, Unmapped)]
    mapped = []
    for column in found:
        if isinstance(column, Unmapped):
            continue
        if frame[column.name].nunique() < 2:
            left.append(LeftOut(column.name, "one value only", decided=True))
        elif column.role == "many_categories":
            count = frame[column.name].nunique()
            unmapped.append(Unmapped(column.name, "W4", f"{count:,} categories tell no distance"))
        else:
            mapped.append(column)
    if not mapped:
        raise _none_left(unmapped, left)
    return Chosen(tuple(mapped), tuple(unmapped), tuple(left))


def _none_left(unmapped: Sequence[Unmapped], left: Sequence[LeftOut]) -> OperationError:
    details: list[dict[str, Json]] = [{"column": u.name, "problem": u.reason} for u in unmapped]
    details += [{"column": one.name, "problem": one.reason} for one in left]
    told = "; ".join(f"{row['column']}: {row['problem']}" for row in details[:5])
    return OperationError(
        "no_features",
        f"no column tells rows apart ({told})",
        field="columns",
        value=[row["column"] for row in details],
        rule="at least one column has two values of a plain type",
        details=details[:50],
    )


def _refuse_many(wanted: Sequence[str]) -> None:
    if len(wanted) > MOST_COLUMNS:
        raise OperationError(
            "too_many_columns",
            f"{len(wanted):,} columns are to compare rows by: choose those that matter",
            field="columns",
            value=len(wanted),
            rule=f"at most {MOST_COLUMNS:,} columns",
        )


def _reasons(context: Context, contract: DataContract, hidden: Sequence[str]) -> Mapping[str, str]:
    reasons = {
        name: "personal data that is to be dropped"
        for name, column in contract.columns.items()
        if column.treatment == "drop"
    }
    reasons |= dict.fromkeys(context.names("exclude"), "excluded")
    reasons |= dict.fromkeys(filter(None, [context.text("key_column"), *contract.key]), "key")
    reasons |= dict.fromkeys(filter(None, [context.text("time_column"), contract.time]), "time")
    reasons |= {WEIGHT: "weight of a sample"}
    return reasons | dict.fromkeys(filter(None, hidden), "the label")


def _require(names: Sequence[str], **wanted: Sequence[str]) -> None:
    known = set(names)
    for field, listed in wanted.items():
        absent = [name for name in listed if name not in known]
        if absent:
            raise OperationError(
                "unknown_column",
                f"{field} names {absent[0]!r}, which is not in the table",
                field=field,
                value=absent[0],
                rule="names a column of the table",
            )


def is_number(values: pd.Series) -> bool:
    """Whether a column holds numbers, so that a mean of it says something."""
    return column_type(values) in ("int", "float")
