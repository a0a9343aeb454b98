"""W1 to W8: what the detectors found in the data, the leakage scan and the serving path."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pipelines.checks.contract import Facts, Json, mapping, names, number, rows, text
from pipelines.checks.worries.looking import (
    BLOCKER,
    CLEAR,
    NOTE,
    TOO_FEW,
    WARN,
    Look,
    Looking,
    last,
    unseen,
    worst,
)

SURE = 3.0  # standard errors by which rows shared with training exceed chance (own)
SEVERITY = {"blocker": 0, "warn": 1, "note": 2}


def found_in_data(worry: str) -> Looking:
    """What the step that looks for worries says of one."""

    def look(facts: Facts) -> Look:
        looked = last(facts, "worries", "findings")
        level = text(mapping(looked, "worries"), worry)
        if looked is None or not level:
            return unseen("the data have not been looked at yet")
        found = [row for row in rows(looked, "findings") if row.get("worry") == worry]
        if not found:
            reason = text(mapping(looked, "reasons"), worry)
            judged = f"nothing found in {number(looked, 'rows') or 0:,.0f} rows"
            return Look(level, reason or judged)
        first = min(found, key=lambda row: SEVERITY.get(str(row.get("severity")), 3))
        return Look(
            level,
            "; ".join(text(row, "message") for row in found[:3])
            + (f"; and {len(found) - 3} more" if len(found) > 3 else ""),
            tuple(found),
            text(first, "advice"),
            number(first, "value"),
            number(first, "threshold"),
        )

    return look


def leakage(facts: Facts) -> Look:
    """W6: the leakage scan, which looks closer; without one, the worries' own look."""
    scan = last(facts, "suspects", "open")
    if scan is None:
        return found_in_data("W6")(facts)
    open_ones = names(scan, "open")
    suspects: list[dict[str, Json]] = [
        {**row, "columns": [str(row.get("column"))], "severity": "blocker"
         if row.get("column") in open_ones else "note"}
        for row in rows(scan, "suspects")
    ]  # fmt: skip
    later = [_later(row, open_ones) for row in rows(scan, "future_times")]
    shared, more = _shared(scan), _unscanned(facts, scan, suspects)
    level = BLOCKER if open_ones else NOTE if suspects or later else CLEAR
    told = [
        f"{', '.join(open_ones)}: alone nearly the target, or later than the prediction"
    ] * bool(open_ones)
    answered = [text(row, "column") for row in (*suspects, *later) if row["severity"] == NOTE]
    told += [f"answered, as excluded or known afterwards: {', '.join(answered)}"] * bool(answered)
    findings: tuple[dict[str, Json], ...] = (*suspects, *later, *more)
    level = worst(level, *(text(row, "severity") for row in more))
    told += [text(row, "message") for row in more[:3]]
    if shared is not None:
        findings, level = (*findings, shared), worst(level, text(shared, "severity"))
        told.append(text(shared, "message"))
    if (
        not findings
        and text(mapping(last(facts, "worries", "reasons"), "worries"), "W6") == TOO_FEW
    ):
        return found_in_data("W6")(facts)
    highest = mapping(scan, "highest_open")
    return Look(
        level,
        "; ".join(told) or "no column alone tells the target, no time is later, no row is shared",
        findings,
        _answer(open_ones, level),
        number(highest, "score"),
        number(scan, "threshold"),
        "<=",
        text(scan, "measure"),
    )


def _unscanned(
    facts: Facts, scan: Mapping[str, Json], suspects: list[dict[str, Json]]
) -> list[dict[str, Json]]:
    """What the worries' look found beyond the scan, which asks of the rarest class alone.

    Below the scan's own threshold it is a note: in a series the season alone tells nearly all.
    """
    named = {row.get("column") for row in suspects}
    limit = number(scan, "threshold") or 0.95
    found = rows(last(facts, "worries", "findings"), "findings")
    return [
        {**row, "severity": BLOCKER if (number(row, "value") or 0.0) > limit else NOTE}
        for row in found
        if row.get("worry") == "W6" and not named & set(names(row, "columns"))
    ]


def _answer(open_ones: list[str], level: str) -> str:
    if open_ones:
        return "Declare them as known afterwards in the data contract, or exclude them"
    return "Find out how rows come to be in both parts; split by what they share" * (level == WARN)


def _later(row: Mapping[str, Json], open_ones: list[str]) -> dict[str, Json]:
    column, count = str(row.get("column")), int(number(row, "rows") or 0)
    return {
        **row,
        "columns": [column],
        "severity": "blocker" if column in open_ones else "note",
        "message": f"{column!r} is later than the prediction in {count:,} rows",
        "examples": [{"row": row.get("row"), "value": row.get("value")}],
    }


def _shared(scan: Mapping[str, Json]) -> dict[str, Json] | None:
    """Rows of the holdout that training has too: more than training repeats itself, or chance."""
    shared, held = number(scan, "overlap_rows"), number(scan, "holdout_rows")
    if not shared:
        return None
    repeated, trained = number(scan, "repeated_rows"), number(scan, "rows")
    chance = None
    if held and trained and repeated is not None:
        usual = repeated / trained
        spread = math.sqrt(max(usual * (1 - usual), 1 / trained) * (1 / held + 1 / trained))
        chance = usual > 0 and shared / held <= usual + SURE * spread
    said = ", as often as rows repeat within training" if chance else ""
    return {
        "columns": [],
        "severity": NOTE if chance else WARN,
        "message": f"{int(shared):,} rows to decide on are in training too{said}",
        "rows": int(shared),
        "examples": [{"row": row} for row in _list(scan.get("overlap_first"))],
    }


def definitions(facts: Facts) -> Look:
    """W7: contract and copies; the digest of the features everywhere; rows sent along serving."""
    look = found_in_data("W7")(facts)
    digests: dict[str, list[str]] = {}
    for place, said in facts.items():
        found = text(said, "features_digest") or (
            text(said, "digest") if "unmapped" in said else ""
        )
        if found and not place.startswith("item."):
            digests.setdefault(found, []).append(place)
    served = last(facts, "skew_rows", "rows")
    skewed, sent = number(served, "skew_rows") or 0.0, number(served, "rows") or 0.0
    extra: list[dict[str, Json]] = []
    if len(digests) > 1:
        places = "; ".join(f"{key[:12]} in {', '.join(where)}" for key, where in digests.items())
        extra.append(
            {
                "columns": [],
                "severity": BLOCKER,
                "message": f"the features are defined in {len(digests)} ways: {places}",
            }
        )
    if skewed:
        extra.append(
            {
                "columns": [],
                "severity": BLOCKER,
                "rows": int(skewed),
                "message": f"{skewed:,.0f} of {sent:,.0f} rows score differently when served",
            }
        )
    if not extra:
        more = f"; {sent:,.0f} rows score the same when served" * bool(served)
        return Look(
            look.level, look.text + more, look.findings, look.advice, look.value, look.threshold
        )
    told = "; ".join(
        [*(text(row, "message") for row in extra), *([look.text] if look.findings else [])]
    )
    return Look(BLOCKER, told, (*extra, *look.findings),
                "Compute features in one place, and build the package again from it",
                float(len(extra)), 0.0, "<=", "mismatches")  # fmt: skip


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


LOOKS: Mapping[str, Looking] = {
    **{f"W{n}": found_in_data(f"W{n}") for n in (1, 2, 3, 4, 5, 8)},
    "W6": leakage,
    "W7": definitions,
}
