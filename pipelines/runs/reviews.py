"""Reviews: gates opened, tallied and closed; hand-off contracts judged, packages offered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from personas.commands import Command
from personas.kept import Kept
from pipelines.blueprints.spec import CheckUse, GateDef
from pipelines.checks.contract import CheckResult
from pipelines.lifecycles import DecisionState, GateState, Verdict
from pipelines.runs import (
    blind,
    carrying,
    conditions,
    deadlines,
    effects,
    evidence,
    percents,
    rounds,
)
from pipelines.runs.attention import ask_attention, close_of_stage
from pipelines.runs.models import Check, Decision, Gate, HandOff, Override, Stage, WorkItem
from pipelines.runs.moves import born, move
from pipelines.runs.policies import undecided
from pipelines.runs.quorum import satisfied, worn
from pipelines.runs.reading import fetch
from pipelines.runs.rows import Rows

COUNTS = (Verdict.APPROVE, Verdict.APPROVE_WITH_CONDITIONS)
CODE_OF_OVERRIDE = "other"


def submit(command: Command, rows: Rows, stage: Stage) -> None:
    """The stage's work is done: freeze its evidence and let people look at it."""
    move(command, stage, "submit", run=rows.run, submitted_at=command.now)
    open_gate(command, rows, stage)


def open_gate(command: Command, rows: Rows, stage: Stage) -> Gate:
    """Freeze the evidence, open the gate, compute its checks; green checks alone may close it."""
    definition = rows.blueprint.stage(stage.key).gate
    if definition is None:
        raise ValueError(f"stage {stage.key} has no gate")
    facts = rows.facts()
    subject = evidence.subject_of(rows, stage)
    asked = [rule.persona for rule in definition.rules] or [stage.persona_id]
    due = deadlines.deadline(command, asked, definition.due)
    expires = deadlines.deadline(command, asked, definition.expires)
    gate = Gate(
        run=rows.run,
        stage=stage,
        subject_digest=evidence.digest_of(subject),
        pack={"subject": subject, "facts": facts},
        policy=_snapshot(definition),
        author_ids=authors_of(rows, stage),
        opened_at=command.now,
        due_at=due.due if due else None,
        expires_at=expires.due if expires else None,
        blind_until=blind.until(definition, command.now),
    )
    percents.freeze(gate)
    born(
        command,
        gate,
        "open",
        run=rows.run,
        topic="gate.open",
        data={"stage": stage.key, "round": stage.round, "subject": gate.subject_digest},
    )
    rows.gates[stage.pk] = gate
    results = evidence.judge(rows, definition.checks, facts)
    checks = write_checks(command, rows, stage, results, gate=gate)
    if any(check.blocks for check in checks):
        ask_attention(
            command,
            rows,
            stage=stage,
            key=f"red_{gate.pk}",
            cause="checks_red",
            title="Checks are red: rerun, ask for a waiver, or wait for the reviewers",
            context={"gate": gate.pk, "checks": [c.name for c in checks if c.blocks]},
        )
    carrying.carry_over(command, rows, gate)
    tally(command, rows, gate)
    if gate.state == GateState.OPEN:
        deadlines.remind(gate, due or expires)
    return gate


def _snapshot(definition: GateDef) -> dict[str, Any]:
    """Return the policy as it is now: later blueprint versions never touch an open gate."""
    return {
        "rules": [
            {"persona": rule.persona, "min": rule.min}
            if rule.percent is None
            else {"persona": rule.persona, "min": rule.min, "percent": rule.percent}
            for rule in definition.rules
        ],
        "on_reject": definition.on_reject,
        "send_back_to": list(definition.send_back_to),
        "exclude": list(definition.exclude),
        "allow_shared": definition.allow_shared,
        "on_expire": definition.on_expire,
        "expires_seconds": definition.expires.total_seconds() if definition.expires else None,
        "effect": definition.effect,
        "blind": definition.blind,
        "reveal_seconds": definition.reveal.total_seconds(),
        "conditions": definition.conditions,
        "override": definition.override,
    }


def authors_of(rows: Rows, stage: Stage) -> list[int]:
    """Return whose work the subject is: the owner, who filled in items, who edited steps."""
    people = {stage.owner_id, *stage.author_ids}
    own = [item for (pk, _), item in rows.items.items() if pk == stage.pk]
    people |= {item.completed_by_id for item in own} | {item.completed_for_id for item in own}
    people |= {item.delegated_by_id for item in own}
    people |= {s.edited_by_id for (pk, _), s in rows.steps.items() if pk == stage.pk}
    return sorted(pk for pk in people if pk is not None)


def write_checks(
    command: Command,
    rows: Rows,
    stage: Stage,
    results: Sequence[tuple[CheckUse, CheckResult]],
    *,
    gate: Gate | None = None,
    hand_off: HandOff | None = None,
) -> list[Check]:
    checks = [
        Check(
            run=rows.run,
            stage=stage,
            gate=gate,
            hand_off=hand_off,
            name=use.name,
            position=position,
            blocking=use.blocking,
            verdict=result.verdict,
            result=result.as_json(),
            judged_at=command.now,
        )
        for position, (use, result) in enumerate(results)
    ]
    Check.objects.bulk_create(checks)
    if checks:
        command.recorder.record(
            rows.run.stream,
            "checks.judged",
            subject=("stage", stage.pk),
            data={"stage": stage.key, "verdicts": {check.name: check.verdict for check in checks}},
        )
    return checks


def _in_force(gate_id: int) -> QuerySet[Decision]:
    rows = Decision.objects.filter(gate_id=gate_id, state=DecisionState.IN_FORCE)
    return rows.select_related("user", "on_behalf_of")


_IN_FORCE: Final = Kept(_in_force, gate_id=int)


def in_force(gate: Gate) -> list[Decision]:
    """Return the decisions that count now, oldest first."""
    decisions = _IN_FORCE.all(gate_id=gate.pk)
    for decision in decisions:
        decision.gate = gate
    return decisions


def tally(
    command: Command, rows: Rows, gate: Gate, decisions: Sequence[Decision] | None = None
) -> None:
    """Close the gate when its decisions and checks say so; called under the run's lock.

    `decisions` saves reading them again where the caller has done so under the same lock.
    """
    decisions = in_force(gate) if decisions is None else decisions
    if blind.waits(command, rows, gate, decisions):
        return
    for decision in decisions:
        if decision.verdict == Verdict.REJECT:
            close(command, rows, gate, "reject", decision, decisions)
            return
        if decision.verdict == Verdict.REQUEST_CHANGES:
            close(command, rows, gate, "request_changes", decision, decisions)
            return
    if red_checks(gate, command.now):
        return
    approvals = [decision for decision in decisions if decision.verdict in COUNTS]
    if satisfied(gate.policy, worn(gate.policy, approvals)):
        last = approvals[-1] if approvals else None
        close(command, rows, gate, "approve", last, approvals)
    elif _bound(gate) or any(decision.verdict == Verdict.ABSTAIN for decision in decisions):
        ask_for_people(command, rows, gate, decisions)


def _bound(gate: Gate) -> bool:
    """Whether a share of certain people is asked for, whom nobody else can stand in for."""
    return any(rule.get("base") for rule in gate.policy["rules"])


def ask_for_people(command: Command, rows: Rows, gate: Gate, decisions: Sequence[Decision]) -> None:
    """Ask the stage's owner to act where those who are left cannot meet the rules any more."""
    given = worn(gate.policy, [one for one in decisions if one.verdict in COUNTS])
    if satisfied(gate.policy, [*given, *undecided(gate, decisions)]):
        return
    if WorkItem.objects.filter(stage=gate.stage, key=f"too_few_{gate.pk}").exists():
        return
    ask_attention(
        command,
        rows,
        stage=rows.stages[gate.stage.key],
        key=f"too_few_{gate.pk}",
        cause="gate_stuck",
        title="Too few of those who count are left: give a seat back, or ask for an override"
        if _bound(gate)
        else "Too few people are left who may decide: give somebody a seat",
        context={"gate": gate.pk},
    )


_NOT_GREEN: Final = "gate_id = %s AND blocking AND verdict <> 'pass' ORDER BY position, id"


def red_checks(gate: Gate, now: datetime) -> list[Check]:
    """Return the blocking checks that are not green and not, or no more, waived."""
    found = fetch(Check, _NOT_GREEN, [gate.pk])
    return [check for check in found if check.blocks or _lapsed(check, now)]


def _lapsed(check: Check, now: datetime) -> bool:
    if not check.blocking or check.verdict == "pass":
        return False
    return check.waived_until is not None and check.waived_until <= now


def close(
    command: Command,
    rows: Rows,
    gate: Gate,
    event: str,
    decision: Decision | None,
    decisions: Sequence[Decision],
) -> None:
    """Close a gate once by its rules: by a decision, or by its checks alone.

    `decisions` are those that it rests on: the conditions of its approvals become findings.
    """
    _end(
        command,
        rows,
        gate,
        event,
        closed_by=decision.user if decision else None,
        closing_reason=decision.reason if decision else "every check is green",
    )
    if event == "approve":
        _approved(command, rows, gate, decisions)
    elif event == "request_changes" and decision is not None:
        _send_back(command, rows, gate, decision)
    else:
        _rejected(command, rows, gate, decision)


def override(command: Command, rows: Rows, gate: Gate, override: Override) -> None:
    """Close a gate against its rules; what follows is what its verdict always leads to."""
    _end(
        command,
        rows,
        gate,
        f"override_{override.verdict}",
        closed_by=override.by,
        closing_reason=override.reason,
        overridden=True,
    )
    if override.verdict == "approve":
        given = [decision for decision in in_force(gate) if decision.verdict in COUNTS]
        _approved(command, rows, gate, given)
    else:
        _rejected(command, rows, gate, None)


def _end(command: Command, rows: Rows, gate: Gate, event: str, **fields: Any) -> None:
    rows.gates[gate.stage_id] = gate
    override = {"reason": fields["closing_reason"]} if fields.get("overridden") else {}
    move(
        command,
        gate,
        event,
        run=rows.run,
        closed_at=command.now,
        topic=f"gate.{event}",
        data={"stage": gate.stage.key, "round": gate.stage.round, **override},
        **fields,
    )
    close_of_stage(command, rows, gate.stage)


def _approved(command: Command, rows: Rows, gate: Gate, approvals: Sequence[Decision]) -> None:
    """The approvals' conditions become findings; then the gate's effect follows."""
    conditions.become_findings(command, rows, gate, approvals)
    if gate.policy["effect"]:
        effects.of_gate(command, rows, gate, gate.policy["effect"])


def _send_back(command: Command, rows: Rows, gate: Gate, decision: Decision | None) -> None:
    targets = gate.policy["send_back_to"]
    rounds.send_back(
        command,
        rows,
        source=rows.stages[gate.stage.key],
        target=(decision.target if decision else "") or targets[0],
        reason=decision.reason if decision else gate.closing_reason,
        code=(decision.reason_code if decision else "")
        or (CODE_OF_OVERRIDE if gate.overridden else ""),
    )


def _rejected(command: Command, rows: Rows, gate: Gate, decision: Decision | None) -> None:
    """What a rejection does is the policy's; without a round left, send-back ends the run."""
    targets = gate.policy["send_back_to"]
    target = (decision.target if decision else "") or (targets[0] if targets else "")
    wish = gate.policy["on_reject"]
    if wish == "send_back" and target and rounds.rounds_left(rows, target) > 0:
        _send_back(command, rows, gate, decision)
        return
    reason = decision.reason if decision else gate.closing_reason
    stage = rows.stages[gate.stage.key]
    move(command, stage, "reject", run=rows.run, finished_at=command.now)
    ending = "fail" if wish == "fail_run" else "reject"
    rounds.end_run(command, rows, event=ending, reason=reason)


def rejected_by_time(command: Command, rows: Rows, gate: Gate) -> None:
    """A gate whose deadline rejects has expired: the same follows as from a rejection."""
    _rejected(command, rows, gate, None)
