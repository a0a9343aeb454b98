"""Tables of several classes: each class apart, and what was answered for what was true."""

from collections.abc import Mapping
from typing import Any

from pipelines.documents.cells import number_cell, span
from pipelines.documents.tree import Block, Cell, table
from pipelines.documents.writer import Writer

SCORES = (("recall", "Recall"), ("precision", "Precision"), ("f1", "F1"))


def class_tables(writer: Writer) -> list[Block]:
    """Both tables with their evidence; none where the question has not several classes."""
    judged = writer.evaluated()
    rows = judged.get("per_class") if judged else None
    evidence = writer.evidence()
    if not isinstance(rows, list):
        return []
    head = ["Class", "Rows", "Answered"]
    for _, title in SCORES:
        head += [title, "95 %"]
    made = [_row(row) for row in rows if isinstance(row, Mapping)]
    blocks: list[Block] = [table(head, made, title="Class by class", evidence=evidence)]
    matrix = writer.evaluated().get("confusion_matrix")
    return blocks + (_matrix(writer, matrix) if isinstance(matrix, Mapping) else [])


def _row(row: Mapping[str, Any]) -> list[Cell]:
    cells = [
        Cell(str(row.get("class")), status="computed"),
        number_cell(row.get("rows")),
        number_cell(row.get("answered")),
    ]
    for name, _ in SCORES:
        found = row.get(name)
        known = found if isinstance(found, Mapping) else {}
        cells += [number_cell(known.get("value")), Cell(span(known))]
    return cells


def _matrix(writer: Writer, matrix: Mapping[str, Any]) -> list[Block]:
    names, counts = matrix.get("classes") or [], matrix.get("counts") or []
    made = [
        [Cell(str(name), status="computed"), *(number_cell(cell) for cell in row)]
        for name, row in zip(names, counts, strict=False)
    ]
    head = ("True class, answered as", *map(str, names))
    return [table(head, made, title="Confusion matrix, in rows", evidence=writer.evidence())]
