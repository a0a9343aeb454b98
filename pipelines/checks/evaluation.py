"""Checks of the evaluation stage: target, calibration, coverage, bias, slices, money."""

from __future__ import annotations

from pipelines.checks.contract import (
    CheckResult,
    Comparison,
    Facts,
    Params,
    decimals,
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
    between = f"{decimals(low, 4)} to {decimals(high, 4)}"
    summary = f"{metric} {decimals(value, 4)} (95 % {between}), target {comparison} {wanted:g}"
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
    """Expected calibration error at most 0.05, or the noise floor of that many rows.

    With several classes that of the likeliest class, since a mean over K is at most 2 / K.
    """
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
    whose = f"probabilities of {text(found, 'of')}" if found.get("of") else "probabilities"
    return CheckResult(
        verdict,
        f"{whose} are off by {decimals(error, 4)} on average,"
        f" at most {decimals(most, 4)} is allowed",
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


def coverage_holds(facts: Facts, params: Params) -> CheckResult:
    """The interval covers as many rows as promised, within 3 standard errors (catalogue 6.2).

    Too many counts only strictly inside its ends: no interval can leave out rows that tie there.
    """
    evaluated = facts_with(facts, params, EVALUATE, "prediction_interval")
    found = mapping(evaluated, "prediction_interval")
    share, promised = number(found, "coverage"), number(found, "level")
    allowed = number(found, "tolerance")
    if share is None or promised is None or allowed is None:
        return insufficient(
            "no interval around predictions was checked",
            advice="Give the evaluation more rows: half of them set the interval.",
        )
    allowed = limit(params, "maximum", allowed)
    strict = number(found, "strictly_inside")
    most = share if strict is None else strict
    expected = number(found, "expected")  # more than promised where few rows set the ends
    off = max(promised - share, most - (promised if expected is None else expected), 0.0)
    verdict = judge(off, "<=", allowed)
    counted, effective = number(found, "checked_rows") or 0, number(found, "effective_rows") or 0
    way = "fewer" if share < promised else "more"
    return CheckResult(
        verdict,
        f"the interval holds {share:.1%} of {counted:,.0f} rows that had not set it, "
        f"{promised:.0%} promised; {allowed:.1%} either way is chance"
        + (f"; {share - most:.1%} tie with its ends" if share > most else ""),
        value=off,
        threshold=allowed,
        comparison="<=",
        unit="share of rows",
        threshold_class="conv",
        details=(
            {
                "from": number(found, "low"),
                "to": number(found, "high"),
                "width": number(found, "width"),
                "rows that set it": number(found, "calibration_rows"),
                "rows it is worth": effective,
            },
        ),
        advice=""
        if verdict == "pass"
        else f"It holds {way} rows than promised: errors have changed since the rows that set it. "
        "Look at bias by prediction and at slices; set it anew on recent rows.",
    )


def unbiased(facts: Facts, params: Params) -> CheckResult:
    """The mean error is within a tenth of the mean absolute error, or may be chance (own)."""
    evaluated = facts_with(facts, params, EVALUATE, "bias_bins")
    metrics = mapping(evaluated, "metrics")
    bias, low, high = bounds(metrics, "bias")
    size = bounds(metrics, "mae")[0]
    if bias is None or low is None or high is None or size is None:
        return insufficient("no bias was measured")
    allowed = limit(params, "maximum_share", 0.1) * size
    # the end of the interval nearer to 0: a bias that may be chance is none
    surely = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    verdict = judge(surely, "<=", allowed)
    way = "high" if bias > 0 else "low"
    bins = rows(evaluated, "bias_bins")
    return CheckResult(
        verdict,
        f"predictions are {abs(bias):.4g} too {way} on average (95 % {low:.4g} to {high:.4g}), "
        f"{allowed:.4g} is allowed",
        value=surely,
        threshold=allowed,
        comparison="<=",
        unit="units of the target",
        details=shown(bins),
        advice=""
        if verdict == "pass"
        else f"Predictions are too {way}: train on more recent rows, or for a metric of means.",
    )


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
    """Going by the model is surely worth more than the best fixed answer, in money."""
    evaluated = facts_with(facts, params, EVALUATE, "value")
    money = mapping(evaluated, "value")
    value, low, high = bounds(money, "per_1000_over_best_without_model")
    if value is None or low is None:
        return insufficient("no costs were given", advice="Fill in what errors cost in the brief.")
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
        details=shown(rows(money, "against"))
        or (
            {"against": "flagging nothing", "worth": nothing},
            {"against": "flagging all", "worth": everything},
        ),
        advice=""
        if holds
        else "At these costs a fixed rule may do as well: check the cost matrix.",
    )
