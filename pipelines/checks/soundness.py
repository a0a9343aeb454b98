"""Whether a table is as large and as long as it looks (stage S1)."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Json,
    Params,
    decimals,
    insufficient,
    limit,
    mapping,
    number,
    step_facts,
    text,
)

VALIDATE = "source.validate"
MOST_REPEATED = 0.05  # own: a row told twice now and then is a slip, one in twenty is none
MOST_GAP = 0.05  # own: of the time between first and last row
BY_CHANCE = 1.25  # own: where one column alone tells rows apart, all told twice is 1.36 times it
USUAL_GAPS = 20.0  # own: by chance a gap is so long once in e^20 gaps
REPEATED = (
    "Find out how rows come to be told twice: each counts as one more, so there are fewer rows than"
    " it seems, and every interval is too narrow"
)
MISSING = "Find out whether rows are missing there, and say so in the data contract"


def rows_sound(facts: Facts, params: Params) -> CheckResult:
    """Rows are told once, and no long time is without any (own).

    At most one row in twenty equals an earlier one, or a quarter more than chance makes of so few
    values; the longest gap takes at most a twentieth of the time, or lasts at most 20 usual gaps.
    """
    found = step_facts(facts, params, VALIDATE)
    again, gap = mapping(found, "repeats"), mapping(found, "times")
    share = number(again, "share")
    if share is None:
        return insufficient("whether rows are told more than once has not been looked at")
    most, most_gap = let_pass(again, limit(params, "maximum", MOST_REPEATED), BY_CHANCE), MOST_GAP
    hole = hole_of(gap)
    said = f"{number(again, 'rows') or 0:,.0f} rows ({decimals(share * 100, 1)}%) equal another"
    if most > MOST_REPEATED:
        said += f"; chance makes {number(again, 'by_chance') or 0.0:.1%} of so few values"
    repeated, broken = share > most, hole > most_gap
    if broken:
        usual = number(gap, "times_usual") or 0.0
        said += f"; no row from {text(gap, 'from')[:16]} to {text(gap, 'to')[:16]}"
        said += f", {hole:.1%} of the time and {usual:,.0f} usual gaps"
    gap_only = broken and not repeated
    return CheckResult(
        "fail" if repeated or broken else "pass",
        said,
        value=hole if gap_only else share,
        threshold=most_gap if gap_only else most,
        comparison="<=",
        unit="of the time" if gap_only else "of the rows",
        details=(dict(gap),) if gap else (),
        advice=REPEATED if repeated else MISSING if broken else "",
    )


def let_pass(again: Mapping[str, Json], most: float, times: float) -> float:
    """The share of repeated rows that passes: `most`, or so many times what chance makes."""
    return max(most, min(1.0, times * (number(again, "by_chance") or 0.0)))


def hole_of(gap: Mapping[str, Json]) -> float:
    """The longest gap's share of the time; 0 where gaps as long are usual."""
    long = (number(gap, "times_usual") or 0.0) > USUAL_GAPS
    return (number(gap, "share") or 0.0) if long else 0.0
