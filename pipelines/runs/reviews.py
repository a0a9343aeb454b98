"""Reviews: gates opened, tallied and closed; hand-off contracts judged, packages offered."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import prefetch_related_objects

from personas.commands import Command
from personas.models import User
from pipelines.blueprints.graph import hand_off_def
from pipelines.blueprints.spec import CheckUse, GateDef
from pipelines.checks.contract import CheckResult
from pipelines.lifecycles import DecisionState, GateState, Verdict
from pipelines.runs import deadlines, effects, evidence, rounds
from pipelines.runs.gaps import asks_a_person
from pipelines.runs.models import Check, Decision, Gate, HandOff, Stage, WorkItem
from pipelines.runs.moves import born, move
from pipelines.runs.policies import Hat, not_deciding
from pipelines.runs.rows import Rows

COUNTS = (Verdict.APPROVE, Verdict.APPROVE_WITH_CONDITIONS)


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
    )
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
    checks = _write_checks(command, rows, stage, results, gate=gate)
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
    _carry_over(command, rows, gate)
    tally(command, rows, gate)
    if gate.state == GateState.OPEN:
        deadlines.remind(gate, due or expires)
    return gate


def _snapshot(definition: GateDef) -> dict[str, Any]:
    """Return the policy as it is now: later blueprint versions never touch an open gate."""
    return {
        "rules": [{"persona": rule.persona, "min": rule.min} for rule in definition.rules],
        "on_reject": definition.on_reject,
        "send_back_to": list(definition.send_back_to),
        "exclude": list(definition.exclude),
        "allow_shared": definition.allow_shared,
        "on_expire": definition.on_expire,
        "expires_seconds": definition.expires.total_seconds() if definition.expires else None,
        "effect": definition.effect,
    }


def authors_of(rows: Rows, stage: Stage) -> list[int]:
    """Return whose work the subject is: the owner, who filled in items, who edited steps."""
    people = {stage.owner_id, *stage.author_ids}
    people |= {i.completed_by_id for (pk, _), i in rows.items.items() if pk == stage.pk}
    people |= {i.delegated_by_id for (pk, _), i in rows.items.items() if pk == stage.pk}
    people |= {s.edited_by_id for (pk, _), s in rows.steps.items() if pk == stage.pk}
    return sorted(pk for pk in people if pk is not None)


def _write_checks(
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


def _carry_over(command: Command, rows: Rows, gate: Gate) -> None:
    """Copy approvals people already gave to exactly this content; a refusal is never carried.

    Each person's last word on the content counts: a withdrawal or refusal ends their approval.
    """
    if not gate.policy["rules"]:
        return
    earlier = (
        Decision.objects.filter(
            gate__run=rows.run,
            gate__stage__key=gate.stage.key,
            subject_digest=gate.subject_digest,
        )
        .exclude(gate=gate)
        .select_related("gate", "user")
        .order_by("user_id", "-id")
    )
    for given in earlier.distinct("user_id"):
        if given.state != DecisionState.IN_FORCE or given.verdict != Verdict.APPROVE:
            continue
        hat = Hat.of(given.user, rows.run)
        if given.gate.policy["rules"] != gate.policy["rules"] or not_deciding(hat, gate):
            continue
        copy = Decision(
            gate=gate,
            user=given.user,
            personas=list(hat.personas),
            verdict=given.verdict,
            reason=given.reason,
            subject_digest=gate.subject_digest,
            command=command.id,
            at=command.now,
            carried_from=given,
        )
        born(command, copy, "carry_over", run=rows.run, data={"from": given.pk})


def in_force(gate: Gate) -> list[Decision]:
    """Return the decisions that count now, oldest first."""
    return list(gate.decisions.filter(state=DecisionState.IN_FORCE).select_related("user"))


def tally(
    command: Command, rows: Rows, gate: Gate, decisions: Sequence[Decision] | None = None
) -> None:
    """Close the gate when its decisions and checks say so; called under the run's lock.

    `decisions` saves reading them again where the caller has done so under the same lock.
    """
    decisions = in_force(gate) if decisions is None else decisions
    for decision in decisions:
        if decision.verdict == Verdict.REJECT:
            close(command, rows, gate, "reject", decision)
            return
        if decision.verdict == Verdict.REQUEST_CHANGES:
            close(command, rows, gate, "request_changes", decision)
            return
    if red_checks(gate, command.now):
        return
    approvals = [decision for decision in decisions if decision.verdict in COUNTS]
    if satisfied(gate.policy, [decision.personas for decision in approvals]):
        close(command, rows, gate, "approve", approvals[-1] if approvals else None)


def red_checks(gate: Gate, now: datetime) -> list[Check]:
    """Return the blocking checks that are not green and not, or no more, waived."""
    prefetch_related_objects([gate], "checks")  # at most once for each gate in hand
    return [check for check in gate.checks.all() if check.blocks or _lapsed(check, now)]


def _lapsed(check: Check, now: datetime) -> bool:
    if not check.blocking or check.verdict == "pass":
        return False
    return check.waived_until is not None and check.waived_until <= now


def satisfied(policy: Mapping[str, Any], approvals: Sequence[Sequence[str]]) -> bool:
    """Whether approvals by distinct people meet every rule; pure.

    `approvals` holds the personas of each approver. One person fills one place, unless the policy
    allows sharing; places are matched to people by augmenting paths, so no order can lose.
    """
    places = [rule["persona"] for rule in policy["rules"] for _ in range(rule["min"])]
    if policy.get("allow_shared"):
        return all(
            sum(rule["persona"] in personas for personas in approvals) >= rule["min"]
            for rule in policy["rules"]
        )
    taken: dict[int, int] = {}

    def place(seat: int, seen: set[int]) -> bool:
        for person, personas in enumerate(approvals):
            if places[seat] not in personas or person in seen:
                continue
            seen.add(person)
            if person not in taken or place(taken[person], seen):
                taken[person] = seat
                return True
        return False

    return all(place(seat, set()) for seat in range(len(places)))


def close(command: Command, rows: Rows, gate: Gate, event: str, decision: Decision | None) -> None:
    """Close a gate once, and do what follows: effect, send-back, or the end of the run."""
    rows.gates[gate.stage_id] = gate
    move(
        command,
        gate,
        event,
        run=rows.run,
        closed_at=command.now,
        closed_by=decision.user if decision else None,
        closing_reason=decision.reason if decision else "every check is green",
        topic=f"gate.{event}",
        data={"stage": gate.stage.key, "round": gate.stage.round},
    )
    _close_attention(command, rows, gate.stage)
    if event == "approve":
        if gate.policy["effect"]:
            effects.of_gate(command, rows, gate, gate.policy["effect"])
    elif event == "request_changes" and decision is not None:
        _send_back(command, rows, gate, decision)
    else:
        _rejected(command, rows, gate, decision)


def _send_back(command: Command, rows: Rows, gate: Gate, decision: Decision | None) -> None:
    targets = gate.policy["send_back_to"]
    rounds.send_back(
        command,
        rows,
        source=rows.stages[gate.stage.key],
        target=(decision.target if decision else "") or targets[0],
        reason=decision.reason if decision else gate.closing_reason,
        code=decision.reason_code if decision else "",
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


def ask_attention(
    command: Command,
    rows: Rows,
    *,
    stage: Stage,
    key: str,
    cause: str,
    title: str,
    context: Mapping[str, Any],
    hand_off: HandOff | None = None,
) -> WorkItem:
    """Open a work item for the stage's owner (or its persona): something needs a person."""
    item = WorkItem(
        run=rows.run,
        stage=stage,
        hand_off=hand_off,
        key=key[:60],
        kind="attention",
        title=title,
        persona_id=stage.persona_id,
        candidates=[stage.persona_id],
        context={"cause": cause, **context},
    )
    born(command, item, "open", run=rows.run, topic="item.attention", data={"cause": cause})
    if stage.owner_id is not None:
        move(command, item, "claim", run=rows.run, holder=stage.owner, claimed_at=command.now)
    return item


def _close_attention(command: Command, rows: Rows, stage: Stage) -> None:
    close_attention(command, rows, WorkItem.objects.filter(stage=stage, hand_off=None))


def close_attention(command: Command, rows: Rows, items: Any) -> None:
    """Cancel attention items whose cause is gone."""
    open_states = ("OPEN", "ASSIGNED", "IN_PROGRESS", "ON_HOLD")
    for item in items.filter(kind="attention", state__in=open_states):
        move(command, item, "cancel", run=rows.run, closed_at=command.now)


def judge_contract(command: Command, rows: Rows, hand_off: HandOff) -> None:
    """Compute the receiver's contract; red keeps the package here and asks the sender."""
    definition = hand_off_def(rows.blueprint, hand_off.source.key)
    results = evidence.judge(rows, definition.contract, rows.facts())
    checks = _write_checks(command, rows, hand_off.source, results, hand_off=hand_off)
    red = [check.name for check in checks if check.blocks]
    rows.green[hand_off.pk] = not red
    if red:
        move(command, hand_off, "contract_red", run=rows.run, data={"red": red})
        ask_attention(
            command,
            rows,
            stage=hand_off.source,
            key=f"contract_{hand_off.pk}",
            cause="contract_red",
            title="The receiver's contract is red: rerun it, or withdraw",
            context={"hand_off": hand_off.pk, "checks": red},
            hand_off=hand_off,
        )
    elif asks_a_person(definition, hand_off.gap):
        ask_attention(
            command,
            rows,
            stage=hand_off.source,
            key=f"offer_{hand_off.pk}",
            cause="offer",
            title="Complete the checklist and hand over",
            hand_off=hand_off,
            context={"hand_off": hand_off.pk},
        )


def package_of(rows: Rows, stage: Stage) -> dict[str, Any]:
    """Return what a hand-off carries: every output of the stage's round, by digest."""
    return {
        step.key: step.result.outputs
        for (pk, _), step in rows.with_results().steps.items()
        if pk == stage.pk and step.result is not None
    }


def offer(
    command: Command,
    rows: Rows,
    hand_off: HandOff,
    *,
    by: User | None,
    note: str = "",
    answers: Mapping[str, Any] | None = None,
) -> None:
    """Offer the package; the sender (`by`) stays accountable until somebody accepts.

    An offer that makes itself is the sending stage's owner's, whoever's command led to it.
    """
    definition = hand_off_def(rows.blueprint, hand_off.source.key)
    due = deadlines.deadline(command, [hand_off.target.persona_id], definition.due)
    move(
        command,
        hand_off,
        "offer",
        run=rows.run,
        offered_at=command.now,
        offered_by=by,
        note=note,
        checklist={**hand_off.checklist, **(answers or {})},
        due_at=due.due if due else None,
        topic="hand_off.offered",
    )
    if definition.accept != "auto":
        deadlines.remind(hand_off, due)
    close_attention(command, rows, WorkItem.objects.filter(hand_off=hand_off))
