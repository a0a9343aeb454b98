"""The profile of a table larger than memory: bounded memory, the same answer for the same seed.

Counts, missing values, minimum, maximum, mean, deviation, histogram, zeros and lengths
are exact. What would need every value at once is exact for columns with few distinct
values and else told as approximate:

- quantiles come from a sample of rows; their rank is off by at most
  sqrt(ln(2/0.05) / 2n) with 95 % confidence (Dvoretzky, Kiefer and Wolfowitz 1956 with
  Massart's constant, 1990): 0.2 percentage points for n = 500,000
- distinct values are counted among those whose hash falls into one of m parts, times m;
  m is chosen so that >= 4,096 are counted, which makes the relative standard error
  sqrt((m - 1) / distinct) <= 1.6 %
- the most frequent values are those of the sample, each with its exact count
- duplicate rows are counted like distinct values, among rows of one part
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import log, sqrt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.operations.contract import Context, Json, finite
from pipelines.operations.profile.counted import described, in_order
from pipelines.operations.profile.moments import THREADS, Wanted, moments
from pipelines.operations.streaming import Connection, engine, identifier, literal
from pipelines.operations.tables import plain

SAMPLE = 500_000  # rows for quantiles and frequent values (own; the error is told)
FEW = 20_000  # distinct values in the sample up to which all values are counted (own)
PART = 4_096  # distinct hashes at least counted for an estimate: <= 1.6 % (own)
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Column:
    """One column: its name, its kind before any look at values, and its SQL expression."""

    name: str
    kind: str
    cell: str


@dataclass(frozen=True)
class Streamed:
    """The profile's columns and what is known of the whole table."""

    columns: list[Json]
    duplicates: int
    memory: int
    sampled: int
    exact_duplicates: bool


def columns_of(schema: pa.Schema) -> list[Column]:
    """Every column with its kind; what is no number, bool or time counts as text."""
    return [Column(item.name, *_kind(item)) for item in schema]


def _kind(item: pa.Field) -> tuple[str, str]:
    name = identifier(item.name)
    if pa.types.is_boolean(item.type):
        return "bool", name
    if pa.types.is_integer(item.type):
        return "int", name
    if pa.types.is_floating(item.type):
        return "float", f"CASE WHEN isnan({name}) THEN NULL ELSE {name} END"
    if pa.types.is_timestamp(item.type):
        return "time", f"CAST({name} AS TIMESTAMP)"
    return "text", f"CAST({name} AS VARCHAR)"


def profile_stream(context: Context, path: Path) -> Streamed:
    """Describe every column of a Parquet table of any size."""
    with pq.ParquetFile(path) as file:
        rows, columns = file.metadata.num_rows, columns_of(file.schema_arrow)
    with engine(context.folder, memory_mib=context.spec.max_memory, reads=[path]) as connection:
        looking = Looking(context, connection, path, rows)
        return looking.all(columns)


class Looking:
    """One table under description."""

    def __init__(self, context: Context, connection: Connection, path: Path, rows: int) -> None:
        self.context = context
        self.connection = connection
        self.path = path
        self.rows = rows
        self.top = context.whole("top")
        self.bins = context.whole("bins")

    def all(self, columns: Sequence[Column]) -> Streamed:
        """Describe all columns: sample, count the ones with few values, stream the others."""
        self.connection.execute(
            f"CREATE TEMP VIEW source AS SELECT * FROM read_parquet({literal(str(self.path))})"
        )
        sampled = self._sample(columns)
        few, many = self._split(columns)
        found: dict[str, dict[str, Json]] = {}
        for at, column in enumerate(few):
            share = 0.2 + 0.4 * at / len(columns)
            self.context.progress(share, f"counting {column.name}", self.rows)
            found[column.name] = self._counted(column)
        found |= self._streamed(many)
        duplicates, exact = self._duplicates(columns)
        return Streamed(
            columns=[found[column.name] for column in columns],
            duplicates=duplicates,
            memory=sum(_width(column.kind, found[column.name]) for column in columns) * self.rows,
            sampled=sampled,
            exact_duplicates=exact,
        )

    def _sample(self, columns: Sequence[Column]) -> int:
        """Pick rows by a hash of their number and the seed; says how many."""
        self.context.progress(0.02, "picking a sample", self.rows)
        wanted = ", ".join(f"{column.cell} AS {identifier(column.name)}" for column in columns)
        limit = 2**64 * min(SAMPLE, self.rows) // self.rows
        self.connection.execute(
            f"CREATE TEMP TABLE picked AS SELECT {wanted} FROM "
            f"read_parquet({literal(str(self.path))}, file_row_number = true) "
            f"WHERE hash(file_row_number, {self.context.seed}) < {limit}::HUGEINT"
        )
        return self._whole("SELECT count(*) FROM picked")

    def _split(self, columns: Sequence[Column]) -> tuple[list[Column], list["Many"]]:
        """Columns with few distinct values in the sample, and the others with their number."""
        counts = ", ".join(f"count(DISTINCT {identifier(column.name)})" for column in columns)
        distinct = self.connection.execute(f"SELECT {counts} FROM picked").fetchone() or ()
        few, many = [], []
        for column, count in zip(columns, distinct, strict=True):
            if count <= FEW:
                few.append(column)
            else:
                many.append(Many(column, count))
        return few, many

    def _counted(self, column: Column) -> dict[str, Json]:
        """Every distinct value with its count: all that is told of the column is exact."""
        table = self.connection.execute(
            f"SELECT {column.cell} AS value, count(*) AS n FROM source GROUP BY ALL"
        ).to_arrow_table()
        values, counts, nulls = in_order(table)
        return described(
            column.name,
            column.kind,
            values=values,
            counts=counts,
            nulls=nulls,
            bins=self.bins,
            top=self.top,
        )

    def _streamed(self, many: Sequence["Many"]) -> dict[str, dict[str, Json]]:
        """Columns with many distinct values."""
        numeric = [item for item in many if item.column.kind != "text"]
        wanted = [
            Wanted(self.path, item.column.name, item.column.kind, self.bins) for item in numeric
        ]
        self.context.progress(0.65, f"streaming {len(wanted)} columns of numbers", self.rows)
        with ThreadPoolExecutor(THREADS) as pool:
            moved = list(pool.map(moments, wanted))
        found = {item.column.name: dict(told) for item, told in zip(numeric, moved, strict=True)}
        found |= self._texts([item.column for item in many if item.column.kind == "text"])
        for item in many:
            self.context.progress(0.8, f"estimating {item.column.name}", self.rows)
            found[item.column.name] |= self._estimates(item, found[item.column.name])
        return found

    def _texts(self, columns: Sequence[Column]) -> dict[str, dict[str, Json]]:
        if not columns:
            return {}
        parts = ", ".join(
            f"count({c.cell}), sum(length({c.cell}))::BIGINT, max(length({c.cell}))"
            for c in columns
        )
        row = self.connection.execute(f"SELECT {parts} FROM source").fetchone() or ()
        found: dict[str, dict[str, Json]] = {}
        for at, column in enumerate(columns):
            filled, total, longest = row[3 * at : 3 * at + 3]
            found[column.name] = {
                "name": column.name,
                "type": "text",
                "rows": self.rows,
                "nulls": self.rows - filled,
                "null_share": finite((self.rows - filled) / self.rows, 6),
                "lengths": {"mean": finite(total / filled, 2), "max": longest},
            }
        return found

    def _estimates(self, item: "Many", known: dict[str, Json]) -> dict[str, Json]:
        """Distinct and frequent values, and for numbers quantiles of the sample."""
        column = item.column
        parts = item.parts
        counted = self._whole(
            f"SELECT count(DISTINCT h) FROM (SELECT hash({column.cell}) AS h FROM source "
            f"WHERE {column.cell} IS NOT NULL) WHERE h % {parts} = 0"
        )
        filled = self.rows - int(str(known["nulls"]))
        found: dict[str, Json] = {
            "distinct": min(parts * counted, filled),
            "distinct_exact": parts == 1,
            "top": self._frequent(column),
            "top_exact": False,
        }
        if column.kind != "text":
            values, counts, _ = in_order(
                self.connection.execute(
                    f"SELECT {identifier(column.name)} AS value, count(*) AS n "
                    "FROM picked GROUP BY ALL"
                ).to_arrow_table()
            )
            sample = described(
                column.name, column.kind, values=values, counts=counts, nulls=0, bins=2, top=1
            )
            quantiles = dict(sample["quantiles"]) if isinstance(sample["quantiles"], dict) else {}
            quantiles |= {"0": known["minimum"], "1": known["maximum"]}
            found |= {"quantiles": quantiles, "quantiles_exact": False}
        return found

    def _frequent(self, column: Column) -> list[Json]:
        """Values that the sample holds most often, at least twice, with their exact counts."""
        name = identifier(column.name)
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE candidates AS SELECT value FROM "
            f"(SELECT {name} AS value, count(*) AS n FROM picked GROUP BY ALL) "
            "WHERE n > 1 AND value IS NOT NULL "
            f"ORDER BY n DESC, value::VARCHAR LIMIT {self.top}"
        )
        if not self._whole("SELECT count(*) FROM candidates"):
            return []
        table = self.connection.execute(
            f"SELECT {column.cell} AS value, count(*) AS n FROM source "
            f"WHERE {column.cell} IN (SELECT value FROM candidates) GROUP BY ALL"
        ).to_arrow_table()
        series, counts = table.column("value").to_pandas(), table.column("n").to_pylist()
        ordered = sorted(zip(series, counts, strict=True), key=lambda row: (-row[1], str(row[0])))
        return [
            {"value": plain(value), "count": count, "share": finite(count / self.rows, 6)}
            for value, count in ordered
        ]

    def _duplicates(self, columns: Sequence[Column]) -> tuple[int, bool]:
        """Rows that are there already: counted in one part of the rows by their hash."""
        self.context.progress(0.9, "looking for duplicate rows", self.rows)
        parts = _power_of_two(self.rows // SAMPLE)
        cells = ", ".join(column.cell for column in columns)
        row = self.connection.execute(
            f"SELECT count(*) - count(DISTINCT h) FROM (SELECT hash({cells}) AS h FROM source) "
            f"WHERE h % {parts} = 0"
        ).fetchone()
        return (row[0] if row else 0) * parts, parts == 1

    def _whole(self, query: str) -> int:
        row = self.connection.execute(query).fetchone()
        return int(row[0]) if row else 0


@dataclass(frozen=True)
class Many:
    """A column with many distinct values, and how many the sample holds."""

    column: Column
    distinct: int

    @property
    def parts(self) -> int:
        """Into how many parts hashes fall, so that at least PART distinct ones are counted."""
        return _power_of_two(self.distinct // PART)


def rank_error(sampled: int) -> float:
    """By how much the rank of a sampled quantile is off at most, with 95 % confidence."""
    return sqrt(log(2 / (1 - CONFIDENCE)) / (2 * sampled))


def _power_of_two(limit: int) -> int:
    """The largest power of two that is not above the limit; at least 1."""
    return 1 << max(0, limit.bit_length() - 1)


def _width(kind: str, told: dict[str, Json]) -> int:
    """Bytes of a cell in memory; bools with missing ones and texts are references."""
    return 1 if kind == "bool" and not told["nulls"] else np.dtype("float64").itemsize
