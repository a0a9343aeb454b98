"""What is wrong with a file: rows of file, row, column, rule and value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipelines.operations.contract import Json, OperationError

Severity = Literal["error", "warn", "note"]
MAX_EXAMPLES = 5


@dataclass(frozen=True)
class Problem:
    """One problem; CSV rows count the header as row 1, Parquet rows start at 1."""

    code: str
    file: str
    message: str
    row: int | None = None
    column: str | None = None
    rule: str = ""
    value: Json = None
    severity: Severity = "error"

    def as_json(self) -> dict[str, Json]:
        """The problem as plain data."""
        return {
            "code": self.code,
            "file": self.file,
            "row": self.row,
            "column": self.column,
            "rule": self.rule,
            "value": self.value,
            "message": self.message,
            "severity": self.severity,
        }


def refuse(problems: Iterable[Problem]) -> None:
    """Raise one OperationError with every blocking problem in its details."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if not errors:
        return
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    raise OperationError(
        first.code,
        f"{first.file}: {first.message}{more}",
        field=first.column,
        value=first.value,
        rule=first.rule,
        details=[problem.as_json() for problem in errors],
    )


def listed(values: Sequence[object]) -> str:
    """A few values for a message, with how many were left out."""
    head = ", ".join(str(value) for value in values[:MAX_EXAMPLES])
    return head if len(values) <= MAX_EXAMPLES else f"{head} and {len(values) - MAX_EXAMPLES} more"
