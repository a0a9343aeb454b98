"""Checks of the features stage, and the one that asks when features are known."""

from __future__ import annotations

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Json,
    Params,
    insufficient,
    judge,
    limit,
    names,
    number,
    rows,
    shown,
    text,
)
from pipelines.checks.reading import bounds, facts_with, listed

BUILD, SEAL, EXPLAIN = "features.build", "source.seal", "evaluate.explain"


def columns_mapped(facts: Facts, params: Params) -> CheckResult:
    """Every column has an explicit transformer (W9-W14)."""
    built = facts_with(facts, params, BUILD, "unmapped")
    if built is None:
        return insufficient("no feature definition was built")
    unmapped = rows(built, "unmapped")
    used = int(number(built, "columns_used") or 0)
    found = [str(row.get("column")) for row in unmapped]
    summary = (
        f"{len(found)} of {used + len(found)} columns have no transformer: {listed(found)}"
        if found
        else f"all {used} columns have an explicit transformer"
    )
    return CheckResult(
        judge(len(found), "<=", 0),
        summary,
        value=float(len(found)),
        threshold=0.0,
        comparison="<=",
        unit="columns",
        details=shown(unmapped),
        advice="Unpack, clean or exclude these columns by name." if found else "",
    )


def feature_tests(facts: Facts, params: Params) -> CheckResult:
    """The encoders withstand missing, unknown and absent values (Data7)."""
    built = facts_with(facts, params, BUILD, "tests")
    run = number(built, "tests_run")
    if built is None or not run:
        return insufficient("no feature tests were run")
    failed = int(number(built, "tests_failed") or 0)
    details: list[dict[str, Json]] = []
    for test in rows(built, "tests"):
        found = rows(test, "failures")
        details += [{"test": test.get("test"), **row} for row in found]
        if not found:
            details.append(
                {"test": test.get("test"), "promise": test.get("promise"), "passed": True}
            )
    details.sort(key=lambda row: row.get("passed") is True)
    return CheckResult(
        judge(failed, "<=", 0),
        f"{failed} of {int(run)} feature tests failed"
        if failed
        else f"all {int(run)} feature tests passed",
        value=float(failed),
        threshold=0.0,
        comparison="<=",
        unit="tests",
        details=shown(details),
        advice="Fix the named columns' values or exclude them." if failed else "",
    )


def features_available(facts: Facts, params: Params) -> CheckResult:
    """No feature is known only after the moment of prediction, by the sealed data contract."""
    built = facts_with(facts, params, BUILD, "known_after")
    if built is None:
        return insufficient("no feature definition was built")
    sealed = facts.get(text(params, "contract_step", SEAL), {})
    used = [str(row.get("column")) for row in rows(built, "columns")]
    after = set(names(built, "known_after")) | (set(names(sealed, "unavailable")) & set(used))
    late = [name for name in used if name in after]
    if late:
        return _known_later(late)
    undeclared = [
        n for n in names(built, "availability_undeclared") if n not in names(sealed, "available")
    ]
    if undeclared:
        return insufficient(
            f"the data contract does not say when {listed(undeclared)} are known",
            advice="Declare for each whether it is known before or after the prediction.",
        )
    return CheckResult(
        "pass",
        f"all {len(used)} features are known at the moment of prediction",
        value=0.0,
        threshold=0.0,
        comparison="<=",
        unit="features",
    )


def _known_later(late: list[str]) -> CheckResult:
    what, verb = ("features", "are") if len(late) > 1 else ("feature", "is")
    return CheckResult(
        "fail",
        f"{listed(late)}: {what} that {verb} known only after the moment of prediction",
        value=float(len(late)),
        threshold=0.0,
        comparison="<=",
        unit="features",
        details=shown({"column": name, "available": "after"} for name in late),
        advice=f"Send back to Features with the reason leakage and exclude {listed(late)}: "
        "in use the value does not exist yet, so every score measured with it is too good.",
    )


def features_beneficial(facts: Facts, params: Params) -> CheckResult:
    """Features that look idle one by one carry something together (Data2)."""
    explained = facts_with(facts, params, EXPLAIN, "without_benefit")
    if explained is None:
        return insufficient("no permutation importance was computed")
    idle, harmful = names(explained, "without_benefit"), names(explained, "harmful")
    value, low, high = bounds(explained, "idle_group")
    details = [row for row in rows(explained, "importance") if row.get("column") in idle]
    total = int(number(explained, "columns") or 0)
    if not idle:
        return CheckResult("pass", f"each of {total} features is beneficial", details=())
    least = limit(params, "minimum_gain", 0.0)
    useful = low is not None and low > least
    summary = f"{len(idle)} of {total} features may be of no use alone; together they " + (
        f"carry {value:+.4f}" if useful else "carry nothing that could be shown"
    )
    return CheckResult(
        "pass" if useful else "fail",
        summary + (f"; shuffling helps: {listed(harmful)}" if harmful else ""),
        value=value,
        low=low,
        high=high,
        threshold=least,
        comparison=">=",
        unit=text(explained, "metric"),
        details=shown(details),
        advice=f"Drop them and compare: {listed(idle, 10)}." if not useful else "",
    )
