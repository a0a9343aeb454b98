"""Checks of intervals around numbers: held as promised, over all rows and for every group."""

from __future__ import annotations

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Json,
    Params,
    insufficient,
    limit,
    names,
    number,
    rows,
    shown,
    text,
)
from pipelines.checks.reading import bounds, facts_with

COVERAGE = "evaluate.coverage"
FEW_BLOCKS = "rows come in too few groups or days (fewer than 5) to tell what chance allows"
CERTAIN = 0.05  # p-value after Benjamini-Hochberg from which a distance is no chance (conv)


def intervals_cover(facts: Facts, params: Params) -> CheckResult:
    """Intervals hold as many outcomes as promised, as far as chance allows (catalogue 6.2).

    Chance is that of rows drawn by day or group, of both the rows that set the interval and those
    that count it. Too many counts only strictly inside: ties at an end cannot be left out.
    """
    found = facts_with(facts, params, COVERAGE, "methods")
    value, low, high = bounds(found, "coverage")
    promised = number(found, "confidence")
    least, most = number(found, "allowed_low"), number(found, "allowed_high")
    if found is None or value is None or promised is None:
        return insufficient(
            "no interval around predictions was set",
            advice="Give the evaluation more rows: part of them set the interval.",
        )
    if least is None or most is None:
        return insufficient(FEW_BLOCKS)
    strict = number(found, "strictly_inside")
    wide = (value if strict is None else strict) > most
    holds = value >= least and not wide
    summary = (
        f"{value:.1%} of outcomes lie in their interval, {promised:.0%} were promised; "
        f"{least:.1%} to {most:.1%} may be chance"
    )
    other = next((row for row in rows(found, "methods") if row.get("method") == "by row"), None)
    if other is not None:
        summary += (
            f"; intervals by row would be {number(other, 'mean_width') or 0.0:.4g} wide "
            f"instead of {number(found, 'mean_width') or 0.0:.4g}"
        )
    advice = (
        "Rows have become easier than those that set the interval: set it anew on recent rows."
        if wide
        else "Later rows are not like those that set the interval: set it anew on recent rows, "
        "again and again, and look at drift."
    )
    return CheckResult(
        "pass" if holds else "fail",
        summary,
        value=value,
        low=low,
        high=high,
        threshold=most if wide else least,
        comparison="<=" if wide else ">=",
        unit="coverage",
        threshold_class="meas",
        details=shown(_method_row(row) for row in rows(found, "methods")),
        advice="" if holds else advice,
    )


def groups_covered(facts: Facts, params: Params) -> CheckResult:
    """No group's outcomes are surely covered less than promised, by more than 0.05 (own)."""
    found = facts_with(facts, params, COVERAGE, "methods")
    promised = number(found, "confidence")
    if found is None or promised is None:
        return insufficient("no interval around predictions was set")
    if not names(found, "grouped_by"):
        return insufficient(
            "nobody declared groups, so coverage was not counted by group",
            advice="Declare sensitive columns or slices in Explore.",
        )
    served = [row for row in rows(found, "groups") if row.get("method") == text(found, "served")]
    judged = [row for row in served if row.get("judged") is True]
    if not judged:
        return insufficient("no group has rows, persons or days enough to be judged")
    certain = limit(params, "significance", CERTAIN)
    least = promised - limit(params, "slack", 0.05)
    low = [
        row
        for row in judged
        if (number(row, "coverage") or 0.0) < least
        and (number(row, "p_adjusted") or 0.0) <= certain
    ]
    worst = min(judged, key=lambda row: number(row, "coverage") or 0.0)
    return CheckResult(
        "fail" if low else "pass",
        f"{len(low)} of {len(judged)} groups are surely covered less than promised; least "
        f"{text(worst, 'group')} with {number(worst, 'coverage') or 0.0:.1%}",
        value=number(worst, "coverage"),
        low=number(worst, "low"),
        high=number(worst, "high"),
        threshold=least,
        comparison=">=",
        unit="coverage",
        details=shown(_covered_row(row) for row in rows(found, "groups")),
        advice="Tell those who use it for whom intervals are too narrow; intervals by row, or an "
        "interval for each group, may mend it."
        if low
        else "",
    )


def _method_row(row: dict[str, Json]) -> dict[str, Json]:
    value, low, high = bounds(row, "coverage")
    return {
        "interval": row.get("method"),
        "coverage": value,
        "low": low,
        "high": high,
        "allowed_from": row.get("allowed_low"),
        "allowed_to": row.get("allowed_high"),
        "holds": row.get("holds"),
        "mean_width": row.get("mean_width"),
    }


def _covered_row(row: dict[str, Json]) -> dict[str, Json]:
    keys = ("group", "method", "rows", "coverage", "low", "high", "p_adjusted", "mean_width")
    return {key: row.get(key) for key in keys}
