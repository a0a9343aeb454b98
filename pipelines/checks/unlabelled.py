"""Checks of data that nothing is predicted from (stage S1)."""

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Params,
    insufficient,
    judge,
    limit,
    number,
    step_facts,
)

VALIDATE = "source.validate"


def rows_to_learn(facts: Facts, params: Params) -> CheckResult:
    """Enough rows for groups or habits to show: 200, of which 2 % are still 4 (own)."""
    rows = number(step_facts(facts, params, VALIDATE), "rows")
    if rows is None:
        return insufficient("the rows have not been counted yet")
    threshold = limit(params, "threshold", 200.0)
    return CheckResult(
        judge(rows, ">=", threshold),
        f"{rows:,.0f} rows to learn from",
        value=rows,
        threshold=threshold,
        comparison=">=",
        unit="rows",
        advice="" if rows >= threshold else "Bring more rows",
    )
