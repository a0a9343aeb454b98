"""Checks of forecasts: the series is sound, and each horizon beats repeating the last season."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Json,
    Params,
    insufficient,
    judge,
    limit,
    mapping,
    number,
    rows,
    shown,
    text,
)
from pipelines.checks.reading import bounds, facts_with, listed
from pipelines.checks.soundness import let_pass

SERIES, FORECAST = "source.series", "evaluate.forecast"
BY_CHANCE = 2.0  # own: events of one step often are alike, and this check blocks
MOSTLY = 0.5  # own
MAX_GAP_SHARE = 0.05  # own: beyond it a filled step is no exception any more


def series_sound(facts: Facts, params: Params) -> CheckResult:
    """Steps without an event where there usually is one are at most one in twenty (own).

    So are rows without a value, which a sum takes as nothing at all, and rows that equal another
    more often than chance makes of their values, which it takes twice, and steps that repeat an
    earlier stretch value by value.
    """
    made = facts_with(facts, params, SERIES, "gap_steps")
    steps, filled = number(made, "steps"), number(made, "gap_steps")
    if made is None or not steps or filled is None:
        return insufficient("no series was made")
    most = limit(params, "maximum", MAX_GAP_SHARE)
    missing, given = number(made, "missing_values") or 0.0, number(made, "rows")
    lost = missing / given if given else 0.0
    again = mapping(made, "repeats")
    counted = made.get("measure") == "count"  # then equal rows are what is counted
    repeated = 0.0 if counted else number(again, "share") or 0.0
    twice = repeated if repeated > let_pass(again, most, BY_CHANCE) else 0.0
    copied = number(mapping(made, "copied"), "share") or 0.0
    # a series that mostly repeats itself has a season without noise: nothing was copied there
    share = max(filled / steps, lost, twice, copied if copied <= MOSTLY else 0.0)
    gaps = rows(made, "gap_list")
    duplicates = int(number(made, "duplicates") or 0)
    worst = f"; the longest from {text(gaps[0], 'from')[:16]}" if gaps else ""
    return CheckResult(
        judge(share, "<=", most),
        f"{filled / steps:.1%} of {steps:,.0f} steps lack events that usually are there{worst}; "
        f"{duplicates:,} rows equal another"
        + (f"; {lost:.1%} of the rows have no value" if missing else "")
        + _copied(mapping(made, "copied"), copied),
        value=share,
        threshold=most,
        comparison="<=",
        unit="share of rows" if max(lost, twice) > filled / steps else "share of steps",
        details=shown(gaps),
        advice=""
        if share <= most
        else "Find out whether a gap was filled with a copy: it would be known when it is judged."
        if copied == share
        else "Find out how rows come to be told twice: a sum counts them twice."
        if twice == share
        else "Look whether data are missing there; else take longer steps or fewer groups.",
    )


def _copied(found: Mapping[str, Json], share: float) -> str:
    """Where an earlier stretch comes again, value by value."""
    if not share:
        return ""
    said = f"; {share:.1%} of the steps repeat an earlier stretch value by value, the longest from"
    return f"{said} {text(found, 'from')[:16]} that of {text(found, 'of')[:16]}"


def mase_below(facts: Facts, params: Params) -> CheckResult:
    """MASE at horizon 1 is below 1: better than repeating the last season (catalogue 6.2)."""
    judged = facts_with(facts, params, FORECAST, "horizons")
    wanted, most = limit(params, "horizon", 1), limit(params, "maximum", 1.0)
    found = next((r for r in rows(judged, "horizons") if number(r, "horizon") == wanted), None)
    value, low, high = bounds(found, "mase")
    if value is None or low is None or high is None:
        return insufficient(f"no forecast {wanted:g} steps ahead was judged")
    verdict = judge(value, "<=", most)
    return CheckResult(
        "fail" if value == most else verdict,
        f"MASE {value:.3f} at horizon {wanted:g} (95 % {low:.3f} to {high:.3f}), below {most:g}",
        value=value,
        low=low,
        high=high,
        threshold=most,
        comparison="<=",
        unit="MASE",
        threshold_class="conv",
        details=shown(_table(rows(judged, "horizons"))),
        advice=""
        if verdict == "pass"
        else "Repeating the last season errs less: look at season, lags and what is known ahead.",
    )


def beats_naive(facts: Facts, params: Params) -> CheckResult:
    """At every horizon forecasts err less than the last season repeated (catalogue 6.2).

    Where a horizon has too few forecasts to be judged, "every" is not known.
    """
    judged = facts_with(facts, params, FORECAST, "horizons")
    looked = rows(judged, "horizons")
    if not looked:
        return insufficient("no forecasts were judged")
    small = rows(judged, "too_few")
    lost = [f"{number(row, 'horizon') or 0:g}" for row in looked if _gain(row) <= 0]
    unsure = [row for row in looked if _gain(row) > 0 and (bounds(row, "gain")[1] or 0.0) <= 0]
    said = f"better than the last season at {len(looked) - len(lost)} of {len(looked)} horizons"
    if lost:
        said += f"; not at {listed(lost, 10)}"
    if unsure:
        said += f"; at {len(unsure)} it may be chance"
    if small:
        least = number(judged, "minimum_rows") or 0
        named = listed([f"{number(row, 'horizon') or 0:g}" for row in small], 10)
        said += f"; not judged at {named}: fewer than {least:.0f} forecasts"
    return CheckResult(
        "insufficient" if small and not lost else judge(len(lost), "<=", 0),
        said,
        value=float(len(lost)),
        threshold=0.0,
        comparison="<=",
        unit="horizons",
        threshold_class="conv",
        details=shown(_table([*looked, *small])),
        advice="Forecast fewer steps, or answer those with the last season."
        if lost
        else "Decide on a longer time, or forecast fewer steps."
        if small
        else "",
    )


def _gain(row: dict[str, Json]) -> float:
    return number(mapping(row, "gain"), "value") or 0.0


def _table(looked: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """One row a horizon, for people."""
    return [
        {
            "horizon": row.get("horizon"),
            "rows": row.get("rows"),
            "MASE": bounds(row, "mase")[0],
            "of the last season": bounds(row, "naive_mase")[0],
            "sMAPE": bounds(row, "smape")[0],
            "bias": bounds(row, "bias")[0],
            "pinball": row.get("pinball"),
            "errs less by": bounds(row, "gain")[0],
            "at least": bounds(row, "gain")[1],
            "at most": bounds(row, "gain")[2],
        }
        for row in looked
    ]
