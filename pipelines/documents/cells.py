"""Rows of tables: a check, an object of the facts, a number with its interval. Pure."""

from collections.abc import Mapping
from typing import Any

from pipelines.documents.pack import Judgement, check_evidence
from pipelines.documents.tree import Cell, Status
from pipelines.documents.wording import number, said


def check_row(check: Judgement) -> list[Cell]:
    """Return a check as a row; it links to the check in its gate or hand-off."""
    shown = number(check.value) if check.value is not None else ""
    if shown and check.low is not None and check.high is not None:
        shown += f" ({number(check.low)} to {number(check.high)})"
    limit = ""
    if check.threshold is not None:
        sign = {">=": "\u2265 ", "<=": "\u2264 "}.get(check.comparison, "")
        limit = f"{sign}{number(check.threshold)} {check.unit}".strip()
        limit += f" ({check.source})" if check.source else ""
    verdict = check.verdict if check.blocking else f"{check.verdict} (informs)"
    if check.waived_by:
        verdict += f", waived by {check.waived_by}: {check.waiver_reason}"
    status: Status = "missing" if check.verdict == "insufficient" else "computed"
    return [
        Cell(check.title, status=status, evidence=(check_evidence(check),)),
        Cell(verdict),
        Cell(shown, numeric=True),
        Cell(limit),
        Cell(check.summary),
    ]


def listed_row(row: Mapping[str, Any], columns: Mapping[str, str]) -> list[Cell]:
    """Return an object of the facts as a row; under "low" stands its interval."""
    cells = []
    for index, key in enumerate(columns):
        value = row.get(key)
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        text = span(row) if key == "low" else said(value)
        if index:
            cells.append(Cell(text, numeric=numeric and key != "low"))
        else:
            cells.append(Cell(text, status="computed"))
    return cells


def span(found: Mapping[str, Any]) -> str:
    """Write an interval; "" where there is none."""
    low, high = found.get("low"), found.get("high")
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return ""
    return f"{number(low)} to {number(high)}"


def number_cell(value: Any) -> Cell:
    """Return a number as a cell, or that it is undefined."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Cell("undefined", numeric=True)
    return Cell(number(value), numeric=True)
