"""The 26 worries as checks: `worry` judges one, `worries` some of them in one row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipelines.checks.contract import CheckResult, Facts, Json, Params, insufficient, names, text
from pipelines.checks.contract import shown as first_rows
from pipelines.checks.worries import columns, data, ensembles, judging, searching
from pipelines.checks.worries.catalogue import BY_ID
from pipelines.checks.worries.looking import LEVELS, NOT_HERE, UNSEEN, WARN, Look, Looking
from pipelines.checks.worries.meaning import what_to_do

LOOKS: Final[Mapping[str, Looking]] = {
    **data.LOOKS, **columns.LOOKS, **searching.LOOKS, **ensembles.LOOKS, **judging.LOOKS,
}  # fmt: skip


def look(worry: str, facts: Facts) -> Look:
    """What is known of a worry; raises KeyError for one that is none of the 26."""
    return LOOKS[worry](facts)


def worry(facts: Facts, params: Params) -> CheckResult:
    """One worry, `params["id"]`: columns and rows, severity and what to do in its details."""
    key = text(params, "id")
    if key not in LOOKS:
        return insufficient(f"id names no worry: {key!r}", advice="W1 to W26")
    found = look(key, facts)
    return CheckResult(
        found.verdict,
        f"{BY_ID[key].title}: {found.text}",
        value=found.value,
        threshold=found.threshold,
        comparison=found.comparison,
        unit=found.unit,
        threshold_class=BY_ID[key].threshold_class,
        details=first_rows(_row(key, finding) for finding in found.findings),
        advice=advice(key, found),
    )


def advice(worry: str, found: Look) -> str:
    """What to do: the finding's own, else the worry's; nothing where nothing is wrong."""
    return found.advice or (what_to_do(worry) if found.verdict == "fail" else "")


def _row(key: str, finding: Mapping[str, Json]) -> dict[str, Json]:
    listed = finding.get("columns")
    row: dict[str, Json] = {
        "worry": key,
        "severity": finding.get("severity"),
        "columns": ", ".join(map(str, listed)) if isinstance(listed, list) else "",
        "rows": finding.get("rows"),
        "found": finding.get("message") or finding.get("problem") or "",
        "examples": _examples(finding),
    }
    return row


def _examples(finding: Mapping[str, Json]) -> str:
    given = finding.get("examples")
    told = []
    for row in given if isinstance(given, list) else []:
        if isinstance(row, dict):
            parts = [f"row {row['row']}"] if row.get("row") is not None else []
            parts += [str(row["key"])] if row.get("key") not in (None, "") else []
            parts += [f"= {row['value']}"] if row.get("value") is not None else []
            told.append(" ".join(parts))
    return "; ".join(told[:5])


def worries(facts: Facts, params: Params) -> CheckResult:
    """The worries of `params["of"]`, one line each, the worst first; red where one is."""
    asked = [key for key in names(params, "of") or list(LOOKS) if key in LOOKS]
    found = sorted(
        ((key, look(key, facts)) for key in asked), key=lambda pair: LEVELS.index(pair[1].level)
    )
    red = [(key, one) for key, one in found if one.verdict == "fail"]
    seen = [one for _, one in found if one.level not in (UNSEEN, NOT_HERE)]
    if not seen and not red and any(one.level == UNSEEN for _, one in found):
        return insufficient("none of these worries has been looked at yet")
    told = "; ".join(f"{BY_ID[key].title}: {one.text}" for key, one in red[:3])
    return CheckResult(
        "fail" if red else "pass",
        told + (f"; and {len(red) - 3} more" if len(red) > 3 else "")
        or f"{len(asked)} worries looked at, none warns",
        value=float(len(red)),
        threshold=0.0,
        comparison="<=",
        unit="worries",
        details=first_rows(_line(key, one) for key, one in found),
        advice=advice(*red[0]) if red else "",
    )


def _line(key: str, one: Look) -> dict[str, Json]:
    return {
        "worry": f"{key} {BY_ID[key].title}",
        "severity": one.level,
        "columns": ", ".join(one.columns[:8]),
        "rows": one.rows,
        "found": one.text[:300],
        "examples": "; ".join(filter(None, map(_examples, one.findings[:2]))),
        "do": advice(key, one),
    }


__all__ = ["LOOKS", "WARN", "advice", "look", "worries", "worry"]
