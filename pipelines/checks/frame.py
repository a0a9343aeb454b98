"""Checks of the brief (stage S0, hand-off H1)."""

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Params,
    insufficient,
    item_data,
    judge,
    limit,
    names,
    number,
    passed,
    rows,
    shown,
    step_facts,
    text,
)

STEP, GO_ITEM, BRIEF_ITEM = "frame.value", "frame.go", "frame.brief"
PERSONAS = ("BA", "DE", "DS", "MLR", "MLE", "SWE", "OPS")
GO_WORDS = ("go", "yes", "approve", "approved")


def brief_complete(facts: Facts, params: Params) -> CheckResult:
    """Every field of the brief is filled in: completeness 100 % (own)."""
    found = step_facts(facts, params, STEP)
    share = number(found, "completeness")
    if share is None:
        return insufficient("the brief has not been judged yet")
    threshold = limit(params, "threshold", 1.0)
    missing = rows(found, "missing")
    labels = ", ".join(text(row, "label") or text(row, "field") for row in missing)
    return CheckResult(
        judge(share, ">=", threshold),
        f"the brief is {share:.0%} complete" + (f"; missing: {labels}" if missing else ""),
        value=share,
        threshold=threshold,
        comparison=">=",
        details=shown(missing),
        advice="Fill in the missing fields" if missing else "",
    )


def owners_named(facts: Facts, params: Params) -> CheckResult:
    """Someone holds a seat for every persona that owns a stage (own)."""
    run = facts.get("run")
    if run is None or not isinstance(run.get("seats"), list):
        return insufficient("the seats of the use case are not known")
    wanted = names(params, "personas") or list(PERSONAS)
    held = set(names(run, "seats"))
    missing = [code for code in wanted if code not in held]
    return CheckResult(
        "fail" if missing else "pass",
        f"no one sits for {', '.join(missing)}" if missing else "every persona has someone",
        value=float(len(wanted) - len(missing)),
        threshold=float(len(wanted)),
        comparison=">=",
        unit="personas",
        details=tuple({"persona": code, "seat": code in held} for code in wanted),
        advice="Give the missing personas a seat on the use case" if missing else "",
    )


def go_no_go(facts: Facts, params: Params) -> CheckResult:
    """The business analyst has decided to go on (NIST AI RMF, MANAGE 1.1)."""
    data = item_data(facts, params, GO_ITEM)
    decision = text(data, "decision")
    if not decision:
        return insufficient("nobody has decided yet whether to go on")
    if decision.lower() in GO_WORDS:
        return passed("the decision is to go on")
    return CheckResult(
        "fail",
        f"the decision is {decision!r}",
        details=({"decision": decision, "reason": text(data, "reason")},),
    )


def kpi_mapped(facts: Facts, params: Params) -> CheckResult:
    """A model metric stands for the KPI, and the KPI has a value now (own, H1)."""
    found = step_facts(facts, params, STEP)
    if found is None or "kpi_mapped" not in found:
        return insufficient("the brief has not been judged yet")
    if found["kpi_mapped"] is True:
        return passed("a model metric stands for the KPI")
    return CheckResult(
        "fail",
        "the brief does not say which model metric stands for which KPI",
        advice="Name the KPI and the metric in the brief",
    )


def baseline_filled(facts: Facts, params: Params) -> CheckResult:
    """The KPI has a value now and one to reach, and they differ (own, H1)."""
    data = item_data(facts, params, BRIEF_ITEM)
    if data is None:
        return insufficient("the brief has not been written yet")
    now, target = number(data, "kpi_now"), number(data, "kpi_target")
    missing = [name for name, value in (("now", now), ("target", target)) if value is None]
    name = text(data, "kpi_name", "the KPI")
    if missing:
        return CheckResult(
            "fail",
            f"{name} has no value for: {', '.join(missing)}",
            value=2.0 - len(missing),
            threshold=2.0,
            comparison=">=",
            unit="values",
            advice="Measure the KPI as it is today: without it nobody can tell what was gained",
        )
    same = now == target
    return CheckResult(
        "fail" if same else "pass",
        f"{name} is {now:g} now and should be {target:g}" + (": nothing to gain" if same else ""),
        value=now,
        threshold_class="own",
        advice="Name the value that makes the work worth while" if same else "",
    )


def value_positive(facts: Facts, params: Params) -> CheckResult:
    """At best, the answer earns more than it costs to run (own)."""
    found = step_facts(facts, params, STEP)
    value = number(found, "value_per_year")
    if value is None:
        return insufficient("costs, benefit or volume are missing in the brief")
    threshold = limit(params, "threshold", 0.0)
    unit = text(found, "currency")
    return CheckResult(
        judge(value, ">=", threshold),
        f"worth at best {value:,.0f} {unit} a year".rstrip(),
        value=value,
        threshold=threshold,
        comparison=">=",
        unit=unit,
    )
