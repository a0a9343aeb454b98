"""Checks of the prototype and tune stage."""

from __future__ import annotations

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
    rows,
    shown,
    text,
)
from pipelines.checks.reading import bounds, facts_with, listed

SELECT, SEARCH = "tune.select", "tune.search"
WANTED = ("dummy", "linear", "boosting")


def three_families(facts: Facts, params: Params) -> CheckResult:
    """At least three families incl. dummy, linear and boosting, on the same folds (W15)."""
    chosen = facts_with(facts, params, SELECT, "families")
    if chosen is None:
        return insufficient("no candidates were compared")
    found, least = names(chosen, "families"), limit(params, "minimum", 3)
    absent = [name for name in names(params, "families") or WANTED if name not in found]
    where = text(chosen, "on") or "folds"
    enough = judge(len(found), ">=", least) == "pass" and not absent
    details = [
        {key: row.get(key) for key in ("name", "family", "mean")}
        for row in rows(chosen, "candidates")
    ]
    return CheckResult(
        "pass" if enough else "fail",
        f"{len(found)} families on the same {where}: {listed(found)}"
        + (f"; absent: {listed(list(absent))}" if absent else ""),
        value=float(len(found)),
        threshold=least,
        comparison=">=",
        unit="families",
        details=shown(details),
        advice=""
        if enough
        else f"Train a candidate of {listed(list(absent))} on the same {where}.",
    )


def search_logged(facts: Facts, params: Params) -> CheckResult:
    """Parameters were searched and every trial is on record (W16-W21, Model3)."""
    found = facts_with(facts, params, SEARCH, "tried")
    tried = number(found, "tried")
    if found is None or tried is None:
        return insufficient("no search was logged", advice="Add a search step to the tune stage.")
    least = limit(params, "minimum", 10)
    border, gain = names(found, "border_hits"), number(found, "gain")
    space = int(number(found, "space_size") or 0)
    summary = f"{int(tried)} of {space:,} combinations tried by {text(found, 'method')}"
    if gain is not None:
        summary += f", gain over the default {gain:+.4f} {text(found, 'metric')}"
    failed = int(number(found, "failed") or 0)
    if failed:
        summary += f"; {failed} could not be fitted"
    if border:
        summary += f"; best value at the border of its range: {listed(border)}"
    if text(found, "stopped_by") == "budget":
        summary += "; stopped by its time budget, so it may not repeat bit for bit"
    verdict = judge(tried, ">=", least)
    advice = f"Widen the range of {listed(border)}." if border else ""
    return CheckResult(
        verdict,
        summary,
        value=tried,
        threshold=least,
        comparison=">=",
        unit="trials",
        details=shown(_trials(found, border)),
        advice=advice
        if verdict == "pass"
        else f"Give the search at least {least:g} trials. {advice}".strip(),
    )


def _trials(found: Mapping[str, Json], border: list[str]) -> list[dict[str, Json]]:
    """Every trial with the seconds it took; of older facts, the parameters alone."""
    logged, seconds = rows(found, "trials"), found.get("trial_seconds")
    took = seconds if isinstance(seconds, list) else []
    if not logged:
        return [
            {"tunable": name, "border": name in border}
            for name in names(found, "tunables_searched")
        ]
    keys = ("trial", "state", "score", "standard_error", "rows")
    return [
        {
            **{key: row.get(key) for key in keys},
            "seconds": took[place] if place < len(took) else None,
            "parameters": _parameters(row),
        }
        for place, row in enumerate(logged)
    ]


def _parameters(row: Mapping[str, Json]) -> str:
    given = mapping(row, "settings")
    shortened = {n: f"{v:.4g}" if isinstance(v, float) else str(v) for n, v in given.items()}
    return ", ".join(f"{name} {value}" for name, value in shortened.items()) or "the defaults"


def beats_baseline(facts: Facts, params: Params) -> CheckResult:
    """The lower 95 % bound of the paired gain over the dummy is above 0 (Model5)."""
    chosen = facts_with(facts, params, SELECT, "baseline_gain")
    value, low, high = bounds(chosen, "baseline_gain")
    if chosen is None or value is None or low is None:
        return insufficient(
            "the chosen candidate was not compared with a dummy on two folds or more",
            advice="Train a dummy on the same folds.",
        )
    least = limit(params, "minimum", 0.0)
    metric, family = text(chosen, "metric"), text(chosen, "chosen_family")
    holds = low > least
    return CheckResult(
        "pass" if holds else "fail",
        f"{family} beats the dummy by {value:.4f} {metric} (95 % {low:.4f} to {high:.4f})"
        if holds
        else f"{family} does not surely beat the dummy: {value:+.4f} {metric}, at worst {low:+.4f}",
        value=value,
        low=low,
        high=high,
        threshold=least,
        comparison=">=",
        unit=metric,
        details=shown(rows(chosen, "candidates")),
        advice="" if holds else "Look for features that say more, or for more rows.",
    )
