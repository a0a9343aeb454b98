"""Large batches are checked by column; whatever they hold, the answer is that of the row check."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.operations.packages import signature as signatures
from pipelines.operations.packages.columns import clean_columns
from pipelines.operations.packages.signature import (
    Column,
    Output,
    RowCheck,
    RowsError,
    Signature,
)

SIGNATURE = Signature(
    (
        Column("count", "integer", "int64", nullable=False, minimum=0, maximum=10),
        Column("size", "number", "float64", maximum=99.5),
        Column("place", "string", "str", categories=("AMS", "BRU"), closed=True),
        Column("kind", "string", "str", nullable=False),
        Column("grade", "integer", "int64", categories=(1, 2, 3), closed=True),
        Column("flag", "boolean", "bool"),
        Column("moment", "datetime", "datetime64[us, UTC]"),
    ),
    (Output("score", "number", "chance"),),
)
RIGHT: dict[str, st.SearchStrategy[Any]] = {
    "count": st.integers(0, 10),
    "size": st.none() | st.floats(-5, 99.5) | st.integers(-5, 99),
    "place": st.sampled_from(["AMS", "BRU", None]),
    "kind": st.text(max_size=3),
    "grade": st.sampled_from([1, 2, 3, None]),
    "flag": st.booleans() | st.none(),
    "moment": st.sampled_from(["2024-01-01", "2024-01-01T10:00:00+01:00", None]),
}
BESIDE: dict[str, list[Any]] = {
    "count": [-1, 11],
    "size": [99.6, 100],
    "place": ["ANR"],
    "grade": [0, 4],
    "kind": [None],
}
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, 1, 2.0, 2.5, -1, 100.0, 10**30, math.inf, math.nan, "AMS", "", [1], {}, "x"]
)


@st.composite
def batches(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows that suit, some of them with a value, a name or a gap that may not."""
    rows = draw(st.lists(st.fixed_dictionaries(RIGHT), min_size=1, max_size=6))
    for change in draw(st.lists(st.sampled_from(["beside", "odd", "gap"]), max_size=2)):
        row = draw(st.sampled_from(rows))
        name = draw(st.sampled_from([*(BESIDE if change == "beside" else RIGHT), "other"]))
        if change == "gap":
            row.pop(name, None)
        else:
            row[name] = draw(st.sampled_from(BESIDE.get(name, [1])) if change == "beside" else ODD)
    return rows


def answer(rows: Sequence[Mapping[str, Any]], many: int) -> object:
    """The cleaned rows or the problems, with types, when columns come first from `many` rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signatures, "MANY", many)
        try:
            return [
                {name: (type(value), value) for name, value in row.items()}
                for row in RowCheck(SIGNATURE).clean(rows)
            ]
        except RowsError as error:
            return [problem.message for problem in error.problems]


@settings(max_examples=400, deadline=None)
@given(batches())
def test_by_column_as_by_row(rows: list[dict[str, Any]]) -> None:
    """Equal rows of equal types, or equal problems."""
    assert answer(rows, 1) == answer(rows, 1000)


def test_rows_that_suit_take_the_quick_way() -> None:
    """Otherwise the comparison above would prove nothing."""
    columns = {column.name: column for column in SIGNATURE.inputs}
    known = {name: frozenset(c.categories) for name, c in columns.items() if c.closed}
    row: dict[str, Any] = {
        "count": 3,
        "size": 1,
        "place": "AMS",
        "kind": "a",
        "grade": None,
        "flag": True,
        "moment": "2024-01-01",
    }
    assert (
        clean_columns(columns, known, [row] * 30)
        == [{**row, "size": 1.0, "moment": "2024-01-01T00:00:00"}] * 30
    )
    assert clean_columns(columns, known, [row, {**row, "place": "ANR"}]) is None
