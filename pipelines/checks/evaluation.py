"""Checks of the evaluation stage: target, calibration, slices, money."""

from __future__ import annotations

from pipelines.checks.contract import (
    CheckResult,
    Comparison,
    Facts,
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

EVALUATE, SLICES = "evaluate.evaluate", "evaluate.slices"


def target_met(facts: Facts, params: Params) -> CheckResult:
    """The worse end of the 95 % interval reaches the brief's target."""
    evaluated = facts_with(facts, params, EVALUATE, "target_metric")
    target = mapping(evaluated, "target_metric")
    wanted, value = number(target, "wanted"), number(target, "value")
    low, high = number(target, "low"), number(target, "high")
    if wanted is None or value is None or low is None or high is None:
        return insufficient(
            "the brief names no target, or the candidate was not evaluated",
            advice="Name a target metric and value in the brief.",
        )
    higher = target.get("higher_is_better") is True
    comparison: Comparison = ">=" if higher else "<="
    verdict = judge(low if higher else high, comparison, wanted)
    metric = text(target, "metric")
    summary = f"{metric} {value:.4f} (95 % {low:.4f} to {high:.4f}), target {comparison} {wanted:g}"
    near = verdict == "fail" and judge(value, comparison, wanted) == "pass"
    advice = {
        True: "The value itself meets the target; more holdout rows would narrow the interval.",
        False: "Improve features or candidate, or agree on another target with its owner.",
    }[near]
    return CheckResult(
        verdict,
        summary,
        value=value,
        low=low,
        high=high,
        threshold=wanted,
        comparison=comparison,
        unit=metric,
        advice="" if verdict == "pass" else advice,
    )


def calibrated(facts: Facts, params: Params) -> CheckResult:
    """Expected calibration error at most 0.05, or the noise floor of that many rows."""
    evaluated = facts_with(facts, params, EVALUATE, "calibration")
    found = mapping(evaluated, "calibration")
    error, floor = number(found, "error"), number(found, "noise_floor")
    if error is None or floor is None:
        return insufficient("no calibration was measured")
    most = max(limit(params, "maximum", 0.05), floor)
    verdict = judge(error, "<=", most)
    bins = rows(found, "bins")
    high, low = (sum(_gap(row) > 0 for row in bins), sum(_gap(row) < 0 for row in bins))
    way = "too high" if high > low else "too low"
    return CheckResult(
        verdict,
        f"probabilities are off by {error:.4f} on average, at most {most:.4f} is allowed",
        value=error,
        threshold=most,
        comparison="<=",
        unit="ECE",
        threshold_class="meas",
        details=shown(bins),
        advice=""
        if verdict == "pass"
        else f"Scores are {way} in {max(high, low)} of {len(bins)} bins: calibrate on recent rows, "
        "or use ranks and the threshold only, not the probabilities.",
    )


def _gap(row: object) -> float:
    if not isinstance(row, dict):
        return 0.0
    return (number(row, "mean_score") or 0.0) - (number(row, "share") or 0.0)


def slices_hold(facts: Facts, params: Params) -> CheckResult:
    """No slice is surely worse than all rows by more than the tolerance (Model6)."""
    found = facts_with(facts, params, SLICES, "slices")
    if found is None:
        return insufficient("no slices were looked at")
    looked, small = number(found, "looked_at") or 0, number(found, "too_small") or 0
    if looked - small <= 0:
        return insufficient("no slice has rows enough to be judged")
    counted = ("worse", "hard") if params.get("count_hard") is True else ("worse",)
    failing = [row for row in rows(found, "slices") if row.get("verdict") in counted]
    most = limit(params, "maximum", 0)
    verdict = judge(len(failing), "<=", most)
    overall = number(mapping(found, "overall"), "value") or 0.0
    hard = int(number(found, "hard") or 0)
    summary = (
        f"{len(failing)} of {int(looked - small)} slices are worse than all rows ({overall:.3f})"
    )
    if hard and "hard" not in counted:
        summary += f"; {hard} are hard to tell apart, as their own scores say"
    names = [str(row.get("slice")) for row in failing]
    return CheckResult(
        verdict,
        summary,
        value=float(len(failing)),
        threshold=most,
        comparison="<=",
        unit="slices",
        details=shown(rows(found, "slices")),
        advice=""
        if verdict == "pass"
        else f"Say where not to use it, or improve it for: {listed(names, 3)}.",
    )


def cost_positive(facts: Facts, params: Params) -> CheckResult:
    """Deciding by the model is surely worth more than flagging nothing, and than flagging all."""
    evaluated = facts_with(facts, params, EVALUATE, "value")
    money = mapping(evaluated, "value")
    value, low, high = bounds(money, "per_1000_over_best_without_model")
    if value is None or low is None:
        return insufficient(
            "no costs were given", advice="Fill in what a false alarm and a miss cost in the brief."
        )
    least, currency = limit(params, "minimum", 0.0), text(money, "currency")
    holds = low > least
    nothing, everything = (
        bounds(money, "per_1000")[0],
        bounds(money, "per_1000_over_flagging_all")[0],
    )
    return CheckResult(
        "pass" if holds else "fail",
        f"worth {value:,.0f} {currency} per 1,000 rows (95 % {low:,.0f} to {high:,.0f})".replace(
            "  ", " "
        ),
        value=value,
        low=low,
        high=high,
        threshold=least,
        comparison=">=",
        unit=f"{currency} per 1,000 rows".strip(),
        details=(
            {"against": "flagging nothing", "worth": nothing},
            {"against": "flagging all", "worth": everything},
        ),
        advice=""
        if holds
        else "At these costs a fixed rule may do as well: check the cost matrix.",
    )
