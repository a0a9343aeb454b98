"""Checks of what a deployment answers, and of what it was worth (S8 to S10, watch)."""

from pipelines.checks.contract import (
    CheckResult,
    Comparison,
    Facts,
    Params,
    Verdict,
    decimals,
    insufficient,
    judge,
    limit,
    number,
    rows,
    shown,
    step_facts,
    text,
)

SHADOW = "deploy.shadow"
CANARY = "deploy.canary"
TRAFFIC = "serve.traffic"
DRIFT = "monitor.drift"
QUALITY = "monitor.quality"

ERROR_SHARE = 0.001  # catalogue 6.3: at most 0.1 % above the champion (own)
CANARY_HOURS = 24.0  # of event time; tier 3 may do without (own)
MINIMUM_REFERENCE = 200  # below, no PSI is measured (meas)


def shadow_agrees(facts: Facts, params: Params) -> CheckResult:
    """Scores in shadow are spread as those of the evaluation, judged by the window's size."""
    return _scores_agree(facts, params, SHADOW, "shadow")


def canary_agrees(facts: Facts, params: Params) -> CheckResult:
    """Scores of the canary are spread as those of the evaluation (Infra6)."""
    return _scores_agree(facts, params, CANARY, "the canary")


def _scores_agree(facts: Facts, params: Params, default: str, where: str) -> CheckResult:
    found = step_facts(facts, params, default)
    psi, allowed = number(found, "psi"), number(found, "psi_limit")
    if found is None or psi is None or allowed is None:
        return insufficient(f"Too few scores in {where} to compare them with the evaluation's.")
    # The season may move scores; a blueprint may widen the limit and has to say so.
    allowed = max(allowed, limit(params, "max_psi", allowed))
    count = int(number(found, "n") or 0)
    return CheckResult(
        judge(psi, "<=", allowed),
        f"PSI of {count:,} scores in {where} against the evaluation's:"
        f" {decimals(psi, 3)}, limit {decimals(allowed, 3)}.",
        value=psi, threshold=allowed, comparison="<=", threshold_class="meas",
    )  # fmt: skip


def shadow_enough(facts: Facts, params: Params) -> CheckResult:
    """The shadow window has as many predictions as asked for."""
    return _enough(facts, params, SHADOW)


def canary_enough(facts: Facts, params: Params) -> CheckResult:
    """The canary answered enough predictions over enough event time (Infra6)."""
    return _enough(facts, params, CANARY)


def served_enough(facts: Facts, params: Params) -> CheckResult:
    """The first window of live traffic has as many predictions as asked for (`fact`: as rows)."""
    return _enough(facts, params, TRAFFIC)


def _enough(facts: Facts, params: Params, default: str) -> CheckResult:
    found = step_facts(facts, params, default)
    count = number(found, text(params, "fact", "n"))
    if found is None or count is None:
        return insufficient("No predictions have been counted yet.")
    needed = limit(params, "minimum", number(found, "minimum") or 1)
    hours, needed_hours = number(found, "event_hours") or 0.0, limit(params, "minimum_hours", 0.0)
    verdict: Verdict = "pass" if count >= needed and hours >= needed_hours else "insufficient"
    return CheckResult(
        verdict,
        f"{count:,.0f} predictions over {hours:,.1f} h of event time;"
        f" asked for: {needed:,.0f}" + (f" over {needed_hours:g} h." if needed_hours else "."),
        value=count, threshold=needed, comparison=">=", unit="predictions",
    )  # fmt: skip


def error_rate_ok(facts: Facts, params: Params) -> CheckResult:
    """The model failed on no more than the allowed share of rows that suit it."""
    found = step_facts(facts, params, CANARY)
    share = number(found, "error_share")
    if found is None or share is None:
        return insufficient("No answers have been counted yet.")
    allowed = limit(params, "max_share", ERROR_SHARE)
    return CheckResult(
        judge(share, "<=", allowed),
        f"{decimals(share * 100, 2)}% of answers failed;"
        f" {decimals(allowed * 100, 2)}% are allowed.",
        value=share, threshold=allowed, comparison="<=",
    )  # fmt: skip


def log_complete(facts: Facts, params: Params) -> CheckResult:
    """Every logged prediction has a score and a key of its own (H7)."""
    found = step_facts(facts, params, TRAFFIC)
    if found is None:
        return insufficient("No predictions have been counted yet.")
    unscored, repeated = number(found, "unscored") or 0, number(found, "repeated_keys") or 0
    return CheckResult(
        judge(unscored, "<=", 0),
        f"{unscored:.0f} logged predictions lack a score; {repeated:.0f} keys were asked again.",
        value=unscored, threshold=0, comparison="<=",
    )  # fmt: skip


def reference_set(facts: Facts, params: Params) -> CheckResult:
    """There is a reference to hold later windows against (H7); `fact` names its rows."""
    found = step_facts(facts, params, TRAFFIC)
    count = number(found, text(params, "fact", "reference_rows"))
    if count is None:
        return insufficient("No reference has been named.")
    return CheckResult(
        judge(count, ">=", MINIMUM_REFERENCE), f"The reference has {count:,.0f} rows.",
        value=count, threshold=MINIMUM_REFERENCE, comparison=">=", threshold_class="meas",
    )  # fmt: skip


def drift_quiet(facts: Facts, params: Params) -> CheckResult:
    """No column, and not the score, has moved beyond its size-aware limit."""
    found = step_facts(facts, params, DRIFT)
    alerts = number(found, "alerts")
    if found is None or alerts is None:
        return insufficient("No window has been held against the reference yet.")
    if found.get("enough") is False:
        return insufficient(f"{number(found, 'rows') or 0:.0f} rows are not enough data.")
    looked = len(rows(found, "columns"))
    return CheckResult(
        judge(alerts, "<=", 0),
        f"{alerts:.0f} of {looked} columns have drifted." if alerts else "Nothing has drifted.",
        value=alerts, threshold=0, comparison="<=", threshold_class="meas",
        details=shown(rows(found, "alert_list")), advice=text(found, "advice"),
    )  # fmt: skip


def quality_holds(facts: Facts, params: Params) -> CheckResult:
    """The metric on late labels stays within its control limit (Mon7)."""
    found = step_facts(facts, params, QUALITY)
    if found is None or found.get("enough") is not True:
        count = number(found, "labelled") or 0
        return insufficient(f"{count:.0f} labels have come in; that is not enough to judge.")
    value, allowed = number(found, "value"), number(found, "control_limit")
    if value is None or allowed is None:
        return insufficient("The metric is not defined on this window.")
    metric = text(found, "metric", "the metric")
    comparison: Comparison = "<=" if found.get("higher_is_better") is False else ">="
    return CheckResult(
        judge(value, comparison, allowed),
        f"{metric} on {number(found, 'labelled') or 0:,.0f} late labels: {decimals(value, 4)};"
        f" control limit {decimals(allowed, 4)}.",
        value=value, low=number(found, "low"), high=number(found, "high"), threshold=allowed,
        comparison=comparison, previous=number(found, "reference"),
    )  # fmt: skip


def kpi_holds(facts: Facts, params: Params) -> CheckResult:
    """What the decisions were worth, in money per 1,000 rows, beside doing nothing."""
    found = step_facts(facts, params, QUALITY)
    value = number(found, "worth_per_1000")
    if found is None or found.get("enough") is not True or value is None:
        return insufficient("No worth can be told before labels and costs are known.")
    needed = limit(params, "minimum", 0.0)
    low, high = number(found, "worth_low"), number(found, "worth_high")
    # The lower bound decides: an estimate above zero may still be luck.
    verdict = judge(value if low is None else low, ">=", needed)
    unit = text(found, "currency")
    return CheckResult(
        verdict,
        f"Worth {value:,.0f} {unit} per 1,000 rows beside"
        f" {text(found, 'beside', 'doing nothing')}.",
        value=value, low=low, high=high, threshold=needed, comparison=">=", unit=unit,
    )  # fmt: skip
