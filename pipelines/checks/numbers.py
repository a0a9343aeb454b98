"""Checks of predicted numbers: alike for every group of people, steady under noise."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Json,
    Params,
    Verdict,
    insufficient,
    judge,
    limit,
    number,
    rows,
    shown,
    text,
)
from pipelines.checks.groups import CERTAIN, caveat, look, screened, sure, told, too_few
from pipelines.checks.reading import bounds, facts_with

STRESS = "evaluate.stress"
INSTEAD = "other features or more rows do"
ENOUGH = 0.05  # noise of so many standard deviations, on all numbers at once (own)
ALL = "all at once"


def group_bias_equal(facts: Facts, params: Params) -> CheckResult:
    """Mean signed errors of groups lie within a fifth of the mean absolute error (own).

    A screening flag, not a verdict: beyond it fails only what chance does not explain. Model7.
    """
    found = screened(facts, params)
    if isinstance(found, CheckResult):
        return found
    most = limit(params, "maximum", 0.2)
    measured, verdict, chance, flagged = _told(found, params, ("bias_difference", "p_bias", most))
    if not measured:
        return _unmeasured(found)
    worst = max(measured, key=lambda row: bounds(row, "bias_difference")[0] or 0.0)
    value, low, high = bounds(worst, "bias_difference")
    unit = number(found, "mae") or 0.0
    summary = (
        f"{text(worst, 'column')}: predictions for {text(worst, 'highest')} are "
        f"{(value or 0.0) * unit:.4g} higher against what came out than for "
        f"{text(worst, 'lowest')}, {value or 0.0:.2f} mean errors"
    )
    return CheckResult(
        verdict,
        summary + chance + caveat(found),
        value=value,
        low=low,
        high=high,
        threshold=most,
        comparison="<=",
        unit="mean absolute errors",
        details=shown(_group_row(row, "bias") for row in rows(found, "groups")),
        advice=look(flagged, whether=INSTEAD),
    )


def group_errors_equal(facts: Facts, params: Params) -> CheckResult:
    """The largest mean absolute error of a group is at most 1.25 times the smallest (own).

    That is the four-fifths rule turned to errors, where it has no standing in law; a flag fails
    only what chance does not explain. Model7.
    """
    found = screened(facts, params)
    if isinstance(found, CheckResult):
        return found
    most = limit(params, "maximum", 1.25)
    measured, verdict, chance, flagged = _told(found, params, ("error_ratio", "p_error", most))
    if not measured:
        return _unmeasured(found)
    worst = max(measured, key=lambda row: bounds(row, "error_ratio")[0] or 0.0)
    value, low, high = bounds(worst, "error_ratio")
    summary = (
        f"{text(worst, 'column')}: {text(worst, 'most_wrong')} is predicted with "
        f"{value:.2f} times the error of {text(worst, 'least_wrong')}"
    )
    return CheckResult(
        verdict,
        summary + chance + caveat(found),
        value=value,
        low=low,
        high=high,
        threshold=most,
        comparison="<=",
        unit="ratio of mean absolute errors",
        details=shown(_group_row(row, "mae") for row in rows(found, "groups")),
        advice=look(flagged, whether=INSTEAD),
    )


def _told(
    found: Mapping[str, Json], params: Params, measure: tuple[str, str, float]
) -> tuple[list[dict[str, Json]], Verdict, str, list[dict[str, Json]]]:
    """Columns that were measured, the verdict, what to say of chance, and those flagged."""
    name, p_value, most = measure
    certain = limit(params, "significance", CERTAIN)
    measured = [row for row in rows(found, "fairness") if bounds(row, name)[0] is not None]
    far = [row for row in measured if (bounds(row, name)[0] or 0.0) > most]
    flagged = [row for row in far if sure(row, p_value, certain)]
    return measured, *told(far, flagged, p_value), flagged


def _unmeasured(found: Mapping[str, Json]) -> CheckResult:
    """Why there is no distance: a group without any error, or too few rows."""
    exact = [row for row in rows(found, "fairness") if row.get("no_error") is True]
    if not exact:
        return too_few(found)
    return insufficient(
        f"{text(exact[0], 'least_wrong')} is predicted without any error: there is none to compare "
        "others with",
        advice="Look whether a column tells the outcome of that group, or its outcome never moves.",
    )


def _group_row(row: dict[str, Json], measure: str) -> dict[str, Json]:
    keys = ("group", "rows", "mean_prediction", "mean_outcome")
    ends = (measure, f"{measure}_low", f"{measure}_high", "judged")
    return {key: row.get(key) for key in (*keys, *ends)}


def predictions_steady(facts: Facts, params: Params) -> CheckResult:
    """Noise of 5 % of a standard deviation on all numbers adds at most 10 % to errors (own)."""
    found = facts_with(facts, params, STRESS, "bad_scores")
    size = limit(params, "noise", ENOUGH)
    noise = next((row for row in rows(found, "noise") if number(row, "size") == size), None)
    value, low, high = bounds(noise, "worse")
    if found is None or value is None:
        return insufficient(f"no noise of {size:g} standard deviations was tried")
    most = limit(params, "maximum", 0.1)
    verdict = judge(value, "<=", most)
    every = rows(found, "disturbances")
    summary = (
        f"noise of {size:g} standard deviations on every number changes errors by {value:+.1%}"
    )
    for kind, said in (("missing", "missing everywhere"), ("other unit", "in another unit")):
        worst = [row for row in every if row.get("kind") == kind and row.get("column") != ALL]
        if worst:
            most_harm = max(worst, key=lambda row: bounds(row, "worse")[0] or 0.0)
            harm = bounds(most_harm, "worse")[0] or 0.0
            summary += f"; {text(most_harm, 'column')} {said} by {harm:+.1%}"
    return CheckResult(
        verdict,
        summary,
        value=value,
        low=low,
        high=high,
        threshold=most,
        comparison="<=",
        unit="of the mean absolute error",
        details=shown(_stress_row(row) for row in every),
        advice=""
        if verdict == "pass"
        else "Use features that are measured better, or fewer trees on what is noisy.",
    )


def _stress_row(row: dict[str, Json]) -> dict[str, Json]:
    worse = bounds(row, "worse")
    return {
        "column": row.get("column"),
        "kind": row.get("kind"),
        "size": row.get("size"),
        "errors_change": worse[0],
        "low": worse[1],
        "high": worse[2],
        "moved": row.get("moved"),
        "beyond_any_outcome": row.get("outside"),
        "bad_scores": row.get("bad_scores"),
    }
