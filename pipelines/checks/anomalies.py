"""Checks of detectors: what they find, what they cost in alerts, whether that holds."""

from __future__ import annotations

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Params,
    insufficient,
    judge,
    limit,
    mapping,
    names,
    number,
    rows,
    shown,
    step_facts,
)
from pipelines.checks.reading import bounds, listed

SELECT, JUDGE, REVIEW = "tune.select", "evaluate.judge", "evaluate.count"
COMPARE, ALERTS = "register.compare", "monitor.alerts"
DIFFERS = 1.5  # times as many rows a day: more is told (own)
WANTED = ("robust_z", "forest", "neighbours", "one_class")


def detectors_compared(facts: Facts, params: Params) -> CheckResult:
    """A fixed rule and three families were held against each other (W15)."""
    found = step_facts(facts, params, SELECT)
    if found is None or "families" not in found:
        return insufficient("no detectors were compared")
    seen = names(found, "families")
    absent = [name for name in names(params, "families") or WANTED if name not in seen]
    details = [
        {key: row.get(key) for key in ("family", "mean", "standard_error", "chosen")}
        for row in rows(found, "candidates")
    ]
    return CheckResult(
        "fail" if absent else "pass",
        f"absent: {listed(list(absent))}" if absent else f"{listed(seen)} on the same anomalies",
        value=float(len(seen)),
        threshold=float(len(seen) + len(absent)),
        comparison=">=",
        unit="families",
        details=shown(details),
    )


def detector_beats_rule(facts: Facts, params: Params) -> CheckResult:
    """The chosen detector is the fixed rule, or finds more than it by 1 SE (conv; Model5)."""
    found = step_facts(facts, params, SELECT)
    held = {str(row.get("family")): row for row in rows(found, "candidates")}
    chosen, rule = held.get(str((found or {}).get("family"))), held.get("robust_z")
    ours, theirs = number(chosen, "mean"), number(rule, "mean")
    if chosen is None or ours is None or theirs is None:
        return insufficient("the detector has not been held against the fixed rule")
    error = number(chosen, "standard_error") or 0.0
    same = chosen is rule
    gain = ours - theirs
    return CheckResult(
        "pass" if same or gain > error else "fail",
        f"the fixed rule is as good as any other: it finds {theirs:.0%}"
        if same
        else f"finds {ours:.0%} of planted anomalies, the fixed rule {theirs:.0%}",
        value=gain,
        threshold=0.0 if same else error,
        comparison=">=",
        threshold_class="conv",
    )


def injected_recall(facts: Facts, params: Params) -> CheckResult:
    """At least 80 % of gross planted anomalies are found at the threshold (own)."""
    found = step_facts(facts, params, JUDGE)
    value, low, high = bounds(found, "recall")
    if value is None:
        return insufficient("no planted anomalies were looked for")
    threshold = limit(params, "threshold", 0.8)
    kinds = mapping(mapping(found, "recall"), "kinds")
    return CheckResult(
        judge(value, ">=", threshold),
        f"{value:.0%} of gross planted anomalies are found",
        value=value,
        low=low,
        high=high,
        threshold=threshold,
        comparison=">=",
        details=shown(
            {"kind": kind, **row} for kind, row in kinds.items() if isinstance(row, dict)
        ),
        advice="" if value >= threshold else "Other columns, another family, or more reviewers",
    )


def alerts_within_capacity(facts: Facts, params: Params) -> CheckResult:
    """On average no more alerts a day than people can review (own).

    What is counted is a rate: it is held against the day's rows that the brief states, where
    the later rows are fewer a day than that.
    """
    found = step_facts(facts, params, JUDGE)
    counted, *_ = bounds(found, "alerts_per_day")
    value, low, high = bounds(found, "alerts_at_volume")
    if value is None:
        value, low, high = bounds(found, "alerts_per_day")
    capacity = number(params, "capacity")
    capacity = number(found, "capacity") if capacity is None else capacity
    if value is None or capacity is None:
        return insufficient("the alerts per day are not known")
    above, days = number(found, "days_above") or 0, number(found, "days") or 0
    return CheckResult(
        judge(value, "<=", capacity),
        f"{value:.1f} alerts a day, {capacity:g} can be reviewed;"
        f" more than that on {above:.0f} of {days:.0f} days" + _volumes(found, counted),
        value=value,
        low=low,
        high=high,
        threshold=capacity,
        comparison="<=",
        unit="alerts a day",
        advice=""
        if value <= capacity
        else "A smaller share of the day (margin), or more reviewers",
    )


def _volumes(found: Params | None, counted: float | None) -> str:
    """What is known about how many rows a day has, where brief and data do not agree."""
    stated, measured = number(found, "stated_volume"), number(found, "measured_volume")
    told = ""
    if stated and measured and max(stated, measured) > DIFFERS * min(stated, measured):
        told = f"; the brief says {stated:,.0f} rows a day, the data have {measured:,.0f}"
        told += f" ({counted:.1f} alerts)" if counted is not None and measured < stated else ""
        told += ": the larger counts"
    if (found or {}).get("beyond_held_back") is True:
        told += "; so rare that no rows held back can tell how many there will be"
    return told


def cases_reviewed(facts: Facts, params: Params) -> CheckResult:
    """A person has looked at each of the strangest cases (own)."""
    found = step_facts(facts, params, REVIEW)
    k, reviewed = number(found, "k"), number(found, "reviewed")
    if k is None or reviewed is None:
        return insufficient("no cases have been reviewed yet")
    return CheckResult(
        judge(reviewed, ">=", k),
        f"{reviewed:.0f} of the {k:.0f} strangest cases are reviewed",
        value=reviewed,
        threshold=k,
        comparison=">=",
        unit="cases",
        details=shown(row for row in rows(found, "cases") if not row.get("verdict")),
    )


def precision_at_k(facts: Facts, params: Params) -> CheckResult:
    """Enough of the strangest cases are anomalies to the reviewers: as the brief asks (own)."""
    found = step_facts(facts, params, REVIEW)
    value, low, high = bounds(found, "precision_at_k")
    if value is None:
        return insufficient("no cases have been reviewed yet")
    threshold = limit(params, "threshold", 0.5)
    keys = ("case", "verdict", "score", "reason")
    return CheckResult(
        judge(value, ">=", threshold),
        f"{number(found, 'anomalies') or 0:.0f} of {number(found, 'reviewed') or 0:.0f} reviewed"
        " cases are anomalies",
        value=value,
        low=low,
        high=high,
        threshold=threshold,
        comparison=">=",
        details=shown({key: row.get(key) for key in keys} for row in rows(found, "cases")),
    )


def alert_rate_holds(facts: Facts, params: Params) -> CheckResult:
    """Later rows alert at most twice, and at least half, as often as ordinary ones would (own)."""
    found = step_facts(facts, params, JUDGE)
    if found is not None and found.get("enough") is False:
        return insufficient(f"{number(found, 'rows') or 0:.0f} rows are too few to judge")
    rate = mapping(found, "alert_rate")
    value, low, high = bounds(found, "alert_rate")
    ratio, expected = number(rate, "ratio"), number(rate, "expected")
    if value is None or ratio is None or expected is None:
        return insufficient("the alert rate has not been measured")
    times = limit(params, "times", 2.0)
    holds = 1 / times <= ratio <= times
    return CheckResult(
        "pass" if holds else "fail",
        f"{value:.1%} of the rows alert, {expected:.1%} were expected",
        value=value,
        low=low,
        high=high,
        threshold=expected * times if ratio >= 1 else expected / times,
        comparison="<=" if ratio >= 1 else ">=",
        advice="" if holds else "What is ordinary has changed: learn again, or look at the source",
    )


def alerts_hold(facts: Facts, params: Params) -> CheckResult:
    """Live: alerts a day within capacity, and as often as expected (own)."""
    found = step_facts(facts, params, ALERTS)
    if found is None or found.get("enough") is not True:
        return insufficient("too few answers to count alerts")
    value, low, high = bounds(found, "alerts_per_day")
    rate = mapping(found, "alert_rate")
    problems = [
        told
        for wrong, told in (
            (found.get("over_capacity") is True, "more than can be reviewed"),
            (found.get("moved") is True, f"{number(rate, 'ratio') or 0:.1f} times as often"),
        )
        if wrong
    ]
    return CheckResult(
        "fail" if problems else "pass",
        f"{value or 0:.1f} alerts a day" + (f": {', '.join(problems)}" if problems else ""),
        value=value,
        low=low,
        high=high,
        threshold=number(found, "capacity"),
        comparison="<=",
        unit="alerts a day",
    )


def detector_not_worse(facts: Facts, params: Params) -> CheckResult:
    """Ranks planted anomalies no worse than the champion, by 1 SE (conv; Infra4).

    A detector's score is a share, no probability: losses that read it as one are not looked at.
    """
    found = step_facts(facts, params, COMPARE)
    if found is None or "metrics" not in found:
        return insufficient("challenger and champion have not been compared")
    if found.get("champion") is None:
        return CheckResult("pass", "a first release: there is no champion")
    compared = [row for row in rows(found, "metrics") if row.get("metric") in ("roc_auc", "pr_auc")]
    worse = [str(row["metric"]) for row in compared if row.get("not_worse") is False]
    first = next((row for row in compared if row.get("metric") == "pr_auc"), None)
    return CheckResult(
        "fail" if worse else "pass",
        f"worse on {listed(worse)}" if worse else "no worse than the champion",
        value=number(first, "gain"),
        low=number(first, "low"),
        high=number(first, "high"),
        threshold_class="conv",
        details=shown(compared),
    )
