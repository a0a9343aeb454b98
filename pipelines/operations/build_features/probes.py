"""Tests run on the encoder of a feature definition: what rows of tomorrow may do to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipelines.operations.contract import Json
from pipelines.operations.learning.definition import FeatureColumn, FeatureSet
from pipelines.operations.learning.families import encoder
from pipelines.operations.learning.transformers import Floats
from pipelines.operations.tables import plain

ROWS = 200
ALONE = 8  # of them are also encoded one by one, which costs as much as a table each
UNKNOWN = "\x00 no such category"


@dataclass(frozen=True)
class Probe:
    """One test with what it found, column by column."""

    test: str
    promise: str
    failed: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Json]:
        """The result for facts."""
        failures: list[Json] = [{"column": name, "problem": text} for name, text in self.failed]
        return {
            "test": self.test,
            "promise": self.promise,
            "passed": not self.failed,
            "failures": failures,
        }


def run_probes(features: FeatureSet, frame: pd.DataFrame) -> list[Probe]:
    """Each test on each column alone, on the first rows of the table."""
    sample = frame.head(ROWS).reset_index(drop=True)
    return [
        Probe(test, promise, tuple(_failures(features, sample, judge)))
        for test, promise, judge in PROBES
    ]


Judge = Callable[[FeatureColumn, "pd.Series", Callable[["pd.Series"], Floats]], str]


def _failures(features: FeatureSet, sample: pd.DataFrame, judge: Judge) -> list[tuple[str, str]]:
    found = []
    for column in features.columns:
        encode = _encoder_of(features, column)
        asked = TEXT_JUDGES.get(judge, judge) if column.role == "text" else judge
        try:
            problem = asked(column, sample[column.name], encode)
        except (ValueError, TypeError, AttributeError) as error:
            problem = f"{type(error).__name__}: {error}"
        if problem:
            found.append((column.name, problem))
    return found


def _encoder_of(features: FeatureSet, column: FeatureColumn) -> Callable[[pd.Series], Floats]:
    alone = encoder(replace(features, columns=(column,)))

    def encode(values: pd.Series) -> Floats:
        matrix: Floats = alone.fit_transform(values.to_frame(column.name))
        return matrix

    return encode


def _missing(
    column: FeatureColumn, values: pd.Series, encode: Callable[[pd.Series], Floats]
) -> str:
    matrix = encode(pd.Series([None, values.dropna().iloc[0] if values.notna().any() else None]))
    return "" if np.isnan(matrix[0]).all() else f"a missing value became {matrix[0].tolist()}"


def _unknown(
    column: FeatureColumn, values: pd.Series, encode: Callable[[pd.Series], Floats]
) -> str:
    if column.categories:
        strange = UNKNOWN if isinstance(column.categories[0], str) else -987654321.0
        matrix = encode(pd.Series([strange]))
        return "" if np.isnan(matrix).all() else f"an unknown category became {matrix.tolist()}"
    try:
        matrix = encode(pd.Series([UNKNOWN], dtype=object))
    except ValueError as error:
        return "" if column.name in str(error) else f"refused without naming the column: {error}"
    return f"text was taken as {matrix.tolist()}"


def _empty(column: FeatureColumn, values: pd.Series, encode: Callable[[pd.Series], Floats]) -> str:
    shape = encode(values.head(0)).shape
    wanted = (0, len(column.outputs))
    return "" if shape == wanted else f"no rows gave shape {shape}, not {wanted}"


def _round_trip(
    column: FeatureColumn, values: pd.Series, encode: Callable[[pd.Series], Floats]
) -> str:
    """As a prediction request carries it: rows of JSON."""
    text = json.dumps([None if pd.isna(value) else plain(value) for value in values])
    back = pd.Series(json.loads(text), name=column.name, dtype=object)
    return _same(encode(values), encode(back), "as JSON and back")


def _alone(column: FeatureColumn, values: pd.Series, encode: Callable[[pd.Series], Floats]) -> str:
    """A row must encode alike alone and among others."""
    rows = [encode(values.iloc[[place]]) for place in range(min(ALONE, len(values)))]
    return _same(encode(values)[: len(rows)], np.vstack(rows), "alone and in a batch")


def _same(first: Floats, second: Floats, how: str) -> str:
    if first.dtype == object:  # texts
        wrong = np.asarray(first != second)
    else:
        wrong = ~np.isclose(first, second, rtol=1e-12, atol=0, equal_nan=True)
    if not wrong.any():
        return ""
    row = int(np.flatnonzero(wrong.any(axis=1))[0])
    return f"row {row} differs {how}: {first[row].tolist()} and {second[row].tolist()}"


def _missing_text(
    column: FeatureColumn, values: pd.Series, encode: Callable[[pd.Series], Floats]
) -> str:
    found = encode(pd.Series([None, "a text"], dtype=object))[0].tolist()
    return "" if found == [""] else f"a missing text became {found}"


def _unknown_text(
    column: FeatureColumn, values: pd.Series, encode: Callable[[pd.Series], Floats]
) -> str:
    try:
        matrix = encode(pd.Series([{"no": "text"}], dtype=object))
    except ValueError as error:
        return "" if column.name in str(error) else f"refused without naming the column: {error}"
    return f"an object was taken as {matrix.tolist()}"


# What texts are asked instead; empty table, round trip and one row hold for them as they are.
TEXT_JUDGES: dict[Judge, Judge] = {_missing: _missing_text, _unknown: _unknown_text}

PROBES: tuple[tuple[str, str, Judge], ...] = (
    ("missing value", "a missing value stays missing", _missing),
    ("unknown value", "an unknown category counts as missing, other text is refused", _unknown),
    ("empty table", "no rows give no rows of the same width", _empty),
    ("round trip", "JSON and back gives the same numbers", _round_trip),
    ("one row", "a row alone gives the same numbers as in a batch", _alone),
)
