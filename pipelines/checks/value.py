"""Checks of what reaches the business at the end: a card in plain words, a KPI that lives (H8)."""

from __future__ import annotations

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Json,
    Params,
    insufficient,
    item_data,
    names,
    number,
    shown,
    step_facts,
    text,
)

CARD, LIMITS, KPI, BRIEF = "register.card", "evaluate.limits", "monitor.kpi", "frame.brief"
WINDOW = "monitor.drift"
# What a business analyst accepts, in words of people; each is a field of the form of limits.
PLAIN = ("intended_use", "out_of_scope", "caveats", "ethics", "contact")
FEWEST_CHARACTERS = 10  # shorter says nothing in plain words (own)


def card_in_words(facts: Facts, params: Params) -> CheckResult:
    """The card is written, no field is empty, and its limits are told in words (own, H8).

    Whether it was read and is accepted is the decision of this gate.
    """
    found = step_facts(facts, params, CARD)
    said = item_data(facts, params, LIMITS)
    if found is None or said is None:
        return insufficient("No model card has been written.")
    optional = names(params, "optional")
    empty = [name for name in names(found, "missing") if name not in optional]
    mute = [
        name
        for name in PLAIN
        if name != "contact" and len(text(said, name).strip()) < FEWEST_CHARACTERS
    ]
    wanting: list[dict[str, Json]] = [{"field": name, "problem": "is empty"} for name in empty]
    wanting += [{"field": name, "problem": "says too little"} for name in mute]
    return CheckResult(
        "fail" if wanting else "pass",
        f"the card says too little: {', '.join(str(row['field']) for row in wanting)}"
        if wanting
        else "the card says in plain words what it is for, where not, and who could be harmed",
        value=float(len(wanting)),
        threshold=0.0,
        comparison="<=",
        unit="fields",
        details=shown(wanting)
        or shown({"field": name, "says": text(said, name)[:200]} for name in PLAIN),
        advice="Send it back: the limits are told in Evaluate & challenge." if wanting else "",
    )


def kpi_live(facts: Facts, params: Params) -> CheckResult:
    """The KPI has a value before, one to reach and one since, over answers that count (own, H8)."""
    brief = facts.get(f"item.{text(params, 'brief', BRIEF)}")
    since = item_data(facts, params, KPI)
    if brief is None or since is None:
        return insufficient("The KPI since it went live has not been reported.")
    before, target = number(brief, "kpi_now"), number(brief, "kpi_target")
    now = number(since, "kpi_now")
    if before is None or target is None or now is None:
        return insufficient("The KPI lacks a value: before, to reach, or since.")
    answers = number(step_facts(facts, params, WINDOW), text(params, "fact", "rows"))
    if not answers:
        return insufficient("Nothing has been answered yet, so the KPI speaks of other things.")
    share = (now - before) / (target - before) if target != before else None
    moved = "" if share is None else f": {share:.0%} of the way"
    return CheckResult(
        "pass",
        f"{text(brief, 'kpi_name', 'KPI')}: {before:g} before, {now:g} since, {target:g} wanted"
        f"{moved}; {answers:,.0f} answers in the window.",
        value=now,
        previous=before,
        details=(
            {"when": "before", "value": before},
            {"when": "since", "value": now},
            {"when": "wanted", "value": target},
        ),
    )
