"""Conditions of an approval, and the findings they become when the gate approves."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from personas.commands import Command
from pipelines.lifecycles import FindingState
from pipelines.runs.models import Decision, Finding, Gate
from pipelines.runs.models.findings import SEVERITIES
from pipelines.runs.moves import born, move
from pipelines.runs.rows import Rows
from pipelines.usecases.models import Seat

MOST_CONDITIONS = 10  # own
LONGEST_TEXT = 2_000
MOST_DAYS = 90  # own: as long as a waiver
DEFAULT_DAYS = 14
DEFAULT_SEVERITY = "major"
FIELDS = ("text", "severity", "persona", "days")

Condition = dict[str, Any]


def clean(
    given: Sequence[Mapping[str, Any]], *, use_case_id: int
) -> tuple[list[Condition], dict[str, list[str]]]:
    """Return the conditions with defaults filled in, and what is wrong with them, by field.

    `days` counts from the approval: a long quorum must not use up the owner's time.
    """
    if not given:
        return [], {"conditions": ["name at least one: what must be done, by whom, until when"]}
    if len(given) > MOST_CONDITIONS:
        return [], {"conditions": [f"has {len(given)} entries; at most {MOST_CONDITIONS}"]}
    seats = Seat.objects.filter(use_case_id=use_case_id, until=None, user__is_active=True)
    seated = set(seats.values_list("persona_id", flat=True))
    problems: dict[str, list[str]] = {}
    cleaned = []
    for index, one in enumerate(given):
        found = _problems(one, seated)
        problems |= {f"conditions.{index}.{name}": texts for name, texts in found.items()}
        if not found:
            cleaned.append(
                {
                    "text": str(one["text"]).strip(),
                    "severity": one.get("severity") or DEFAULT_SEVERITY,
                    "persona": one["persona"],
                    "days": one.get("days", DEFAULT_DAYS),
                }
            )
    return cleaned, problems


def _problems(one: Mapping[str, Any], seated: set[str]) -> dict[str, list[str]]:
    found = {name: [f"is not a field here; known: {', '.join(FIELDS)}"] for name in one}
    for name in FIELDS:
        found.pop(name, None)
    text, days = str(one.get("text") or "").strip(), one.get("days", DEFAULT_DAYS)
    if not 1 <= len(text) <= LONGEST_TEXT:
        found["text"] = [f"must have 1 to {LONGEST_TEXT} characters, got {len(text)}"]
    if (one.get("severity") or DEFAULT_SEVERITY) not in SEVERITIES:
        found["severity"] = [f"must be one of {', '.join(SEVERITIES)}, got {one['severity']!r}"]
    if one.get("persona") not in seated:
        held = ", ".join(sorted(seated)) or "none"
        got = one.get("persona")
        found["persona"] = [f"must be a persona with a seat here ({held}), got {got!r}"]
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MOST_DAYS:
        found["days"] = [f"must be 1 to {MOST_DAYS}, got {days!r}"]
    return found


def become_findings(
    command: Command, rows: Rows, gate: Gate, approvals: Sequence[Decision]
) -> None:
    """Open a finding for each condition of the approvals that have just closed the gate.

    Those of an approval that was carried over exist already: open ones now bind this gate too, and
    keep their due date.
    """
    for decision in approvals:
        if not decision.conditions:
            continue
        known = list(Finding.objects.filter(decision_id=_first(decision)).order_by("position"))
        for finding in known:
            if finding.state == FindingState.OPEN:
                move(command, finding, "carry_over", run=rows.run, gate=gate)
        for position, one in enumerate([] if known else decision.conditions):
            _open(command, rows, gate, decision, position=position, condition=one)


def _first(decision: Decision) -> int:
    """Return the decision in which the person named the conditions; walks back a carried one."""
    while decision.carried_from_id is not None and decision.carried_from is not None:
        decision = decision.carried_from
    return decision.pk


def _open(
    command: Command,
    rows: Rows,
    gate: Gate,
    decision: Decision,
    *,
    position: int,
    condition: Condition,
) -> None:
    finding = Finding(
        run=rows.run,
        gate=gate,
        decision_id=_first(decision),
        position=position,
        text=condition["text"],
        severity=condition["severity"],
        persona_id=condition["persona"],
        opened_at=command.now,
        due_at=command.now + timedelta(days=condition["days"]),
    )
    born(
        command,
        finding,
        "open",
        run=rows.run,
        topic="finding.open",
        data={
            "gate": gate.pk,
            "stage": gate.stage.key,
            "text": finding.text,
            "severity": finding.severity,
            "persona": finding.persona_id,
            "due_at": finding.due_at.isoformat(),
            "by": decision.who,
        },
    )


def lapse_of(run_id: int) -> Finding | None:
    """Return a finding whose lapse took the approval of one of the run's current rounds away."""
    return (
        Finding.objects.filter(run_id=run_id, state=FindingState.LAPSED, gate__stage__current=True)
        .select_related("gate__stage")
        .first()
    )
