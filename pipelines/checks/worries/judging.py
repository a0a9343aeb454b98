"""W23 to W26: the whole data set, single features, single predictions, and who stands by it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pipelines.checks.contract import Facts, Json, mapping, names, number, rows, text
from pipelines.checks.reading import listed
from pipelines.checks.worries.looking import (
    CLEAR,
    NOT_HERE,
    NOTE,
    TOO_FEW,
    WARN,
    Look,
    Looking,
    last,
    unseen,
)

LEAST_ERRORS = 50  # worst errors that are kept with what moved them (own)
GAP = 1e-6  # by which the parts of an explained score may miss it (own)
ALPHA = 0.05  # false discovery rate of harmful columns (conv)
ONE_COLUMN = 0.8  # of all importance on one column (own)


def whole(facts: Facts) -> Look:
    """W23: every metric has an interval, and the worse end of the asked one reaches its target."""
    found = last(facts, "metrics", "target_metric") or last(facts, "metrics", "threshold_method")
    if found is None:
        return _stability(facts)
    measured = mapping(found, "metrics")
    bare = [name for name in measured if number(mapping(measured, name), "low") is None]
    target = mapping(found, "target_metric")
    if target:
        return _target(target)
    if len(bare) == len(measured):
        return Look(WARN, f"no interval for {listed(bare)}", _named(bare, "has no interval"),
                    "Resample the rows to decide on: no figure speaks of chance alone")  # fmt: skip
    name = next(name for name in measured if name not in bare)
    row = mapping(measured, name)
    return Look(
        CLEAR, f"{name} {_interval(row)}; no target was asked for", value=number(row, "value")
    )


def _stability(facts: Facts) -> Look:
    held = last(facts, "stability", "silhouette") or last(facts, "stability", "chance")
    if held is None:
        return unseen("nothing was judged on unseen rows yet")
    row = mapping(held, "stability")
    value, low = number(row, "value") or number(row, "mean"), number(row, "low")
    if value is None:
        return Look(WARN, "stability has no figure", (), "Resample the rows and group them again")
    told = f"segments come again with {value:.2f}"
    return Look(CLEAR, told + (f" (from {low:.2f})" if low is not None else ""), value=value)


def _target(target: Mapping[str, Json]) -> Look:
    name, wanted = text(target, "metric"), number(target, "wanted")
    higher, met = target.get("higher_is_better") is True, target.get("met") is True
    worse = number(target, "low" if higher else "high")
    if worse is None or wanted is None:
        return Look(TOO_FEW, f"{name} has no interval to hold against its target")
    told = f"{name} {_interval(target)}, asked for {wanted:g}"
    return Look(
        CLEAR if met else WARN, told if met else f"{told}: its worse end misses it",
        () if met else ({"columns": [], "severity": WARN, "message": told},),
        "" if met else "Bring more rows or better features, or ask whether less would do",
        worse, wanted, ">=" if higher else "<=", name,
    )  # fmt: skip


def _interval(row: Mapping[str, Json]) -> str:
    value, low, high = (number(row, key) for key in ("value", "low", "high"))
    told = f"{value:.4g}" if value is not None else "unknown"
    return told + (f" ({low:.4g} to {high:.4g})" if low is not None and high is not None else "")


def _named(found: Sequence[str], what: str) -> tuple[dict[str, Json], ...]:
    return tuple({"columns": [], "severity": WARN, "message": f"{name} {what}"} for name in found)


def by_feature(facts: Facts) -> Look:
    """W24: columns that harm, after correction for their number; slices that are surely worse."""
    explained, sliced = last(facts, "importance"), last(facts, "slices", "looked_at")
    if explained is None:
        segments = last(facts, "segments", "segment_names")
        if segments is not None:
            return Look(
                CLEAR, f"{len(rows(segments, 'segments'))} segments described column by column"
            )
        return unseen("no importance was computed yet")
    found: list[dict[str, Json]] = [
        {"columns": [name], "severity": WARN,
         "message": f"{name!r} harms: shuffled, the score is surely better"}
        for name in harmful(rows(explained, "importance"))
    ]  # fmt: skip
    worse = [row for row in rows(sliced, "slices") if row.get("verdict") == "worse"]
    found += [
        {"columns": [text(row, "column")], "severity": WARN, "rows": row.get("rows"),
         "message": f"{text(row, 'slice')} is surely worse than all rows"}
        for row in worse
    ]  # fmt: skip
    share, top = number(explained, "top_share"), text(explained, "top_column")
    if share is not None and share > ONE_COLUMN:
        found.append({"columns": [top], "severity": NOTE,
                      "message": f"{share:.0%} of all importance rests on {top!r}"})  # fmt: skip
    idle = names(explained, "without_benefit")
    if idle:
        found.append({"columns": list[Json](idle), "severity": NOTE,
                      "message": f"no use could be shown of {listed(idle)}"})  # fmt: skip
    if not found:
        return Look(CLEAR, f"{_count(explained)} columns weighed, none idle; {_slices(sliced)}")
    level = WARN if any(row["severity"] == WARN for row in found) else NOTE
    return Look(level, listed([text(row, "message") for row in found], 3), tuple(found),
                "Drop what harms, and say for which slices not to use it" if level == WARN
                else "Drop idle columns and compare",
                float(len(found)), 0.0, "<=", "findings")  # fmt: skip


def _count(explained: Mapping[str, Json]) -> int:
    return int(number(explained, "columns") or len(rows(explained, "importance")))


def _slices(sliced: Mapping[str, Json] | None) -> str:
    if sliced is None:
        return "slices were not looked at"
    return f"{number(sliced, 'looked_at') or 0:.0f} slices looked at, none surely worse"


def harmful(found: Sequence[Mapping[str, Json]]) -> list[str]:
    """Columns whose importance lies below 0 by a one-sided test, Benjamini-Hochberg over all.

    The 95 % interval of each is read as value ± 1.96 SE: one in forty columns of no use lies
    below 0 entirely, so of forty columns one would be called harmful by chance.
    """
    tested = []
    for row in found:
        value, low, high = (number(row, key) for key in ("value", "low", "high"))
        if value is None or low is None or high is None or high <= low:
            continue
        error = (high - low) / 3.92
        tested.append((0.5 * math.erfc(-value / error / math.sqrt(2)), text(row, "column")))
    tested.sort()
    cut = 0
    for place, (p_value, _) in enumerate(tested, start=1):
        if p_value <= ALPHA * place / len(tested):
            cut = place
    return [name for _, name in tested[:cut]]


def by_prediction(facts: Facts) -> Look:
    """W25: the worst errors are kept, each with what every column added to its score."""
    found = last(facts, "errors_explained", "explained")
    if found is None:
        return _unexplained(facts)
    count, gap = number(found, "errors_explained") or 0.0, number(found, "largest_gap") or 0.0
    least = min(float(LEAST_ERRORS), number(found, "rows") or LEAST_ERRORS)
    wrong = [row for row in rows(found, "examples") if text(row, "why").startswith("worst error")]
    shown = tuple(_error(row) for row in wrong[:10])
    if count < least or gap > GAP:
        why = f"the parts miss the score by {gap:.2g}" if gap > GAP else f"asked for {least:.0f}"
        return Look(WARN, f"{count:.0f} of the worst errors are explained: {why}", shown,
                    "Explain more of the worst errors", count, least, ">=", "errors")  # fmt: skip
    return Look(CLEAR, f"the {count:.0f} worst errors are kept, each with what moved it", shown, "",
                count, least, ">=", "errors")  # fmt: skip


def _error(row: Mapping[str, Json]) -> dict[str, Json]:
    moved = [text(part, "column") for part in rows(row, "added")[:3]]
    key = ", ".join(str(value) for value in mapping(row, "key").values())
    return {
        "columns": list[Json](moved), "severity": NOTE,
        "message": f"row {key or row.get('row')}: score {row.get('score')}, was {row.get('label')}",
        "examples": [{"row": row.get("row"), "key": key}],
    }  # fmt: skip


def _unexplained(facts: Facts) -> Look:
    kept, cases = number(last(facts, "worst_errors", "importance"), "worst_errors"), None
    if kept is None:
        cases = last(facts, "cases", "case_names")
    if cases is not None:
        strange = rows(cases, "cases")
        if not strange:
            return Look(WARN, "no case is kept", (), "Keep the strangest rows for the reviewers")
        return Look(CLEAR, f"the {len(strange)} strangest rows are kept, each with what is far out",
                    value=float(len(strange)))  # fmt: skip
    if last(facts, "segments", "segment_names") is not None:
        return Look(NOT_HERE, "a segment is no answer that could turn out wrong")
    if kept is None:
        return unseen("no single row was looked at yet")
    if not kept:
        return Look(WARN, "no error is kept", (), "Keep the worst errors when explaining", 0.0,
                    float(LEAST_ERRORS), ">=", "errors")  # fmt: skip
    return Look(NOTE, f"the {kept:.0f} worst errors are kept; what each column added is not "
                "computed for this kind of model",
                ({"columns": [], "severity": NOTE, "rows": int(kept), "message": "not explained"},),
                "Read the worst errors one by one", kept, float(LEAST_ERRORS), ">=",
                "errors")  # fmt: skip


def understood(facts: Facts) -> Look:
    """W26: cannot be computed. Who made it states it; who answers for its use approves it."""
    said = [
        (place.removeprefix("item."), data.get("understood"))
        for place, data in facts.items()
        if place.startswith("item.") and isinstance(data.get("understood"), bool)
    ]
    if not said:
        return unseen("nobody has stated it yet")
    where, answer = said[-1]
    if answer is not True:
        return Look(WARN, f"stated in {where}: not understood well enough to stand by it",
                    ({"columns": [], "severity": WARN, "message": "the statement says no"},),
                    "Go on looking at worst errors and slices; do not deploy before")  # fmt: skip
    approved = last(facts, "understood_approved")
    if approved is None or approved.get("understood_approved") is True:
        by = f", approved by {text(approved, 'by')}" if approved else ""
        return Look(CLEAR, f"stated in {where}{by}")
    return Look(NOTE, f"stated in {where}; no business analyst has approved it yet",
                ({"columns": [], "severity": NOTE, "message": "one of two voices"},),
                "The business analyst reads limits and errors, and decides the gate")  # fmt: skip


LOOKS: Mapping[str, Looking] = {
    "W23": whole, "W24": by_feature, "W25": by_prediction, "W26": understood,
}  # fmt: skip
