"""Checks of the evaluation stage that challenge a candidate: sets, stress, age, single rows."""

from __future__ import annotations

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

COVERAGE, STRESS, AGE, ROWS = (
    "evaluate.coverage",
    "evaluate.stress",
    "evaluate.age",
    "evaluate.rows",
)
ALL = "all at once"
FEW_BLOCKS = "rows come in too few groups or days (fewer than 5) to tell what chance allows"
ENOUGH = 0.05  # noise of so many standard deviations, on all numbers at once (own)


def sets_cover(facts: Facts, params: Params) -> CheckResult:
    """Sets of classes hold the truth as often as promised, as far as chance allows.

    More is told and no failure: where scores tie, honest sets hold more than promised.
    """
    found = facts_with(facts, params, COVERAGE, "coverage")
    value, low, high = bounds(found, "coverage")
    promised = number(found, "confidence")
    least, most = number(found, "allowed_low"), number(found, "allowed_high")
    if found is None or value is None or promised is None:
        return insufficient("no sets of classes were calibrated")
    if least is None or most is None:
        return insufficient(FEW_BLOCKS)
    holds = value >= least
    answered = number(found, "answered") or 0.0
    right = number(found, "answered_right")
    summary = f"{value:.1%} of sets hold the true class, {promised:.0%} were promised"
    summary += f"; {answered:.0%} of rows get one answer"
    if right is not None:
        summary += f", right in {right:.0%}"
    if value > most:
        summary += "; scores tie, or the sets are wider than needed"
    advice = (
        "Later rows are not like those that set the cuts: calibrate on the latest rows, "
        "again and again, and look at drift."
    )
    return CheckResult(
        "pass" if holds else "fail",
        summary,
        value=value,
        low=low,
        high=high,
        threshold=least,
        comparison=">=",
        unit="coverage",
        threshold_class="meas",
        details=shown(rows(found, "levels")),
        advice="" if holds else advice,
    )


def numerically_stable(facts: Facts, params: Params) -> CheckResult:
    """No score is missing, infinite or (of a class) outside 0 to 1, whatever was done (Mon5)."""
    found = facts_with(facts, params, STRESS, "bad_scores")
    bad = number(found, "bad_scores")
    if found is None or bad is None:
        return insufficient("inputs were not disturbed")
    bad += number(found, "bad_undisturbed") or 0
    most, tried = limit(params, "maximum", 0), int(number(found, "tried") or 0)
    refused = int(number(found, "refused") or 0)
    verdict = judge(bad, "<=", most)
    wrong = "number" if text(found, "task") == "regression" else "probability"
    summary = f"{int(bad)} scores are no {wrong} under {tried} disturbances"
    if refused:
        summary += f"; {refused} were refused with a reason"
    culprits = [row for row in rows(found, "disturbances") if number(row, "bad_scores")]
    return CheckResult(
        verdict,
        summary,
        value=bad,
        threshold=most,
        comparison="<=",
        unit="scores",
        details=shown(culprits),
        advice=""
        if verdict == "pass"
        else f"Find why {listed([text(row, 'column') for row in culprits])} breaks the score.",
    )


def decisions_steady(facts: Facts, params: Params) -> CheckResult:
    """Noise of 5 % of a standard deviation on all numbers turns at most 10 % of decisions (own)."""
    found = facts_with(facts, params, STRESS, "noise")
    size = limit(params, "noise", ENOUGH)
    noise = next((row for row in rows(found, "noise") if number(row, "size") == size), None)
    value, low, high = bounds(noise, "flipped")
    if found is None or value is None:
        return insufficient(f"no noise of {size:g} standard deviations was tried")
    most = limit(params, "maximum", 0.1)
    verdict = judge(value, "<=", most)
    worst = rows(found, "disturbances")
    summary = (
        f"noise of {size:g} standard deviations on every number turns {value:.1%} of decisions"
    )
    gaps = [row for row in worst if row.get("kind") == "missing" and row.get("column") != ALL]
    if gaps:
        summary += (
            f"; {text(gaps[0], 'column')} missing everywhere turns "
            f"{number(gaps[0], 'flipped') or 0.0:.1%}"
        )
    return CheckResult(
        verdict,
        summary,
        value=value,
        low=low,
        high=high,
        threshold=most,
        comparison="<=",
        unit="of decisions",
        details=shown(_stress_row(row) for row in worst),
        advice=""
        if verdict == "pass"
        else "Leave rows near the threshold to people, or use features that are measured better.",
    )


def _stress_row(row: dict[str, Json]) -> dict[str, Json]:
    keys = ("column", "kind", "size", "flipped", "moved", "moved_p95", "bad_scores")
    return {"decisions_turned" if key == "flipped" else key: row.get(key) for key in keys}


def age_known(facts: Facts, params: Params) -> CheckResult:
    """How fast it ages is known, and its half-life is at least 30 days (Model4, own)."""
    found = facts_with(facts, params, AGE, "aged")
    if found is None:
        return insufficient("no models of older windows were trained")
    if found.get("aged") is not True:
        return insufficient(
            f"how fast it ages is not known: {text(found, 'not_aged')}",
            advice="Name the time column, or watch the age by late labels.",
        )
    least, metric = limit(params, "minimum_days", 30.0), text(found, "metric")
    lost, _, most_lost = bounds(found, "loss_at_end")
    oldest = number(found, "oldest_days") or 0.0
    days = number(found, "half_life_days")
    life = bounds(found, "half_life")
    summary = f"{oldest:.0f} days older, it is {lost or 0.0:.4f} {metric} worse"
    if days is None:
        summary += f" (at most {most_lost or 0.0:.4f}): no decay is shown"
        return CheckResult("pass", summary, details=shown(rows(found, "curve")))
    verdict = judge(days, ">=", least)
    return CheckResult(
        verdict,
        f"{summary}; half of what it knows is gone after {days:.0f} days",
        value=days,
        low=life[1],
        high=life[2],
        threshold=least,
        comparison=">=",
        unit="days",
        details=shown(rows(found, "curve")),
        advice=""
        if verdict == "pass"
        else f"Plan to train again at least every {days / 2:.0f} days.",
    )


def rows_explained(facts: Facts, params: Params) -> CheckResult:
    """Single rows are explained, the worst errors first, and the parts add up (W25, Infra5)."""
    found = facts_with(facts, params, ROWS, "explained")
    count, gap = number(found, "errors_explained"), number(found, "largest_gap")
    if found is None or count is None or gap is None:
        return insufficient("no single rows were explained")
    total = number(found, "rows") or count
    least = min(limit(params, "minimum", 50), total)
    adds_up = gap <= limit(params, "gap", 1e-6)
    verdict = judge(count, ">=", least) if adds_up else "fail"
    every = int(number(found, "explained") or 0)
    return CheckResult(
        verdict,
        f"{every} rows explained, {int(count)} of them the worst errors; "
        + ("the parts add up to the score" if adds_up else f"parts miss the score by {gap:.2g}"),
        value=count,
        threshold=least,
        comparison=">=",
        unit="worst errors",
        details=shown(_explained_row(row) for row in rows(found, "examples")),
        advice="" if verdict == "pass" else "Explain more of the worst errors (errors).",
    )


def _explained_row(row: dict[str, Json]) -> dict[str, Json]:
    key = mapping(row, "key")
    parts = [
        f"{text(part, 'column')} = {_shown(part.get('value'))}: {number(part, 'added') or 0.0:+.3f}"
        for part in rows(row, "added")
    ]
    return {
        "row": ", ".join(str(value) for value in key.values()) or row.get("row"),
        "why": row.get("why"),
        "score": row.get("score"),
        "label": row.get("label"),
        "moved_most_by": "; ".join(parts),
    }


def _shown(value: Json) -> str:
    if value is None:
        return "missing"
    return f"{value:g}" if isinstance(value, float) else str(value)[:40]
