"""What the card says of several classes: how one is answered, and how well each is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pipelines.operations.contract import Json


class Sourced(Protocol):
    """What the card is computed from."""

    @property
    def manifest(self) -> Mapping[str, Json]:
        """The package's manifest."""
        ...

    def facts(self) -> Mapping[str, Json]:
        """The facts of the evaluation."""
        ...


def decision(sources: Sourced) -> str:
    """The rule, when it answers nothing, a table of classes, and the commonest confusions."""
    facts, manifest = sources.facts(), sources.manifest
    decided = facts.get("decision")
    given = isinstance(decided, dict) and decided.get("costs_given") is True
    rule = (
        "Answers the class whose errors cost least, by the matrix of the brief."
        if given
        else "Answers the likeliest class: no costs of errors were given."
    )
    lines = [
        rule,
        *_left(manifest),
        "",
        "| class | rows | recall | precision |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row['class']} | {row['rows']} | {_bounds(row.get('recall'))} |"
        f" {_bounds(row.get('precision'))} |"
        for row in _rows(facts.get("per_class"))
    ]
    matrix = facts.get("confusion_matrix")
    common = _rows(matrix.get("commonest")) if isinstance(matrix, dict) else []
    if common:
        lines += ["", "Most often taken for another:"]
        lines += [
            f"- {row['true']} answered as {row['answered']}: {row['rows']} rows" for row in common
        ]
    return "\n".join(lines)


def counts(facts: Mapping[str, Json]) -> str:
    """Rows by class, as a sentence that follows the number of all; "" for other tasks."""
    rows = _rows(facts.get("per_class"))
    if not rows:
        return ""
    return " By class: " + ", ".join(f"{row['class']} {row['rows']}" for row in rows) + "."


def _left(manifest: Mapping[str, Json]) -> list[str]:
    rule = manifest.get("abstain")
    return ["Rows that it would too often get wrong are left to people, with the reason."] * bool(
        rule
    )


def _rows(value: Json) -> list[dict[str, Json]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _bounds(value: Json) -> str:
    if not isinstance(value, dict) or not isinstance(value.get("value"), int | float):
        return "undefined"
    shown = [
        f"{float(str(value[name])):.3f}" if isinstance(value.get(name), int | float) else "?"
        for name in ("value", "low", "high")
    ]
    return f"{shown[0]} ({shown[1]} to {shown[2]})"
