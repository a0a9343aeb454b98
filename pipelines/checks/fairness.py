"""Checks of decisions and errors between groups: screening flags, never verdicts on fairness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Json,
    Params,
    Verdict,
    insufficient,
    limit,
    names,
    number,
    rows,
    shown,
    text,
)
from pipelines.checks.reading import bounds, facts_with, listed

FAIRNESS = "evaluate.fairness"
CERTAIN = 0.05  # p-value after Benjamini-Hochberg from which a distance is no chance (conv)


def selection_rates_equal(facts: Facts, params: Params) -> CheckResult:
    """The lowest rate of the favourable decision is four fifths of the highest (29 CFR 1607.4(D)).

    A screening flag, not a verdict: a ratio below it fails only where chance does not explain it,
    as the rule itself says of small numbers. Model7.
    """
    found = _screened(facts, params)
    if isinstance(found, CheckResult):
        return found
    least, certain = limit(params, "minimum", 0.8), limit(params, "significance", CERTAIN)
    measured = [
        row for row in rows(found, "fairness") if bounds(row, "selection_ratio")[0] is not None
    ]
    if not measured:
        return _too_few(found)
    low = [row for row in measured if (bounds(row, "selection_ratio")[0] or 0.0) < least]
    flagged = [row for row in low if _sure(row, "p_selection", certain)]
    verdict, chance = _told(low, flagged, "p_selection")
    worst = min(measured, key=lambda row: bounds(row, "selection_ratio")[0] or 0.0)
    value, lower, upper = bounds(worst, "selection_ratio")
    column = text(worst, "column")
    summary = (
        f"{column}: the rate of being {_decision(found, worst)} for {text(worst, 'lowest')} is "
        f"{value:.2f} of that for {text(worst, 'highest')}"
    )
    return CheckResult(
        verdict,
        summary + chance + _caveat(found),
        value=value,
        low=lower,
        high=upper,
        threshold=least,
        comparison=">=",
        unit="ratio of rates",
        threshold_class="law",
        details=shown(_group_row(row) for row in rows(found, "groups")),
        advice=_look(flagged),
    )


def error_rates_equal(facts: Facts, params: Params) -> CheckResult:
    """Equalised-odds difference, so also equal-opportunity difference, of at most 0.10 (conv)."""
    found = _screened(facts, params)
    if isinstance(found, CheckResult):
        return found
    most, certain = limit(params, "maximum", 0.1), limit(params, "significance", CERTAIN)
    measured = [
        row for row in rows(found, "fairness") if bounds(row, "odds_difference")[0] is not None
    ]
    if not measured:
        return _too_few(found)
    high = [row for row in measured if (bounds(row, "odds_difference")[0] or 0.0) > most]
    flagged = [row for row in high if _sure(row, "p_odds", certain)]
    verdict, chance = _told(high, flagged, "p_odds")
    worst = max(measured, key=lambda row: bounds(row, "odds_difference")[0] or 0.0)
    value, lower, upper = bounds(worst, "odds_difference")
    opportunity = bounds(worst, "opportunity_difference")[0]
    summary = f"{text(worst, 'column')}: error rates differ by {value:.2f} between groups"
    if opportunity is not None:
        summary += f", true positive rates alone by {opportunity:.2f}"
    return CheckResult(
        verdict,
        summary + chance + _caveat(found),
        value=value,
        low=lower,
        high=upper,
        threshold=most,
        comparison="<=",
        unit="difference of rates",
        threshold_class="conv",
        details=shown(_odds_row(row) for row in rows(found, "fairness")),
        advice=_look(flagged),
    )


def _screened(facts: Facts, params: Params) -> Mapping[str, Json] | CheckResult:
    found = facts_with(facts, params, FAIRNESS, "fairness")
    if found is None:
        return insufficient("no groups were compared")
    if not names(found, "sensitive"):
        return insufficient(
            "nobody declared a sensitive column, so no groups were compared",
            advice="Declare sensitive columns in Explore, or state that there are none.",
        )
    return found


def _sure(row: Mapping[str, Json], p_value: str, certain: float) -> bool:
    found = number(row, p_value)
    return found is not None and found <= certain


def _told(
    far: Sequence[Mapping[str, Json]], flagged: Sequence[Mapping[str, Json]], p_value: str
) -> tuple[Verdict, str]:
    """The verdict and what to say of chance; where chance cannot be told, neither red nor green."""
    if not far or flagged:
        return "fail" if flagged else "pass", ""
    if any(number(row, p_value) is None for row in far):
        return "insufficient", "; too few days or groups to tell chance"
    return "pass", "; so far apart could be chance"


def _too_few(found: Mapping[str, Json]) -> CheckResult:
    least = int(number(found, "minimum_rows") or 0)
    return insufficient(
        f"no two groups of {listed(names(found, 'sensitive'))} have {least} rows and more, or "
        "nobody is selected",
        advice="Gather more rows of the small groups before anything is said about them.",
    )


def _caveat(found: Mapping[str, Json]) -> str:
    small = sum(int(number(row, "too_small") or 0) for row in rows(found, "fairness"))
    what = "group is" if small == 1 else "groups are"
    said = f"; {small} {what} too small to judge" if small else ""
    return f"{said}. A flag for people to look at, not a verdict."


def _look(flagged: list[dict[str, Json]]) -> str:
    if not flagged:
        return ""
    columns = listed([text(row, "column") for row in flagged])
    return (
        f"Let analyst and data scientist look at {columns}: why the groups differ, whom it harms, "
        "whether another threshold or feature does without it, and write down what they decide."
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
