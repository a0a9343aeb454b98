"""Checks of decisions class by class, and of the abstain band (evaluation of texts)."""

from __future__ import annotations

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Json,
    Params,
    decimals,
    insufficient,
    judge,
    limit,
    mapping,
    number,
    rows,
    shown,
    text,
)
from pipelines.checks.reading import bounds, facts_with

CLASSES = "evaluate.classes"
SPLIT = "explore.split"


def macro_f1_over_majority(facts: Facts, params: Params) -> CheckResult:
    """Macro-F1 is surely above what answering the more frequent class scores."""
    found = facts_with(facts, params, CLASSES, "macro_f1")
    value, low, high = bounds(found, "macro_f1")
    bar = number(mapping(found, "majority"), "macro_f1")
    if value is None or low is None or high is None or bar is None:
        return insufficient("decisions were not judged class by class")
    holds = low > bar
    return CheckResult(
        "pass" if holds else "fail",
        f"macro-F1 {value:.3f} (95 % {low:.3f} to {high:.3f}); always the more frequent class:"
        f" {bar:.3f}",
        value=value, low=low, high=high, threshold=bar, comparison=">=", unit="macro-F1",
        threshold_class="meas",
        details=shown(_flat(rows(found, "classes"))),
        advice="" if holds else "At this threshold the rarer class is hardly found: check the"
        " costs, or give it more examples.",
    )  # fmt: skip


def classes_recalled(facts: Facts, params: Params) -> CheckResult:
    """Of each class, at least the asked share of its rows is told (own)."""
    found = facts_with(facts, params, CLASSES, "lowest_recall")
    value, low, high = bounds(found, "lowest_recall")
    if value is None or low is None or high is None:
        return insufficient("decisions were not judged class by class")
    least = limit(params, "minimum", 0.3)
    verdict = judge(value, ">=", least)
    listed = _flat(rows(found, "classes"))
    worst = min(listed, key=lambda row: number(row, "recall") or 0.0, default={})
    return CheckResult(
        verdict,
        f"the class told least often ({worst.get('class')}) is told in {value:.1%} of its rows"
        f" (95 % {low:.1%} to {high:.1%}); at least {least:.0%} is asked",
        value=value, low=low, high=high, threshold=least, comparison=">=", unit="recall",
        details=shown(listed),
        advice="" if verdict == "pass" else "Another threshold, more rows of that class, or say"
        " that the model is not to be asked for it.",
    )  # fmt: skip


def abstain_band_holds(facts: Facts, params: Params) -> CheckResult:
    """With the band, wrong answers stay at the promised share on rows that did not choose it."""
    band = mapping(facts_with(facts, params, CLASSES, "abstain"), "abstain")
    wanted, error = number(band, "wanted_error"), number(band, "error")
    if wanted is None:
        return insufficient("no abstain band was looked for")
    if error is None:
        return CheckResult(
            "fail",
            f"no band leaves at most {decimals(wanted * 100, 1)}% wrong answers",
            threshold=wanted,
            comparison="<=",
            advice="Allow more wrong answers, or improve the model.",
        )
    coverage, without = number(band, "coverage") or 0.0, number(band, "error_without") or 0.0
    high = number(band, "error_high")
    # what the two halves differ by chance is no broken promise: the interval has to allow it
    most = max(wanted, wanted + (high - error if high is not None else 0.0))
    verdict = judge(error, "<=", most)
    return CheckResult(
        verdict,
        f"answering {coverage:.0%} of the rows, {decimals(error * 100, 1)}% are wrong"
        f" ({decimals(without * 100, 1)}% without"
        f" abstaining); {decimals(wanted * 100, 1)}% was asked",
        value=error, high=high, threshold=most, comparison="<=", unit="wrong answers",
        details=shown(rows(band, "curve")),
        advice="" if verdict == "pass" else "The band is chosen on too few rows, or scores mean"
        " little: read the curve before using it.",
    )  # fmt: skip


def groups_kept_apart(facts: Facts, params: Params) -> CheckResult:
    """A column whose values write several rows each (an author, a thread) splits the table."""
    found = facts_with(facts, params, SPLIT, "rule")
    if found is None:
        return insufficient("the table was not split")
    rule, proposed = text(found, "rule"), rows(found, "groups_proposed")
    names = ", ".join(text(row, "column") for row in proposed)
    if rule in ("group", "time and group"):
        column = text(mapping(found, "boundaries"), "group_column")
        return CheckResult("pass", f"rows of one {column} lie on one side of the split")
    if not proposed:
        return CheckResult("pass", "no column looks like an author or a thread")
    return CheckResult(
        "fail",
        f"the split ({rule}) may part rows of one {names}: then the model is judged on what it"
        " has memorised",
        value=float(len(proposed)), threshold=0.0, comparison="<=", unit="columns",
        details=shown(proposed),
        advice=f"Give {names} as the group column, or say why its rows are independent.",
    )  # fmt: skip


def _flat(found: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """Classes with the values of their scores, for people."""
    return [
        {
            key: mapping(row, key).get("value") if isinstance(row.get(key), dict) else row.get(key)
            for key in row
        }
        for row in found
    ]
