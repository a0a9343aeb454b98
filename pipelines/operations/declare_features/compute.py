"""Compute of `declare_features`: the declared columns as a feature definition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from pipelines.operations.brought.declaration import Declaration, Declared, parse
from pipelines.operations.brought.estimators import spelled
from pipelines.operations.build_features.roles import Unmapped, map_column, text_column
from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.learning.contracts import DataContract, parse_contract
from pipelines.operations.learning.definition import FeatureColumn, FeatureSet, LeftOut
from pipelines.operations.learning.frames import column_names, read_columns
from pipelines.operations.learning.labels import labelled
from pipelines.operations.learning.tasks import task_for
from pipelines.operations.learning.weights import WEIGHT
from pipelines.operations.tables import column_type, read_document, write_document

# Types of a table's column that may be given to a model as the declared type.
SUITS: Mapping[str, tuple[str, ...]] = {
    "number": ("int", "float", "bool"),
    "integer": ("int", "bool"),
    "boolean": ("bool",),
    "text": ("text",),
    "time": ("time",),
}
MOST_UNKNOWN = 5  # categories shown that the declaration lacks


@dataclass(frozen=True)
class Table:
    """The training rows with what is known of them."""

    frame: pd.DataFrame
    names: Sequence[str]
    contract: DataContract


def run(context: Context) -> Outcome:
    """Write the feature definition; raises OperationError naming every column that differs."""
    declared = parse(read_document(context.inputs["declaration"]))
    contract = parse_contract(read_document(context.inputs["contract"]))
    names = column_names(context.inputs["train"], field="train")
    _same_question(declared, context)
    key = context.text("key_column") or ",".join(contract.key)
    time = context.text("time_column") or contract.time
    group = context.text("group_column")
    extra = [name for name in (declared.target, key, time, group) if name in names]
    known = [name for name in declared.names if name in names]
    frame = read_columns(context.inputs["train"], [*known, *extra], field="train")
    task = task_for(declared.task, frame[declared.target])
    classes = task.classes(frame[declared.target], positive=context.text("positive") or None)
    table = Table(labelled(frame, declared.target), names, contract)
    _suits(declared, table, classes, context.names("exclude"))
    context.progress(0.5, f"mapping {len(known)} columns", len(frame))
    mapped, unmapped = _map(declared, table)
    features = FeatureSet(
        target=declared.target,
        classes=classes,
        columns=tuple(mapped),
        key=(key,) if key in names else (),
        time=time if time in names else "",
        task=task.name,
        group=group,
        left_out=tuple(
            LeftOut(name, "not taken by the model", decided=True)
            for name in names
            if name not in declared.names and name != declared.target
        ),
    )
    path = write_document(context.output("features"), features.as_json())
    return Outcome({"features": path}, _facts(features, declared, unmapped, table))


def _same_question(declared: Declaration, context: Context) -> None:
    for name, mine, theirs in (
        ("task", context.text("task"), declared.task),
        ("target", context.text("target"), declared.target),
    ):
        if mine != theirs:
            raise OperationError(
                "another_question",
                f"the run asks for the {name} {mine!r}, the model is declared for {theirs!r}",
                field=name, value=theirs, rule=f"is {mine!r}, as in the run",
            )  # fmt: skip


def _suits(
    declared: Declaration, table: Table, classes: tuple[Json, ...], excluded: Sequence[str]
) -> None:
    """Raises OperationError with every column and class that is not as declared."""
    problems = [*_class_problems(declared, classes)]
    for column in declared.columns:
        problems += [
            {"column": column.name, "problem": text}
            for text in _column_problems(column, table, excluded)
        ]
    if problems:
        told = "; ".join(f"{row['column']}: {row['problem']}" for row in problems[:10])
        raise OperationError(
            "declaration_differs",
            f"the declaration is not of this table: {told}",
            field="declaration", value=len(problems), rule="names columns as the table has them",
            details=problems,
        )  # fmt: skip


def _class_problems(declared: Declaration, classes: tuple[Json, ...]) -> Iterator[dict[str, Json]]:
    mine, theirs = sorted(map(spelled, classes)), sorted(map(spelled, declared.classes))
    if mine != theirs:
        text = f"has the classes {', '.join(mine)}; declared are {', '.join(theirs)}"
        yield {"column": declared.target, "problem": text}


def _column_problems(column: Declared, table: Table, excluded: Sequence[str]) -> Iterator[str]:
    if column.name not in table.names:
        yield "is not in the table"
        return
    if column.name in excluded:
        yield "is excluded in this run"
    if column.name == WEIGHT:
        yield "is the weight of a sample"
    stated = table.contract.columns.get(column.name)
    if stated is not None and stated.treatment == "drop":
        yield "is personal data that is to be dropped"
    values = table.frame[column.name]
    found = column_type(values)
    if values.notna().any() and found not in SUITS[column.type]:
        yield f"is declared {column.type}, and holds {found}"


def _map(declared: Declaration, table: Table) -> tuple[list[FeatureColumn], list[Unmapped]]:
    mapped: list[FeatureColumn] = []
    unmapped: list[Unmapped] = []
    for column in declared.columns:
        role = text_column if column.free else map_column
        found = role(table.frame[column.name], table.contract.columns.get(column.name))
        if isinstance(found, Unmapped):
            unmapped.append(found)
        elif column.categories:
            mapped.append(replace(found, role="category", categories=column.categories))
        else:
            mapped.append(found)
    if not mapped:
        raise OperationError(
            "no_features", "no declared column can be used as a feature",
            field="declaration", value=list[Json](declared.names), rule="one column has values",
        )  # fmt: skip
    return mapped, unmapped


def _facts(
    features: FeatureSet, declared: Declaration, unmapped: Sequence[Unmapped], table: Table
) -> dict[str, Json]:
    rows: list[Json] = []
    for column in features.columns:
        values = table.frame[column.name]
        stated = declared.column(column.name)
        strange = set(map(str, values.dropna().unique())) - set(stated.categories)
        rows.append(
            {
                "column": column.name,
                "role": column.role,
                "declared": stated.type,
                "transformer": "the model's own",
                "availability": column.availability,
                "distinct": int(values.nunique()),
                "missing_share": round(float(values.isna().mean()), 6),
                "categories_undeclared": list[Json](sorted(strange)[:MOST_UNKNOWN])
                if stated.categories
                else [],
            }
        )
    return {
        "rows": len(table.frame),
        "target": features.target,
        "task": features.task,
        "positive": features.classes[-1] if len(features.classes) == 2 else None,
        "columns_used": len(rows),
        "columns": rows,
        "unmapped": [{"column": u.name, "worry": u.worry, "problem": u.reason} for u in unmapped],
        "left_out": [{"column": c.name, "reason": c.reason} for c in features.left_out],
        "known_after": [c.name for c in features.columns if c.availability == "after"],
        "availability_undeclared": [
            c.name for c in features.columns if c.availability == "unknown"
        ],
        "digest": features.digest(),
    }
