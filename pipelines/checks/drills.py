"""The check of a rollback drill that was measured (S8, hand-off H6)."""

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
    number,
    step_facts,
    text,
)

DRILL, AGE = "deploy.drill", "deploy.drill_age"

MINUTES = 15.0  # catalogue 6.3 (own)
DAYS = 90.0  # catalogue 6.3 (own)


def rollback_drilled(facts: Facts, params: Params) -> CheckResult:
    """Going live and back was done, measured, quick enough, and not long ago (own, Infra7).

    Golden rows say who answered after each switch. The age is judged where `age_step` has
    measured it: at the hand-over. At a gate the drill is as young as its round.
    """
    found = step_facts(facts, params, DRILL)
    seconds = number(found, "drill_seconds")
    if found is None or seconds is None:
        return insufficient("No rollback drill has been measured.", advice="Run the drill's step.")
    wrong = [told for told in (_switched(found), _returned(found)) if told]
    if wrong:
        return CheckResult(
            "fail", "; ".join(wrong), details=_sides(found),
            advice="Look at the packages: what is put back has to answer as it was packaged.",
        )  # fmt: skip
    minutes, allowed = seconds / 60, limit(params, "max_minutes", MINUTES)
    age = _age(facts, params)
    most = limit(params, "max_age_days", DAYS)
    if age is None and text(params, "age_step"):
        return insufficient("It has not been measured how long ago the drill was.")
    old = age is not None and judge(age, "<=", most) == "fail"
    return CheckResult(
        "fail" if old else judge(minutes, "<=", allowed),
        f"Measured: to version {found.get('to')} and back to {_back_to(found)}"
        f" in {seconds:.1f} s; {allowed:g} min are allowed."
        + ("" if age is None else f" That was {age:.1f} days ago; {most:g} are allowed."),
        value=round(minutes, 4), threshold=allowed, comparison="<=", unit="min",
        details=_sides(found), advice="Drill again: retry the step." if old else "",
    )  # fmt: skip


def _age(facts: Facts, params: Params) -> float | None:
    step = text(params, "age_step")
    return number(mapping(facts.get(step), "freshness"), "age_days") if step else None


def _switched(found: Mapping[str, Json]) -> str:
    if found.get("switched") is True:
        return ""
    part = mapping(found, "forward")
    return (
        f"after going live, {number(part, 'right') or 0:.0f} of {number(part, 'asked') or 0:.0f}"
        f" golden rows were answered by version {found.get('to')} as packaged"
    )


def _returned(found: Mapping[str, Json]) -> str:
    if found.get("came_back") is True:
        return ""
    if found.get("untouched") is False:
        return "the drill changed what is deployed"
    part = mapping(found, "back")
    return (
        f"after going back, {number(part, 'right') or 0:.0f} of {number(part, 'asked') or 0:.0f}"
        f" golden rows were answered by {_back_to(found)} as they should"
    )


def _back_to(found: Mapping[str, Json]) -> str:
    number_of = found.get("from")
    return "the fallback" if number_of is None else f"version {number_of}"


def _sides(found: Mapping[str, Json]) -> tuple[dict[str, Json], ...]:
    names = (("forward", "went live"), ("back", "went back"))
    return tuple(
        {"switch": told, **{k: v for k, v in mapping(found, name).items() if k != "proof_seconds"}}
        for name, told in names
    )
