"""Checks of worries, leaks, split and baseline (stage S2, hand-off H3)."""

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
    names,
    number,
    passed,
    rows,
    shown,
    step_facts,
    text,
)

WORRIES, LEAKAGE = "explore.worries", "explore.leakage"
SPLIT, BASELINE = "explore.split", "explore.baseline"
REPEATS = 0.05  # own: a copy now and then is a second reading, one row in twenty is a leak


def no_open_blocker(facts: Facts, params: Params) -> CheckResult:
    """No worry about the data blocks; `accept` names worries that are answered (own)."""
    found = step_facts(facts, params, WORRIES)
    if found is None or "findings" not in found:
        return insufficient("the worries have not been looked at yet")
    accepted = set(names(params, "accept"))
    findings = rows(found, "findings")
    blockers = [
        row
        for row in findings
        if row.get("severity") == "blocker" and row.get("worry") not in accepted
    ]
    told = "; ".join(f"{text(row, 'worry')}: {text(row, 'message')}" for row in blockers[:3])
    warnings = sum(row.get("severity") == "warn" for row in findings)
    return CheckResult(
        "fail" if blockers else "pass",
        told or f"no blocker, {warnings} warnings",
        value=float(len(blockers)),
        threshold=0.0,
        comparison="<=",
        unit="blockers",
        details=shown(blockers or findings),
        advice=text(blockers[0], "advice") if blockers else "",
    )


def leakage_clean(facts: Facts, params: Params) -> CheckResult:
    """No column that may become a feature gives the target away alone (own, W6).

    It cannot see a leak that works only together with other columns.
    """
    found = step_facts(facts, params, LEAKAGE)
    if found is None or "open" not in found:
        return insufficient("the leakage scan has not run yet")
    suspects = names(found, "open")
    highest = mapping(found, "highest_open")
    threshold = number(found, "threshold")
    answered = [row for row in rows(found, "suspects") if row.get("answer") != "open"]
    return CheckResult(
        "fail" if suspects else "pass",
        f"suspects: {', '.join(suspects)}"
        if suspects
        else f"no open suspect, {len(answered)} answered",
        value=number(highest, "score"),
        threshold=threshold,
        comparison="<=" if threshold is not None else None,
        unit=text(found, "measure"),
        details=shown([*rows(found, "suspects"), *rows(found, "future_times")]),
        advice="Declare them as known afterwards in the data contract, or exclude them"
        if suspects
        else "",
    )


def no_overlap(facts: Facts, params: Params) -> CheckResult:
    """No row, and no group, is in training and holdout both (own).

    Nor is a row told again at another time, where that is no chance: see `_told_again`.
    """
    found = step_facts(facts, params, SPLIT)
    shared = number(found, "overlap_rows")
    if shared is None:
        return insufficient("the data have not been split yet")
    groups = number(found, "groups_shared") or 0.0
    threshold = limit(params, "threshold", 0.0)
    said = f"{shared:,.0f} rows and {groups:,.0f} groups are in both parts"
    touched = number(found, "group_rows_shared")
    if groups and touched is not None:
        said += f"; {touched:.1%} of the rows to decide on are of groups that have trained"
    again = _told_again(found, limit(params, "repeats", REPEATS))
    if again:
        said += f"; {again:,.0f} rows to decide on are training rows at another time"
    return CheckResult(
        judge(shared + groups + again, "<=", threshold),
        said,
        value=shared + groups + again,
        threshold=threshold,
        comparison="<=",
        unit="rows",
    )


def _told_again(found: Mapping[str, Json] | None, limit: float) -> float:
    """Rows that only their time tells from a training row, 0 where chance explains them.

    Rows of few values meet by chance, within training as much as across the split: the share
    among rows to decide on has to pass the limit and twice the share within training (own).
    """
    again = number(found, "repeated_rows") or 0.0
    held = number(mapping(mapping(found, "parts"), "holdout"), "rows") or 0.0
    usual = number(found, "repeated_share_train") or 0.0
    return again if held and again / held > max(limit, 2 * usual) else 0.0


def split_reproducible(facts: Facts, params: Params) -> CheckResult:
    """The split, made again from its recipe and seed, gave the same rows (own, H3)."""
    found = step_facts(facts, params, SPLIT)
    if found is None or "reproducible" not in found:
        return insufficient("the split has not been made a second time")
    clean = found.get("clean") is True
    again = "made again in a clean process" if clean else "made twice"
    if found["reproducible"] is True:
        return passed(f"{again} with one result, {text(found, 'digest')[:12]}")
    return CheckResult(
        "fail",
        f"{again}, the split gave different rows",
        details=shown(rows(found, "differences")),
        advice="Look for a source of chance without a seed, or for a table that was changed",
    )


def events_enough(facts: Facts, params: Params) -> CheckResult:
    """At least 50 rows of the rarest class to decide on (95 % interval within 14 points)."""
    holdout = mapping(mapping(step_facts(facts, params, SPLIT), "parts"), "holdout")
    size = number(holdout, "rows")
    if size is None:
        return insufficient("the data have not been split yet")
    rarest = number(holdout, "rarest")
    value = size if rarest is None else rarest
    threshold = limit(params, "threshold", 50)
    what = "rows" if rarest is None else "rows of the rarest class"
    return CheckResult(
        judge(value, ">=", threshold),
        f"{value:,.0f} {what} to decide on",
        value=value,
        threshold=threshold,
        comparison=">=",
        unit="rows",
        threshold_class="conv",
    )


def baseline_recorded(facts: Facts, params: Params) -> CheckResult:
    """There is a figure that a model has to beat (own; ML Test Score Model5)."""
    found = step_facts(facts, params, BASELINE)
    primary = text(found, "primary")
    metric = mapping(mapping(mapping(found, "baselines"), "one_column"), primary)
    value = number(metric, "value")
    if value is None:
        return insufficient("no baseline has been scored yet")
    return CheckResult(
        "pass",
        f"one column ({text(found, 'column')}) alone reaches {primary} {value:.3f}",
        value=value,
        low=number(metric, "low"),
        high=number(metric, "high"),
        unit=primary,
    )
