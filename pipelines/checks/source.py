"""Checks of the data and their contract (stage S1, hand-off H2)."""

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Json,
    Params,
    insufficient,
    item_data,
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

SEAL, VALIDATE, ITEM = "source.seal", "source.validate", "source.contract"


def contract_signed(facts: Facts, params: Params) -> CheckResult:
    """The data engineer has signed, and the signed contract is sealed (ML Test Score Data1)."""
    found, data = step_facts(facts, params, SEAL), item_data(facts, params, ITEM)
    if found is None or data is None:
        return insufficient("the data contract is not sealed and signed yet")
    if data.get("signed") is not True:
        return CheckResult("fail", "the data contract is not signed", advice="Sign it in the form")
    return passed(f"signed and sealed as {text(found, 'digest')[:12]}")


def schema_holds(facts: Facts, params: Params) -> CheckResult:
    """No blocking violation, and warnings in at most 0.1 % of the rows (own; Data1, Mon2)."""
    found = step_facts(facts, params, VALIDATE)
    blocking, share = number(found, "blocking"), number(found, "rows_warning_share")
    if blocking is None or share is None:
        return insufficient("the data have not been held against their contract yet")
    threshold = limit(params, "threshold", 0.001)
    details = shown(rows(found, "violations"))
    if blocking:
        return CheckResult(
            "fail",
            f"{blocking:.0f} rules are broken that block",
            value=blocking,
            threshold=0.0,
            comparison="<=",
            unit="violations",
            details=details,
            advice="Correct the source, or sign a new data contract",
        )
    return CheckResult(
        judge(share, "<=", threshold),
        f"no blocking violation; {share:.3%} of the rows break a warning rule",
        value=share,
        threshold=threshold,
        comparison="<=",
        details=details,
    )


def pii_resolved(facts: Facts, params: Params) -> CheckResult:
    """Every column that may hold personal data has a decision (own; Data4, Data5)."""
    found = step_facts(facts, params, SEAL)
    if found is None or "pii_unresolved" not in found:
        return insufficient("the data contract is not sealed yet")
    unresolved = rows(found, "pii_unresolved")
    columns = ", ".join(text(row, "column") for row in unresolved)
    return CheckResult(
        "fail" if unresolved else "pass",
        f"undecided personal data: {columns}" if unresolved else "no personal data is undecided",
        value=float(len(unresolved)),
        threshold=0.0,
        comparison="<=",
        unit="columns",
        details=shown(unresolved),
        advice="Say for each whether it is personal: drop, hash, or keep with a reason"
        if unresolved
        else "",
    )


def rows_enough(facts: Facts, params: Params) -> CheckResult:
    """Enough labelled rows: 250 of the rarest class give 50 in a fifth to decide on.

    50 events keep the 95 % interval of a share within about 14 points. Where the
    target has no classes, 500 labelled rows (own).
    """
    labels = mapping(step_facts(facts, params, VALIDATE), "labels")
    labelled, rarest = number(labels, "labelled"), number(labels, "rarest")
    if labelled is None:
        return insufficient("the labelled rows have not been counted yet")
    classes = labels.get("classes")
    details: tuple[dict[str, Json], ...] = ()
    if rarest is not None and isinstance(classes, dict):
        details = tuple({"class": name, "rows": count} for name, count in classes.items())
        value, threshold = rarest, limit(params, "min_per_class", 250)
        summary = f"the rarest class has {rarest:,.0f} rows"
    else:
        value, threshold = labelled, limit(params, "min_rows", 500)
        summary = f"{labelled:,.0f} rows have a label"
    return CheckResult(
        judge(value, ">=", threshold),
        summary,
        value=value,
        threshold=threshold,
        comparison=">=",
        unit="rows",
        details=details,
    )


def fresh_enough(facts: Facts, params: Params) -> CheckResult:
    """The newest row is no older than the data contract allows, when handed over (own, H2)."""
    freshness = mapping(step_facts(facts, params, VALIDATE), "freshness")
    if not freshness:
        return insufficient("freshness has not been measured yet")
    allowed = number(params, "max_age_days")
    if allowed is None:
        allowed = number(freshness, "max_age_days")
    newest = text(freshness, "newest", "unknown")
    if allowed is None:
        return passed(f"the data contract sets no limit; newest row {newest}")
    age = number(freshness, "age_days")
    if age is None:
        return insufficient(
            f"at most {allowed:g} days are allowed, but the age of the newest row ({newest}) is"
            " not known",
            advice="Name the time column of the rows, or sign a data contract without a limit",
        )
    return CheckResult(
        judge(age, "<=", allowed),
        f"the newest row is {age:.1f} days old ({newest})",
        value=age,
        threshold=allowed,
        comparison="<=",
        unit="days",
    )


def label_share(facts: Facts, params: Params) -> CheckResult:
    """Share of rows with a label (own)."""
    labels = mapping(step_facts(facts, params, VALIDATE), "labels")
    share = number(labels, "share")
    if share is None:
        return insufficient("the share of labelled rows is not known")
    threshold = limit(params, "threshold", 0.5)
    return CheckResult(
        judge(share, ">=", threshold),
        f"{share:.1%} of the rows have a label",
        value=share,
        threshold=threshold,
        comparison=">=",
    )


def datasheet_filled(facts: Facts, params: Params) -> CheckResult:
    """Origin, rights, refresh, retention, contact, gaps and nulls are told (own, H2)."""
    found = step_facts(facts, params, SEAL)
    sheet = mapping(found, "datasheet")
    if not sheet:
        return insufficient("the data contract is not sealed yet")
    wanted = names(params, "fields") or list(sheet)
    missing = [name for name in wanted if sheet.get(name) is not True]
    return CheckResult(
        "fail" if missing else "pass",
        f"not told: {', '.join(missing)}" if missing else "the datasheet is filled in",
        value=float(len(wanted) - len(missing)),
        threshold=float(len(wanted)),
        comparison=">=",
        unit="fields",
        details=tuple({"field": name, "filled": name not in missing} for name in wanted),
        advice="Fill them in where the data contract is signed" if missing else "",
    )


def availability_declared(facts: Facts, params: Params) -> CheckResult:
    """For every column it is told whether it is known at prediction time (own)."""
    found = step_facts(facts, params, SEAL)
    if found is None or "undeclared" not in found:
        return insufficient("the data contract is not sealed yet")
    undeclared = names(found, "undeclared")
    after = names(found, "unavailable")
    return CheckResult(
        "fail" if undeclared else "pass",
        f"not told when known: {', '.join(undeclared)}"
        if undeclared
        else f"{len(after)} columns are known only after the prediction",
        value=float(len(undeclared)),
        threshold=0.0,
        comparison="<=",
        unit="columns",
        details=shown({"column": name, "available": "not told"} for name in undeclared)
        + shown({"column": name, "available": "after"} for name in after),
        advice="Declare each column as known before or after the prediction" if undeclared else "",
    )
