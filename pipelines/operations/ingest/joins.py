"""Left joins that keep every base row, its order and the column types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.ingest.problems import Problem, listed, refuse
from pipelines.operations.ingest.sources import Source

LARGEST = 400 << 20  # bytes of a lookup table as Arrow; its index takes twice as much again (own)


@dataclass(frozen=True)
class JoinRule:
    """One lookup: table, pairs of (base column, lookup column), columns to add, prefix."""

    table: str
    on: tuple[tuple[str, str], ...]
    columns: tuple[str, ...] | None = None
    prefix: str = ""


class Lookup:
    """A lookup table in memory with unique keys, ready to be joined batch by batch."""

    def __init__(self, source: Source, rule: JoinRule) -> None:
        self.rule = rule
        self.matched = 0
        self.seen = 0
        table = _needed(source, rule)
        self._keys = [table.column(right) for _, right in rule.on]
        self._uniques = [pd.Index(key.to_pandas().dropna().unique()) for key in self._keys]
        codes = self._combine([key.to_pandas() for key in self._keys])
        self._refuse_repeats(source, codes)
        self._places = np.flatnonzero(codes >= 0)
        self._index = pd.Index(codes[self._places])
        keys = {right for _, right in rule.on}
        wanted = rule.columns if rule.columns is not None else tuple(table.column_names)
        kept = [name for name in wanted if name not in keys]
        self.added = table.select(kept).rename_columns([rule.prefix + name for name in kept])
        self.added = self.added.combine_chunks()

    def _combine(self, keys: Sequence[pd.Series]) -> np.ndarray:
        """One whole number per row from all key columns; -1 where any is unknown."""
        total = np.zeros(len(keys[0]), dtype=np.int64)
        known = np.ones(len(keys[0]), dtype=bool)
        for key, uniques in zip(keys, self._uniques, strict=True):
            codes = uniques.get_indexer(pd.Index(key))
            known &= codes >= 0
            total = total * (len(uniques) + 1) + codes
        return np.where(known, total, -1)

    def _refuse_repeats(self, source: Source, codes: np.ndarray) -> None:
        series = pd.Series(codes)
        repeated = np.flatnonzero((series >= 0) & series.duplicated(keep="first"))
        if not repeated.size:
            return
        at = int(repeated[0])
        first = int(np.flatnonzero(codes == codes[at])[0])
        value = {
            right: str(key[at]) for (_, right), key in zip(self.rule.on, self._keys, strict=True)
        }
        columns = ", ".join(right for _, right in self.rule.on)
        shift = 2 if source.format == "csv" else 1
        text = (
            f"the key ({columns}) repeats in {repeated.size:,} rows, first in rows "
            f"{first + shift} and {at + shift}: joining would multiply rows"
        )
        shown: dict[str, Json] = dict(value)
        refuse(
            [
                Problem(
                    "join_not_unique",
                    source.name,
                    text,
                    row=at + shift,
                    column=columns,
                    rule="the key is unique in the lookup table",
                    value=shown,
                )
            ]
        )

    def join(self, batch: pa.Table) -> pa.Table:
        """The batch with the lookup's columns beside it; no match gives missing values."""
        keys = [batch.column(left).to_pandas() for left, _ in self.rule.on]
        combined = self._combine(keys)
        at = self._index.get_indexer(pd.Index(combined))
        at = np.where(at >= 0, self._places[at] if self._places.size else -1, -1)
        self.seen += len(at)
        self.matched += int((at >= 0).sum())
        taken = self.added.take(pa.array(at, mask=at < 0))
        for name in taken.column_names:
            batch = batch.append_column(name, taken.column(name))
        return batch

    def facts(self) -> dict[str, Json]:
        """How many base rows found their lookup row."""
        share = self.matched / self.seen if self.seen else 0.0
        return {
            "table": self.rule.table,
            "on": [left for left, _ in self.rule.on],
            "columns": list(self.added.column_names),
            "matched": self.matched,
            "share": round(share, 6),
        }


def _needed(source: Source, rule: JoinRule) -> pa.Table:
    """The columns of a lookup table that the join needs; raises OperationError beyond LARGEST."""
    keys = [right for _, right in rule.on]
    given = source.schema
    wanted = set(given.names if rule.columns is None else rule.columns)
    names = [name for name in given.names if name in keys or name in wanted]
    batches, held = [], 0
    for batch in source.batches():
        batches.append(batch.select(names))
        held += batches[-1].nbytes
        if held > LARGEST:
            text = (
                f"its columns {listed(names)} hold more than {LARGEST:,} bytes, which a join "
                "keeps in memory: name fewer columns, or let it be the base file"
            )
            rule_text = f"<= {LARGEST:,} bytes"
            problem = Problem("lookup_too_large", source.name, text, rule=rule_text, value=held)
            refuse([problem])
    schema = pa.schema([given.field(name) for name in names])
    return pa.Table.from_batches(batches, schema=schema)


def parse_rules(given: Sequence[Json], tables: Mapping[str, Source], base: str) -> list[JoinRule]:
    """The joins parameter as rules; raises OperationError naming what does not fit."""
    rules = []
    for place, item in enumerate(given, start=1):
        keys = item.get("on") if isinstance(item, dict) else None
        if not isinstance(item, dict) or not isinstance(keys, list) or not keys:
            raise _bad_join(place, item, "has table and on: [column, ...]")
        table = str(item.get("table") or "")
        if table not in tables or table == base:
            raise _bad_join(place, table, f"table is one of {listed(sorted(set(tables) - {base}))}")
        columns = item.get("columns")
        rules.append(
            JoinRule(
                table=table,
                on=tuple(_pair(pair, place) for pair in keys),
                columns=tuple(map(str, columns)) if isinstance(columns, list) else None,
                prefix=str(item.get("prefix") or ""),
            )
        )
    _check_columns(rules, tables, base)
    return rules


def _pair(given: Json, place: int) -> tuple[str, str]:
    if isinstance(given, str):
        return given, given
    if isinstance(given, list) and len(given) == 2:
        return str(given[0]), str(given[1])
    raise _bad_join(place, given, "on holds names, or [base column, lookup column]")


def _bad_join(place: int, value: Json, rule: str) -> OperationError:
    return OperationError(
        "bad_join", f"join {place}: {value!r}; rule: {rule}", field="joins", value=value, rule=rule
    )


def _check_columns(rules: Sequence[JoinRule], tables: Mapping[str, Source], base: str) -> None:
    # A source makes its schema on every call: once per table, not once per column.
    known = {field.name: field.type for field in tables[base].schema}
    problems: list[Problem] = []
    for rule in rules:
        source = tables[rule.table]
        types = {field.name: field.type for field in source.schema}
        problems += _key_problems(rule, source, known)
        keys = {right for _, right in rule.on}
        for name in rule.columns if rule.columns is not None else types:
            if name not in types:
                problems.append(_unknown(source, name, rule.table))
            elif name not in keys and rule.prefix + name in known:
                text = f"column {rule.prefix + name!r} is already there: give the join a prefix"
                problems.append(
                    Problem(
                        "duplicate_column",
                        source.name,
                        text,
                        row=1,
                        column=name,
                        rule="column names are unique",
                        value=rule.prefix + name,
                    )
                )
            elif name not in keys:
                known[rule.prefix + name] = types[name]
    refuse(problems)


def _key_problems(
    rule: JoinRule, source: Source, known: Mapping[str, pa.DataType]
) -> list[Problem]:
    problems = []
    for left, right in rule.on:
        if left not in known:
            problems.append(_unknown(source, left, "the base table"))
        elif right not in source.schema.names:
            problems.append(_unknown(source, right, rule.table))
        elif known[left] != source.schema.field(right).type:
            types = f"{known[left]} and {source.schema.field(right).type}"
            text = f"key {left!r} = {right!r} joins different types: {types}"
            problems.append(
                Problem(
                    "join_key_type",
                    source.name,
                    text,
                    column=right,
                    rule="keys have one type",
                    value=types,
                )
            )
    return problems


def _unknown(source: Source, column: str, where: str) -> Problem:
    text = f"join names column {column!r}, which {where} does not have"
    return Problem(
        "unknown_column", source.name, text, column=column, rule="names a column", value=column
    )
