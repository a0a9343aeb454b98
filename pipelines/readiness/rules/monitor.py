"""Monitoring: Mon1 to Mon7. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pipelines.checks.anomalies import alerts_hold
from pipelines.checks.contract import CheckFunction
from pipelines.checks.monitoring import quality_holds
from pipelines.readiness.evidence import Evidence
from pipelines.readiness.rules.findings import (
    ALWAYS,
    FULL,
    HALF,
    NONE,
    ONCE,
    RED,
    WEIGHED,
    Finding,
    Rule,
    checked,
    computed,
    nothing,
    red,
)

# How many times slower, larger or longer than the release before counts as worse (own): times on
# a machine that others use, too, vary by a third.
MOST_SLOWER, MOST_LARGER = 1.5, 1.25
LOCKED: Final = checked(("environment_locked",), by=("retrain_clean", "refit_anomalies"))
FAST: Final = checked(("latency_within_slo",), by=("load_test",))
SERVED: Final = checked(("schema_matches_serving",), by=("load_test",))
REFUSED: Final = checked(("bad_input_refused",), by=("load_test",))
STEADY: Final = checked(("numerically_stable",), by=("stress_model",))
QUALITY: Final = checked(
    ("quality_holds",), ("alerts_hold",), by=("measure_quality", "measure_alerts")
)
# Windows that a watch measures, with what judges them.
WINDOWS: Final[tuple[tuple[str, str, CheckFunction], ...]] = (
    ("measure_quality", "monitor.quality", quality_holds),
    ("measure_alerts", "monitor.alerts", alerts_hold),
)


def _dependencies(evidence: Evidence) -> Finding:
    """Mon1: packages as locked, and what changed in packages and schema since the last release."""
    found = LOCKED(evidence)
    if found.points == NONE or found.red:
        return found
    told = _changes(evidence)
    if told is None:
        text = f"{found.text} There is no earlier release to compare with."
        return replace(found, points=HALF, basis=ONCE, text=text)
    return replace(found, text=f"{found.text} Since {evidence.previous_name}: {told}.")


def _changes(evidence: Evidence) -> str | None:
    """What differs from the release before in packages and upstream columns; None: unknown."""
    environment = evidence.fact("environment").get("environment")
    proposed = evidence.fact("roles", "columns")
    trained = evidence.previous.get("retrain_clean") or evidence.previous.get("refit_anomalies")
    before = (trained or {}).get("environment")
    before_columns = evidence.previous.get("infer_contract", {}).get("columns")
    if not isinstance(environment, Mapping) or not isinstance(before, Mapping):
        return None
    if not proposed or not isinstance(before_columns, list):
        return None
    packages = _differences(before.get("packages"), environment.get("packages"))
    columns = _differences(_types(before_columns), _types(proposed.get("columns") or []))
    return f"packages {packages}; columns of the source {columns}"


def _types(columns: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {str(column.get("name")): column.get("type") for column in columns}


def _differences(before: Any, now: Any) -> str:
    old, new = dict(before or {}), dict(now or {})
    changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    if not changed:
        return "unchanged"
    shown = [f"{name} {old.get(name, 'new')} → {new.get(name, 'gone')}" for name in changed[:4]]
    more = f" and {len(changed) - 4} more" if len(changed) > 4 else ""
    return f"changed: {', '.join(shown)}{more}"


def _invariants(evidence: Evidence) -> Finding:
    """Mon2: the signature judges every live input; before it is live, rows of the source."""
    found = SERVED(evidence)
    if found.points == NONE or found.basis == WEIGHED or not evidence.live.version:
        told = "" if evidence.live.version else " Nothing is live yet."
        return replace(found, points=min(found.points, HALF), text=f"{found.text}{told}")
    text = f"{evidence.live.version} answers; each input is held against its signature."
    return replace(
        found, points=FULL, basis=ALWAYS, text=f"{text} {found.text}", noun="model",
        pk=evidence.model,
    )  # fmt: skip


def _no_skew(evidence: Evidence) -> Finding:
    """Mon3: rows of the source along the serving path (not requests that were logged)."""
    tried = evidence.fact("skew_rows", "rows")
    if not tried:
        return nothing("No rows have been sent along the serving path.")
    skewed, rows = int(tried["skew_rows"]), int(tried["rows"])
    text = f"{skewed} of {rows:,} rows of the source score differently when served."
    return red(text, evidence, "load_test") if skewed else computed(text, evidence, "load_test")


def _not_stale(evidence: Evidence) -> Finding:
    """Mon4: the age of what answers against the half-life; held against it at every look."""
    living = evidence.live
    aged = evidence.fact("half_life_days")
    if not living.version:
        return nothing("Nothing is live, so nothing ages.")
    if living.learned_until is None or living.answered_until is None:
        return nothing(f"{living.version}: until when it learned is not known.")
    days = (living.answered_until - living.learned_until).total_seconds() / 86_400
    clock = "" if living.in_data_time else " by the clock, for its rows have no time"
    text = f"{living.version} answered rows {days:,.0f} days younger than it learned from{clock}"
    at = ("model", evidence.model)
    if not aged:
        return Finding(HALF, f"{text}; no half-life is known.", ONCE, *at)
    half = aged["half_life_days"]
    limit = half if half is not None else aged.get("oldest_days")
    if limit is None:
        return Finding(HALF, f"{text}; how fast it ages was not measured.", ONCE, *at)
    sources = evidence.step("age_model")
    if days <= limit:
        known = f"half-life {half} days" if half is not None else f"no decay within {limit} days"
        return Finding(FULL, f"{text}; {known}.", ALWAYS, *at, sources=sources)
    if half is None:
        told = f"{text}; no decay within {limit} days, and nothing is known beyond."
        return Finding(HALF, told, ONCE, *at, sources=sources)
    return Finding(NONE, f"{text}: older than its half-life of {half} days.", RED, *at, sources)


def _stable(evidence: Evidence) -> Finding:
    """Mon5: no failed or missing score in windows of answers, and disturbed inputs still score."""
    window = evidence.fact("unscored", "failed", "n")
    disturbed = STEADY(evidence)
    if not window:
        found = disturbed if disturbed.points or disturbed.red else REFUSED(evidence)
        text = f"{found.text} No window of answers was measured yet."
        return replace(found, points=min(found.points, HALF), text=text)
    bad = int(window["unscored"]) + int(window["failed"])
    text = f"{bad} of {int(window['n']):,} answers failed or had no score ({window['mode']})."
    if bad:
        return red(text, evidence, "measure_traffic")
    found = computed(text, evidence, "measure_traffic", "measure_alerts")
    if disturbed.red:
        return disturbed
    if disturbed.basis == WEIGHED:
        return replace(disturbed, text=f"{found.text} {disturbed.text}")
    if not disturbed.points:
        return replace(found, points=HALF, basis=ONCE, text=f"{found.text} Inputs not disturbed.")
    return replace(found, text=f"{found.text} {disturbed.text}")


def _fast(evidence: Evidence) -> Finding:
    """Mon6: within the brief's limit, and near the release before in time, memory and training."""
    found = FAST(evidence)
    if found.points == NONE:
        return found
    now, before = evidence.fact("p95_seconds", "memory_mib"), evidence.previous.get("load_test", {})
    if not before:
        text = f"{found.text} There is no earlier release to compare with."
        return replace(found, points=HALF, basis=ONCE, text=text)
    before_search = evidence.previous.get("search_candidate", {})
    before_fit = evidence.previous.get("train_candidate", {})
    search, fit = evidence.fact("search_seconds", "tried"), evidence.fact("fit_seconds")
    compared = [
        ("answer time, 95 of 100", now.get("p95_seconds"), before.get("p95_seconds"), MOST_SLOWER),
        ("memory", now.get("memory_mib"), before.get("memory_mib"), MOST_LARGER),
        ("one fit", _per_fit(search, fit), _per_fit(before_search, before_fit), MOST_SLOWER),
    ]  # fmt: skip
    ratios = [(name, a / b, most) for name, a, b, most in compared if a and b]
    told = ", ".join(f"{name} {ratio:.2f} times" for name, ratio, _ in ratios)
    text = f"{found.text} Beside {evidence.previous_name}: {told or 'nothing to compare'}."
    worse = [
        f"{name} {ratio:.2f} times, {most} times allowed"
        for name, ratio, most in ratios
        if ratio > most
    ]
    if worse:
        return red(f"{text} Worse: {'; '.join(worse)}.", evidence, "load_test")
    if not ratios:
        return replace(found, points=HALF, basis=ONCE, text=text)
    return replace(found, text=text)


def _per_fit(searched: Mapping[str, Any], trained: Mapping[str, Any]) -> float | None:
    """Seconds of one fit: of the search's trials on the mean, else of the one training."""
    seconds, tried = searched.get("search_seconds"), searched.get("tried")
    if isinstance(seconds, int | float) and isinstance(tried, int) and tried:
        return float(seconds) / tried
    fit = trained.get("fit_seconds")
    return float(fit) if isinstance(fit, int | float) else None


def _quality(evidence: Evidence) -> Finding:
    """Mon7: the metric on labelled answers of the latest window: a watch's, else the run's own."""
    for operation, place, judge in WINDOWS:
        seen = _window(evidence, operation, place, judge)
        if seen is not None:
            return seen
    found = QUALITY(evidence)
    if found.points == NONE and not found.red and evidence.labels:
        text = f"{evidence.labels:,} labels; no window judged."
        return Finding(HALF, text, ONCE, "model", evidence.model)
    return found if found.points or found.red else replace(found, text=_unlabelled(found, evidence))


def _window(evidence: Evidence, operation: str, place: str, judge: CheckFunction) -> Finding | None:
    """What the last watch says; None where there was none, or too little to judge by."""
    if operation not in evidence.watched:
        return None
    facts, source = evidence.watched[operation]
    judged = judge({place: dict(facts)}, {})
    text, run = f"{judged.summary.rstrip('.')}. Seen by {source.label}.", source.run or 0
    if judged.verdict == "fail":
        times = evidence.times(operation)
        return Finding(NONE, text, RED, "run", run, (source,), times)
    if judged.verdict == "pass":
        found = computed(text, evidence, operation, at=("run", run))
        return replace(found, sources=(source, *found.sources))
    return None


def _unlabelled(found: Finding, evidence: Evidence) -> str:
    return found.text if evidence.checks.get("quality_holds") else "No label has come back yet."


RULES: Final[Mapping[str, Rule]] = {
    "Mon1": _dependencies,
    "Mon2": _invariants,
    "Mon3": _no_skew,
    "Mon4": _not_stale,
    "Mon5": _stable,
    "Mon6": _fast,
    "Mon7": _quality,
}
