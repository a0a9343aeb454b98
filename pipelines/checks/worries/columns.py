"""W9 to W14: how each kind of column becomes numbers, as the feature definition says."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.checks.contract import Facts, Json, names, number, rows, text
from pipelines.checks.reading import listed
from pipelines.checks.worries.looking import (
    CLEAR,
    NOT_HERE,
    NOTE,
    WARN,
    Look,
    Looking,
    last,
    unseen,
)

# Roles of mapped columns, and the mark of unmapped ones, that belong to a worry.
ROLES: Mapping[str, tuple[str, ...]] = {
    "W9": ("number", "flag"),
    "W10": ("category", "many_categories"),
    "W11": ("text",),
    "W12": ("date",),
    "W13": ("list",),
    "W14": ("nested",),
}
UNMAPPED: Mapping[str, tuple[str, ...]] = {
    "W9": ("W9",), "W10": ("W10",), "W11": ("W11", "W4"), "W12": ("W12",),
    "W13": ("W13",), "W14": ("W14",),
}  # fmt: skip
KINDS: Mapping[str, str] = {
    "W9": "numbers", "W10": "classes", "W11": "strings", "W12": "dates", "W13": "lists",
    "W14": "nested fields",
}  # fmt: skip
ADVICE: Mapping[str, str] = {
    "W9": "Say how they are scaled and what a gap becomes, or exclude them by name",
    "W10": "Say how they are encoded and what a class never seen becomes",
    "W11": "Name them as texts, derive what they stand for, or exclude them",
    "W12": "Take apart what matters of them (month, weekday, hour, age), or exclude them",
    "W13": "Unpack them: count, first, whether it holds X; or exclude them",
    "W14": "Unpack their fields into columns of their own, or exclude them",
}


def mapped(worry: str) -> Looking:
    """Every column of the kind has an explicit transformer, and a policy for the unknown."""

    def look(facts: Facts) -> Look:
        built = last(facts, "columns_used", "unmapped")
        if built is None:
            return unseen("no feature definition was built")
        own = [row for row in rows(built, "columns") if row.get("role") in ROLES[worry]]
        bare = [row for row in own if not row.get("transformer")]
        open_ends = [row for row in own if row.get("unknown") == ""]
        left = [row for row in rows(built, "unmapped") if row.get("worry") in UNMAPPED[worry]]
        if bare or left or open_ends:
            return _open(worry, [*bare, *left], open_ends, total=len(own) + len(left))
        return _closed(worry, own, built)

    return look


def _open(
    worry: str, bare: list[dict[str, Json]], open_ends: list[dict[str, Json]], *, total: int
) -> Look:
    findings: list[dict[str, Json]] = [
        {"columns": [text(row, "column")], "severity": WARN,
         "message": f"{text(row, 'column')!r} {text(row, 'problem', 'has no transformer')}"}
        for row in bare
    ]  # fmt: skip
    findings += [
        {"columns": [text(row, "column")], "severity": WARN,
         "message": f"{text(row, 'column')!r} has no policy for values never seen"}
        for row in open_ends
    ]  # fmt: skip
    told = [text(row, "message") for row in findings]
    return Look(
        WARN, listed(told, 3), tuple(findings), ADVICE[worry],
        float(len(findings)), 0.0, "<=", f"of {total} columns of {KINDS[worry]}",
    )  # fmt: skip


def _closed(worry: str, own: list[dict[str, Json]], built: Mapping[str, Json]) -> Look:
    if not own:
        used = int(number(built, "columns_used") or 0)
        return Look(NOT_HERE, f"none of the {used} columns used holds {KINDS[worry]}")
    named = [text(row, "column") for row in own]
    how = ", ".join(sorted({text(row, "transformer") for row in own}))
    many = [name for name in names(built, "many_categories") if name in named]
    if many:
        rows_of: list[dict[str, Json]] = [
            {"columns": [name], "severity": NOTE,
             "message": f"{name!r} has so many classes that the target's mean stands for each"}
            for name in many
        ]  # fmt: skip
        return Look(NOTE, listed([text(row, "message") for row in rows_of], 3), tuple(rows_of),
                    "Group the rare ones, or derive what the class stands for")  # fmt: skip
    return Look(CLEAR, f"{len(own)} columns: {how}", value=0.0, threshold=0.0, comparison="<=")


LOOKS: Mapping[str, Looking] = {worry: mapped(worry) for worry in ROLES}
