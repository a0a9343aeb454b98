"""Features and data: Data1 to Data7. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from statistics import median
from typing import Any, Final

from pipelines.readiness.evidence import Evidence
from pipelines.readiness.rules.findings import (
    FULL,
    HALF,
    ONCE,
    REPEATED,
    TWICE,
    Finding,
    Rule,
    checked,
    computed,
    nothing,
    red,
)

QUICK_DAYS: Final = 30.0  # own: a new feature is judged within a month
LAST_CHANGES: Final = 5  # own: how many changes of features the lead time is taken over
DEFINES: Final = ("build_features", "build_inputs")

SCHEMA: Final = checked(("contract_signed", "schema_holds"), by=("validate_data",))
ALLOWED: Final = checked(("availability_declared", "features_available"), by=DEFINES)
PRIVATE: Final = checked(("pii_resolved",), by=("infer_contract",))


def _cost(evidence: Evidence) -> Finding:
    """Data3: time and gain per feature are computed; what a source costs has to be signed."""
    built = evidence.fact("columns_used", "columns")
    timed = [c for c in built.get("columns", []) if "per_1000_rows_seconds" in c]
    if not timed:
        return nothing("No time per feature was measured.")
    slowest = max(timed, key=lambda column: column["per_1000_rows_seconds"])
    milliseconds = slowest["per_1000_rows_seconds"] * 1000
    text = (
        f"Slowest of {len(timed)} features: {slowest['column']}, {milliseconds:.2f} ms per 1,000"
        f" rows.{_least_worth(evidence, timed)}"
    )
    found = computed(text, evidence, *DEFINES)
    signed = evidence.attested.get("Data3", ())
    if signed:
        told = f" Cost of the sources, as {signed[0].who} signed: {signed[0].statement}"
        return replace(found, text=found.text + told)
    return replace(
        found,
        points=HALF,
        basis=ONCE,
        text=f"{found.text} What the sources cost is not signed.",
    )


def _least_worth(evidence: Evidence, timed: list[Mapping[str, Any]]) -> str:
    """The gain of the score per millisecond, where shuffling told what a column is worth."""
    explained = evidence.fact("importance", "metric")
    gains = {row.get("column"): row.get("value") for row in explained.get("importance", [])}
    rates = {
        column["column"]: gains[column["column"]] / (column["per_1000_rows_seconds"] * 1000)
        for column in timed
        if column["per_1000_rows_seconds"] and gains.get(column["column"]) is not None
    }
    if not rates:
        return ""
    least = min(rates, key=lambda name: rates[name])
    return f" Least worth its time: {least}, {rates[least]:+.4f} {explained['metric']} per ms."


def _requirements(evidence: Evidence) -> Finding:
    """Data4: declared rights, and features only from what is allowed and there in time."""
    return _with_statement(ALLOWED(evidence), evidence, "rights")


def _privacy(evidence: Evidence) -> Finding:
    """Data5: every suspected column decided on, and a retention stated."""
    return _with_statement(PRIVATE(evidence), evidence, "retention")


def _with_statement(found: Finding, evidence: Evidence, key: str) -> Finding:
    said = evidence.said(key)
    if said:
        return replace(found, text=f"{found.text} Stated, {key}: {said}")
    if found.points == FULL:
        return replace(found, points=HALF, basis=ONCE, text=f"{found.text} Nobody stated: {key}.")
    return found


def _feature_change(evidence: Evidence) -> Finding:
    """Data6: from each change of features to the next evaluation, the last five changes."""
    last = evidence.lead_times[-LAST_CHANGES:]
    if not last:
        return nothing("No features have been changed and evaluated again yet.")
    middle = median(last)
    changes = "change" if len(last) == 1 else f"{len(last)} changes"
    text = f"The last {changes} of features took {_spell(middle)} to the next evaluation (median)."
    if middle > QUICK_DAYS * 86_400:
        return red(f"{text} More than {QUICK_DAYS:g} days.", evidence, *DEFINES)
    full = len(last) >= TWICE
    return Finding(
        FULL if full else HALF,
        text if full else f"{text} One change is no habit yet.",
        REPEATED if full else ONCE,
        "run",
        evidence.run,
        evidence.step(*DEFINES),
        len(evidence.lead_times),
    )


def _spell(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.0f} seconds"


RULES: Final[Mapping[str, Rule]] = {
    "Data1": SCHEMA,
    "Data2": checked(("features_beneficial",), by=("explain_model",)),
    "Data3": _cost,
    "Data4": _requirements,
    "Data5": _privacy,
    "Data6": _feature_change,
    "Data7": checked(("feature_tests",), by=DEFINES),
}
