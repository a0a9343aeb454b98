"""Rows that a package has to refuse, each with the rule it must name."""

from collections.abc import Iterator, Mapping

from pipelines.operations.contract import Json
from pipelines.operations.packages.loaded import Loaded
from pipelines.operations.packages.signature import Column, RowsError, Signature


def bad_rows(loaded: Loaded, row: Mapping[str, Json]) -> list[dict[str, Json]]:
    """What the package answered to each bad row; `refused` is True where it named the rule."""
    found: list[dict[str, Json]] = []
    for rule, column, bad in _cases(loaded.signature, row):
        answer = "accepted"
        refused = False
        try:
            loaded.predict([bad])
        except RowsError as problem:
            answer = problem.problems[0].message
            refused = any(one.rule == rule and one.column == column for one in problem.problems)
        found.append({"rule": rule, "column": column, "refused": refused, "answer": answer})
    return found


def _cases(
    signature: Signature, row: Mapping[str, Json]
) -> Iterator[tuple[str, str, dict[str, Json]]]:
    first = signature.inputs[0].name
    yield "missing", first, {name: value for name, value in row.items() if name != first}
    yield "extra", "no_such_column", {**row, "no_such_column": 1}
    for column in signature.inputs:
        yield "type", column.name, {**row, column.name: _ill_typed(column)}
        if not column.nullable:
            yield "not_null", column.name, {**row, column.name: None}
        if column.closed and column.type == "string":
            yield "category", column.name, {**row, column.name: "no such category"}


def _ill_typed(column: Column) -> Json:
    return 7 if column.type in ("string", "datetime", "boolean") else "no number"
