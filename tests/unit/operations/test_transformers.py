"""Encoders: what they make of missing, unknown and wrong values."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.operations.learning.transformers import (
    BadValueError,
    Codes,
    DateParts,
    Flags,
    Numbers,
)


def encoded(transformer, values, dtype=None) -> list:
    frame = pd.DataFrame({"x": pd.Series(values, dtype=dtype)})
    return transformer.fit_transform(frame).ravel().tolist()


def same(found: list, wanted: list) -> bool:
    return np.array_equal(np.asarray(found), np.asarray(wanted, dtype=float), equal_nan=True)


NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "dtype", "wanted"),
    [
        ([1, 2], "int64", [1, 2]),
        ([1, None], "Int64", [1, NAN]),
        ([1.5, float("inf"), float("-inf")], "float64", [1.5, NAN, NAN]),
        ([True, False], "bool", [1, 0]),
        (["1.5", None], "object", [1.5, NAN]),
        ([None, None], "object", [NAN, NAN]),
    ],
)
def test_numbers(values, dtype, wanted) -> None:
    assert same(encoded(Numbers(), values, dtype), wanted)


@pytest.mark.parametrize(
    ("transformer", "values", "rule"),
    [
        (Numbers(), ["1", "two"], "is not a number"),
        (Flags(), [True, "maybe"], "is neither true nor false"),
        (DateParts(["month"]), ["2024-01-31", "tomorrow"], "is not an ISO 8601 date"),
        (Codes([[1.0, 2.0]]), [1, "two"], "is not a number"),
    ],
)
def test_a_refused_value_is_named_with_its_column(transformer, values, rule) -> None:
    with pytest.raises(BadValueError) as caught:
        encoded(transformer, values, "object")
    assert caught.value.column == "x"
    assert repr(values[1]) == caught.value.value
    assert rule in str(caught.value)


def test_flags() -> None:
    assert same(encoded(Flags(), [True, None, False], "object"), [1, NAN, 0])
    assert same(encoded(Flags(), [True, None], "boolean"), [1, NAN])
    assert same(encoded(Flags(), [1, 0], "int64"), [1, 0])


@given(st.lists(st.sampled_from(["a", "b", "c", "new", None]), max_size=30))
@settings(deadline=None)
def test_codes_are_places_in_the_list(values) -> None:
    known = ["a", "b", "c"]
    wanted = [known.index(value) if value in known else NAN for value in values]
    assert same(encoded(Codes([known]), values, "object"), wanted)
    assert same(encoded(Codes([known]), values, "str"), wanted)


def test_codes_of_numbers_do_not_depend_on_their_type() -> None:
    for dtype in ("int64", "float64"):
        assert same(encoded(Codes([[3.0, 7.0]]), [7, 3, 5], dtype), [1, 0, NAN])


def test_date_parts_are_read_in_utc() -> None:
    found = encoded(DateParts(["month", "day", "weekday", "hour"]), ["2024-03-01T00:30:00+02:00"])
    assert found == [2.0, 29.0, 3.0, 22.0]  # a Thursday, 22:30 the day before


def test_date_parts_do_not_depend_on_how_the_date_is_written() -> None:
    moments = ["2024-02-29T22:30:00Z", "2024-12-31T01:00:00Z"]
    parts = DateParts(["month", "hour"])
    stamps = pd.to_datetime(pd.Series(moments))
    assert encoded(parts, moments) == encoded(parts, stamps)
    assert encoded(parts, moments) == encoded(parts, stamps.dt.tz_localize(None))
