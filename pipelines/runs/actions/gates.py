"""Decisions in gates: the one place where a verdict is taken, whoever it comes through."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.db.models import QuerySet

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Gone, Invalid, NotAllowed
from personas.kept import Kept
from personas.ledger import Actor
from personas.models import User
from pipelines.lifecycles import GateState, RunState, StageState
from pipelines.runs import attention, blind, deadlines, reviews
from pipelines.runs.actions.locks import must_run, name_of, run_of
from pipelines.runs.actions.verdicts import (
    Decider,
    check_conditions,
    check_input,
    done_already,
    own_of,
    take,
    why_closed,
)
from pipelines.runs.advance import advance
from pipelines.runs.models import Check, Gate, Run
from pipelines.runs.moves import move
from pipelines.runs.policies import Hat, not_deciding, refuse
from pipelines.runs.rows import Rows, load
from pipelines.runs.seen import must_be

MAX_ESCALATIONS = 2


def _gates(gate_id: int) -> QuerySet[Gate]:
    rows = Gate.objects.select_for_update(of=("self",)).select_related("stage")
    return rows.filter(pk=gate_id)


_GATE: Final = Kept(_gates, gate_id=int)


def _locked(gate_id: int) -> Gate:
    """Return the gate with its stage, under its lock. Raises Gate.DoesNotExist."""
    found = _GATE.first(gate_id=gate_id)
    if found is None:
        raise Gate.DoesNotExist(gate_id)
    return found


def decide(
    *,
    actor: Actor,
    gate: Gate,
    verdict: str,
    seen: str,
    reason: str = "",
    reason_code: str = "",
    target: str = "",
    conditions: Sequence[Mapping[str, Any]] = (),
    on_behalf_of: User | None = None,
    key: str | None = None,
) -> Answer:
    """Decide on exactly what was seen (the gate's subject digest).

    `conditions` ({text, severity, persona, days}) belong to approve_with_conditions; with
    `on_behalf_of` a deputy decides, and the rules bind both people. Raises Invalid, NotAllowed
    (with the rule), Conflict (already_decided, superseded_subject, check_red, run_paused), Gone
    where time or a cancel closed the gate.
    """
    if actor.user is None:
        raise NotAllowed("sod.no_person", "Only people decide.")
    user = actor.user
    giver = None if on_behalf_of in (None, user) else on_behalf_of
    asked = check_conditions(gate, verdict, conditions)
    check_input(gate, verdict=verdict, reason=reason, reason_code=reason_code, target=target)
    request = {
        "gate": gate.pk,
        "verdict": verdict,
        "seen": seen,
        "reason": reason,
        "reason_code": reason_code,
        "target": target,
        **({"conditions": asked} if asked else {}),
        **({"on_behalf_of": giver.pk} if giver else {}),
    }

    def body(command: Command, run: Run) -> Mapping[str, object]:
        locked = _locked(gate.pk)
        locked.run = locked.stage.run = run
        hat = Hat.of(user, run)
        refuse(not_deciding(hat, locked, giver))
        given = reviews.in_force(locked)
        mine = own_of(given, user, giver)
        if mine is not None and mine.user_id == user.pk and done_already(locked, mine, request):
            return summary(locked)
        refuse(why_closed(run, locked, user))
        must_run(run)
        rows = load(run)
        if locked.stage_id in rows.gates:
            locked.stage = rows.gates[locked.stage_id].stage
        rows.gates[locked.stage_id] = locked
        if _expired(command, rows, locked):
            return summary(locked)
        must_be(
            seen, locked.subject_digest, code="superseded_subject",
            text="What is under review is not what you were shown",
            state=locked.state, subject_digest=locked.subject_digest,
        )  # fmt: skip
        take(command, rows, locked, Decider(hat, giver), given, request)
        advance(command, run, rows)
        return summary(locked)

    return execute(
        actor=actor,
        name="decide",
        lock=lambda: run_of(gate.run_id),
        body=body,
        key=key,
        request=request,
    )


def _expired(command: Command, rows: Rows, gate: Gate) -> bool:
    """Apply a deadline that has passed; True where the gate is closed by it. Never approves."""
    if gate.expires_at is None or command.now < gate.expires_at:
        return False
    policy = gate.policy
    if policy["on_expire"] == "escalate" and gate.escalations < MAX_ESCALATIONS:
        length = timedelta(seconds=policy["expires_seconds"])
        move(
            command,
            gate,
            "escalate",
            run=rows.run,
            escalations=gate.escalations + 1,
            expires_at=deadlines.after(command, deadlines.deciders(gate), length),
            topic="gate.escalated",
        )
        return False
    move(
        command,
        gate,
        "expire",
        run=rows.run,
        closed_at=command.now,
        closing_reason="its time was over",
        topic="gate.expired",
    )
    command.refuse(
        Gone("gate_expired", "The time of this gate was over.", state=gate.state, at=gate.closed_at)
    )
    stage = rows.stages[gate.stage.key]
    if policy["on_expire"] == "reject":
        reviews.rejected_by_time(command, rows, gate)
    else:
        move(command, stage, "hold", run=rows.run)
        attention.ask_attention(
            command,
            rows,
            stage=stage,
            key=f"expired_{gate.pk}",
            cause="gate_expired",
            title="Nobody decided in time: reopen the gate, or give up",
            context={"gate": gate.pk},
        )
    advance(command, rows.run, rows)
    return True


def expire(*, gate_id: int) -> Answer:
    """Apply a gate's deadline if it has passed (the sweeper's call)."""
    run_id = Gate.objects.values_list("run_id", flat=True).get(pk=gate_id)

    def body(command: Command, run: Run) -> Mapping[str, object]:
        gate = _locked(gate_id)
        if gate.state == GateState.OPEN and run.state == RunState.RUNNING:
            rows = load(run)
            gate.stage = rows.gates[gate.stage_id].stage
            rows.gates[gate.stage_id] = gate
            _expired(command, rows, gate)
        command.refusal = None
        return summary(gate)

    return execute(
        actor=Actor("timer", "gate timer"),
        name="expire_gate",
        lock=lambda: run_of(run_id),
        body=body,
    )


def look_who_is_left(*, gate_id: int) -> Answer:
    """Ask the stage's owner to act if too few are left of whom a gate counts (the sweeper's call).

    Not while a blind gate is sealed or thought over: it would tell of the verdicts.
    """
    run_id = Gate.objects.values_list("run_id", flat=True).get(pk=gate_id)

    def body(command: Command, run: Run) -> Mapping[str, object]:
        gate = _locked(gate_id)
        quiet = gate.sealed or blind.thinking(gate, command.now)
        if gate.state == GateState.OPEN and run.state == RunState.RUNNING and not quiet:
            rows = load(run)
            gate.run, gate.stage = run, rows.gates[gate.stage_id].stage
            reviews.ask_for_people(command, rows, gate, reviews.in_force(gate))
        return summary(gate)

    return execute(
        actor=Actor("timer", "gate timer"),
        name="look_who_is_left",
        lock=lambda: run_of(run_id),
        body=body,
    )


def reopen(*, actor: Actor, gate: Gate, reason: str, key: str | None = None) -> Answer:
    """Open a new gate on the same subject after one expired under `hold`."""
    if actor.user is None or not reason.strip():
        raise Invalid("A reason is needed.", fields={"reason": ["must not be empty"]})
    user = actor.user

    def body(command: Command, run: Run) -> Mapping[str, object]:
        must_run(run)
        rows = load(run)
        stage = rows.stages.get(gate.stage.key)
        latest = rows.gates.get(stage.pk) if stage is not None else None
        if stage is None or latest is None:
            # The round that had it is over: sent back, done again, or left out by a move.
            raise Conflict("superseded_subject", "A newer round is under way.", state=gate.state)
        hat = Hat.of(user, run)
        if not (user.can("run.manage") or stage.owner_id == user.pk):
            raise NotAllowed("gate.reopen", f"{hat.user} neither owns the stage nor manages runs.")
        if latest.state != GateState.EXPIRED or stage.state != StageState.IN_REVIEW:
            raise Conflict("not_expired", f"The gate is {latest.state}.", state=latest.state)
        move(command, stage, "reopen_gate", run=run, data={"reason": reason})
        fresh = reviews.open_gate(command, rows, stage)
        advance(command, run, rows)
        return summary(fresh)

    return execute(
        actor=actor,
        name="reopen_gate",
        lock=lambda: run_of(gate.run_id),
        body=body,
        key=key,
        request={"gate": gate.pk, "reason": reason},
    )


def waive(*, actor: Actor, check: Check, reason: str, days: int, key: str | None = None) -> Answer:
    """Let a gate go on although a check is red: with a name, a reason and an end."""
    if actor.user is None or not actor.user.can("gate.waive"):
        raise NotAllowed("gate.waive", "Waiving a check needs the capability gate.waive.")
    user = actor.user
    if user.is_service:
        raise NotAllowed("sod.service_account", f"{user} is a service account; people waive.")
    problems = {}
    if not reason.strip():
        problems["reason"] = ["must not be empty"]
    if not 1 <= days <= 90:
        problems["days"] = [f"must be 1 to 90, got {days}"]
    if check.gate is None:
        problems["check"] = ["belongs to a hand-off's contract; only a gate's checks are waived"]
    if problems or check.gate is None:
        raise Invalid("The check cannot be waived.", fields=problems)
    gate = check.gate

    def change(command: Command, rows: Rows, locked: Gate) -> None:
        if user.pk in locked.author_ids:
            raise NotAllowed("sod.subject_author", f"{user} made part of what is under review.")
        red = reviews.red_checks(locked, command.now)
        fresh = next((one for one in red if one.pk == check.pk), None)
        if fresh is None:
            raise Conflict("not_red", f"{check.name} does not block.", state=check.verdict)
        fresh.waived_by, fresh.waiver_reason = user, reason
        fresh.waived_until = command.now + timedelta(days=days)
        fresh.save(update_fields=["waived_by", "waiver_reason", "waived_until"])
        command.recorder.record(
            rows.run.stream,
            "check.waived",
            subject=("check", fresh.pk),
            data={"check": fresh.name, "reason": reason, "days": days},
        )
        reviews.tally(command, rows, locked)

    return in_open_gate(
        actor=actor,
        gate=gate,
        name="waive_check",
        change=change,
        key=key,
        request={"check": check.pk, "reason": reason, "days": days},
    )


def in_open_gate(
    *,
    actor: Actor,
    gate: Gate,
    name: str,
    change: Callable[[Command, Rows, Gate], None],
    key: str | None,
    request: Mapping[str, object],
) -> Answer:
    """Run a command on a gate that must be open in a running run; its deadline is judged first.

    Raises Conflict or Gone where it is too late, and what `change` raises.
    """
    user = actor.user
    if user is None:
        raise NotAllowed("sod.no_person", "Only people do this.")

    def body(command: Command, run: Run) -> Mapping[str, object]:
        must_run(run)
        locked = _locked(gate.pk)
        locked.run = locked.stage.run = run
        refuse(why_closed(run, locked, user))
        rows = load(run)
        locked.stage = rows.gates[locked.stage_id].stage
        rows.gates[locked.stage_id] = locked
        if _expired(command, rows, locked):
            return summary(locked)
        change(command, rows, locked)
        advance(command, run, rows)
        return summary(locked)

    return execute(
        actor=actor,
        name=name,
        lock=lambda: run_of(gate.run_id),
        body=body,
        key=key,
        request=request,
    )


def summary(gate: Gate) -> dict[str, object]:
    """Return what an answer says of a gate."""
    return {
        "gate": gate.pk,
        "run": gate.run_id,
        "stage": gate.stage.key,
        "state": gate.state,
        "subject_digest": gate.subject_digest,
        "closed_at": gate.closed_at and gate.closed_at.isoformat(),
        "closed_by": name_of(gate.closed_by) if gate.closed_by_id else None,
    }
