"""Checks of decisions and errors between groups: screening flags, never verdicts on fairness."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Json,
    Params,
    limit,
    number,
    rows,
    shown,
    text,
)
from pipelines.checks.groups import CERTAIN, caveat, look, screened, sure, told, too_few
from pipelines.checks.reading import bounds

INSTEAD = "another threshold or feature does"


def selection_rates_equal(facts: Facts, params: Params) -> CheckResult:
    """The lowest rate of the favourable decision is four fifths of the highest (29 CFR 1607.4(D)).

    A screening flag, not a verdict: a ratio below it fails only where chance does not explain it,
    as the rule itself says of small numbers. Model7.
    """
    found = screened(facts, params)
    if isinstance(found, CheckResult):
        return found
    least, certain = limit(params, "minimum", 0.8), limit(params, "significance", CERTAIN)
    measured = [
        row for row in rows(found, "fairness") if bounds(row, "selection_ratio")[0] is not None
    ]
    if not measured:
        return too_few(found, also=", or nobody is selected")
    low = [row for row in measured if (bounds(row, "selection_ratio")[0] or 0.0) < least]
    flagged = [row for row in low if sure(row, "p_selection", certain)]
    verdict, chance = told(low, flagged, "p_selection")
    worst = min(measured, key=lambda row: bounds(row, "selection_ratio")[0] or 0.0)
    value, lower, upper = bounds(worst, "selection_ratio")
    column = text(worst, "column")
    summary = (
        f"{column}: the rate of being {_decision(found, worst)} for {text(worst, 'lowest')} is "
        f"{value:.2f} of that for {text(worst, 'highest')}"
    )
    return CheckResult(
        verdict,
        summary + chance + caveat(found),
        value=value,
        low=lower,
        high=upper,
        threshold=least,
        comparison=">=",
        unit="ratio of rates",
        threshold_class="law",
        details=shown(_group_row(row) for row in rows(found, "groups")),
        advice=look(flagged, whether=INSTEAD),
    )


def error_rates_equal(facts: Facts, params: Params) -> CheckResult:
    """Equalised-odds difference, so also equal-opportunity difference, of at most 0.10 (conv)."""
    found = screened(facts, params)
    if isinstance(found, CheckResult):
        return found
    most, certain = limit(params, "maximum", 0.1), limit(params, "significance", CERTAIN)
    measured = [
        row for row in rows(found, "fairness") if bounds(row, "odds_difference")[0] is not None
    ]
    if not measured:
        return too_few(found, also=", or nobody is selected")
    high = [row for row in measured if (bounds(row, "odds_difference")[0] or 0.0) > most]
    flagged = [row for row in high if sure(row, "p_odds", certain)]
    verdict, chance = told(high, flagged, "p_odds")
    worst = max(measured, key=lambda row: bounds(row, "odds_difference")[0] or 0.0)
    value, lower, upper = bounds(worst, "odds_difference")
    opportunity = bounds(worst, "opportunity_difference")[0]
    summary = f"{text(worst, 'column')}: error rates differ by {value:.2f} between groups"
    if opportunity is not None:
        summary += f", true positive rates alone by {opportunity:.2f}"
    return CheckResult(
        verdict,
        summary + chance + caveat(found),
        value=value,
        low=lower,
        high=upper,
        threshold=most,
        comparison="<=",
        unit="difference of rates",
        threshold_class="conv",
        details=shown(_odds_row(row) for row in rows(found, "fairness")),
        advice=look(flagged, whether=INSTEAD),
    )


def _group_row(row: dict[str, Json]) -> dict[str, Json]:
    keys = ("group", "rows", "selection_rate", "selection_rate_low", "selection_rate_high")
    return {key: row.get(key) for key in (*keys, "judged")}


def _odds_row(row: dict[str, Json]) -> dict[str, Json]:
    opportunity, odds = bounds(row, "opportunity_difference"), bounds(row, "odds_difference")
    return {
        "column": row.get("column"),
        "groups": row.get("groups"),
        "too_small": row.get("too_small"),
        "equal_opportunity": opportunity[0],
        "p_opportunity": _chance(row, "p_opportunity"),
        "equalised_odds": odds[0],
        "odds_low": odds[1],
        "odds_high": odds[2],
        "p_odds": _chance(row, "p_odds"),
    }


def _chance(row: dict[str, Json], key: str) -> Json:
    """A p-value as people read it."""
    value = number(row, key)
    return "<0.001" if value is not None and value < 0.001 else value


def _decision(found: Mapping[str, Json], row: Mapping[str, Json]) -> str:
    """The decision whose rates are compared: with several classes each class is one."""
    return f"answered {row['class']}" if row.get("class") else text(found, "favourable")
