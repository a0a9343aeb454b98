"""Look at an uploaded file: columns, problems, and what it could be used for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipelines.operations.contract import Json
from pipelines.operations.ingest.problems import Problem
from pipelines.operations.ingest.sources import ReadOptions, Source, file_facts, survey
from pipelines.operations.prose import is_prose, mean_words
from pipelines.operations.writers import looks_like_source

CLASSES = 20  # most distinct values of a target that is taken for classes (own)
CATEGORIES = 255  # limit of scikit-learn's histogram boosting (tool)
TARGET_NAMES = re.compile(
    r"(?i)^(target|label|y|class|outcome|churn(ed)?|default(ed)?|fraud|late|delayed|response|"
    r"survived|attrition|exited|converted|is_.+|has_.+)$"
)
KEY_NAMES = re.compile(r"(?i)(^|_)(id|key|uuid|number|no|nr)$|^(id|key|uuid)(_|$)")
TEXT_LENGTH = 40  # mean length from which a text column is prose and no category (own)


@dataclass(frozen=True)
class ColumnView:
    """One column: type (int, float, bool, time, text), missing, distinct, examples.

    `words` is how many words its texts have on average.
    """

    name: str
    type: str
    rows: int
    nulls: int
    distinct: int
    distinct_exact: bool
    examples: tuple[str, ...]
    words: float = 0.0

    @property
    def prose(self) -> bool:
        """Whether it holds texts to be read word by word."""
        return is_prose(kind=self.type, mean=self.words, distinct=self.distinct, filled=self.filled)

    @property
    def filled(self) -> int:
        """Cells that are not missing."""
        return self.rows - self.nulls

    def as_json(self) -> dict[str, Json]:
        """The column as plain data."""
        return {
            "name": self.name,
            "type": self.type,
            "nulls": self.nulls,
            "null_share": round(self.nulls / self.rows, 6) if self.rows else None,
            "distinct": self.distinct,
            "distinct_exact": self.distinct_exact,
            "examples": list(self.examples),
            "task": task_of(self) or None,
        }


@dataclass(frozen=True)
class Inspection:
    """What an upload holds, what is wrong with it, and what could be done with it."""

    rows: int
    columns: tuple[ColumnView, ...]
    problems: tuple[Problem, ...]
    file: Mapping[str, Json]

    @property
    def usable(self) -> bool:
        """Whether nothing blocks its use."""
        return not any(problem.severity == "error" for problem in self.problems)

    def as_json(self) -> dict[str, Json]:
        """The inspection as plain data."""
        return {
            "usable": self.usable,
            "rows": self.rows,
            "file": dict(self.file),
            "columns": [column.as_json() for column in self.columns],
            "problems": [problem.as_json() for problem in self.problems],
            **suggestions(self.columns),
        }


def inspect(path: Path, name: str, options: ReadOptions | None = None) -> Inspection:
    """Look at a whole CSV or Parquet file; never raises on a bad one."""
    source = survey(path, name, options or ReadOptions())
    columns = _columns(source)
    return Inspection(
        rows=source.rows,
        columns=columns,
        problems=(*source.problems, *column_problems(columns, name)),
        file=file_facts(source),
    )


def _columns(source: Source) -> tuple[ColumnView, ...]:
    views = []
    scans = {
        scan.name: (scan, sketch)
        for scan, sketch in zip(source.scans, source.sketches, strict=True)
    }
    for item in source.schema:
        scan, sketch = scans[item.name]
        views.append(
            ColumnView(
                name=item.name,
                type=_type_name(item.type),
                rows=scan.rows,
                nulls=scan.nulls,
                distinct=min(sketch.distinct, scan.known),
                distinct_exact=sketch.exact,
                examples=tuple(str(value)[:80] for value in sketch.examples),
                words=mean_words(sketch.texts),
            )
        )
    return tuple(views)


def column_problems(columns: Sequence[ColumnView], name: str) -> list[Problem]:
    """Columns that will need care: too many categories, or one value only."""
    problems = []
    for column in columns:
        prose = sum(map(len, column.examples)) > TEXT_LENGTH * max(1, len(column.examples))
        prose = prose or column.prose
        if column.type == "text" and column.distinct > CATEGORIES and not prose:
            text = (
                f"column {column.name!r} has {column.distinct:,} categories; "
                f"histogram boosting takes {CATEGORIES}"
            )
            rule = f"<= {CATEGORIES} categories"
            problems.append(
                Problem(
                    "many_categories",
                    name,
                    text,
                    column=column.name,
                    rule=rule,
                    value=column.distinct,
                    severity="warn",
                )
            )
        elif column.distinct == 1 and column.filled:
            text = f"column {column.name!r} has one value only ({column.examples[0]!r})"
            problems.append(
                Problem(
                    "constant_column",
                    name,
                    text,
                    column=column.name,
                    rule=">= 2 values",
                    value=column.examples[0],
                    severity="warn",
                )
            )
    return problems


def _type_name(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_integer(kind):
        return "int"
    if pa.types.is_floating(kind):
        return "float"
    return "time" if pa.types.is_timestamp(kind) else "text"


def suggestions(columns: Sequence[ColumnView]) -> dict[str, Json]:
    """Best guesses for target, time and key columns, the task and the blueprint."""
    targets = target_candidates(columns)
    likely = [column for column in targets if _is_likely(column)]
    target = likely[0] if likely else None
    times = sorted(
        (column for column in columns if column.type == "time" and column.filled),
        key=lambda column: (column.nulls, -column.distinct),
    )
    task = task_of(target) if target else ""
    texts: list[Json] = [column.name for column in columns if column.prose]
    kind = "text" if texts and task == "classification" else "tabular"
    return {
        "suggested_target": target.name if target else None,
        "target_candidates": [column.name for column in targets[:10]],
        "suggested_time": times[0].name if times else None,
        "suggested_key": next((column.name for column in columns if _is_key(column)), None),
        "suggested_group": _group(columns, target),
        "suggested_texts": texts,
        "suggested_task": task or None,
        "suggested_blueprint": (f"{kind}-{task}" if task else None),
    }


def _group(columns: Sequence[ColumnView], target: ColumnView | None) -> str | None:
    """A column of authors, threads or the like that several rows share."""
    found = (
        column.name
        for column in columns
        if column is not target
        and column.type in ("text", "int")
        and looks_like_source(column.name, distinct=column.distinct, filled=column.filled)
    )
    return next(found, None)


def target_candidates(columns: Sequence[ColumnView]) -> list[ColumnView]:
    """Columns that could be a target, likeliest first: name, two values, few, numbers."""
    ranked = []
    for place, column in enumerate(columns):
        if column.distinct < 2 or column.type == "time" or _is_key(column):
            continue
        few = column.distinct <= CLASSES
        if not few and column.type == "text":
            continue
        named = bool(TARGET_NAMES.match(column.name))
        two = column.distinct == 2
        ranked.append(((not named, not two, not few, -place), column))
    return [column for _, column in sorted(ranked, key=lambda pair: pair[0])]


def _is_likely(column: ColumnView) -> bool:
    return column.distinct == 2 or bool(TARGET_NAMES.match(column.name))


def task_of(target: ColumnView) -> str:
    """classification or regression, from what the target holds; "" where it can be none."""
    if target.type == "time" or target.distinct < 2:
        return ""
    if target.type in ("text", "bool") or target.distinct <= 2:
        return "classification"
    return "classification" if target.type == "int" and target.distinct <= CLASSES else "regression"


def _is_key(column: ColumnView) -> bool:
    if column.nulls or column.type not in ("int", "text") or column.rows < 2:
        return False
    unique = column.distinct >= column.rows * (1 if column.distinct_exact else 0.9)
    return unique and bool(KEY_NAMES.search(column.name))
