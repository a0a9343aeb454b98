"""Columns of texts in `build_features`: which they are, and what they hold."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pipelines.operations.build_features.roles import Unmapped, text_column
from pipelines.operations.contract import Context, Json, OperationError
from pipelines.operations.learning.definition import FeatureSet
from pipelines.operations.learning.texts import described
from pipelines.operations.learning.words import MAX_TEXT, only_stop_words, words
from pipelines.operations.prose import looks_like_prose


def read_as_text(frame: pd.DataFrame, chosen: Sequence[str], context: Context) -> list[str]:
    """Columns read as texts: those named; with `find_texts`, prose as well.

    Raises OperationError for a named one that holds no texts, and where none is found.
    """
    named = [name for name in context.names("text_columns") if name in chosen]
    for name in named:
        found = text_column(frame[name], None)
        if isinstance(found, Unmapped):
            raise OperationError(
                "not_a_text",
                f"text_columns names {name!r}, which {found.reason}",
                field="text_columns",
                value=name,
                rule="names columns of texts",
            )
    if not context.flag("find_texts"):
        return named
    found_too = [name for name in chosen if name not in named and looks_like_prose(frame[name])]
    if not named and not found_too:
        raise OperationError(
            "no_texts",
            f"none of {len(chosen)} columns holds texts of some words each",
            field="text_columns",
            value=list[Json](chosen),
            rule="names a column of texts, or one looks like it",
        )
    return [*named, *found_too]


def text_facts(features: FeatureSet, frame: pd.DataFrame) -> dict[str, Json]:
    """What each column of texts holds, with findings in words; empty where there is none."""
    names = [column.name for column in features.columns if column.role == "text"]
    if not names and not features.group:
        return {}
    rows: list[Json] = [{"column": name, **_described(frame[name])} for name in names]
    facts: dict[str, Json] = {"texts": rows}
    if features.group:
        facts["group"] = {
            "column": features.group,
            "groups": int(frame[features.group].astype("str").nunique()),
        }
    return facts


def _described(values: pd.Series) -> dict[str, Json]:
    found = described(values)
    stop = sum(only_stop_words(words(str(text))) for text in values.dropna())
    found["stop_words_only"] = stop
    total = max(len(values), 1)
    findings: list[Json] = []
    if found["empty"]:
        findings.append(f"{found['empty']:,} of {total:,} hold no word: answered by the base rate")
    if stop:
        findings.append(f"{stop:,} of {total:,} hold function words only, which say little")
    if found["cut"]:
        findings.append(
            f"{found['cut']:,} of {total:,} are longer than {MAX_TEXT:,} characters:"
            " what comes after is not read"
        )
    found["findings"] = findings
    return found
