"""Blind gates: confirm one's verdict after the reveal; what time does to them."""

from collections.abc import Mapping

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, NotAllowed
from personas.ledger import Actor
from pipelines.lifecycles import GateState, RunState
from pipelines.runs import blind, reviews
from pipelines.runs.actions.gates import in_open_gate, summary
from pipelines.runs.actions.locks import run_of
from pipelines.runs.advance import advance
from pipelines.runs.models import Gate, Run
from pipelines.runs.moves import move
from pipelines.runs.policies import Hat, not_deciding, refuse
from pipelines.runs.rows import Rows, load


def confirm(*, actor: Actor, gate: Gate, key: str | None = None) -> Answer:
    """Stay with your verdict now that all are revealed; when all have, the tally runs.

    Raises NotAllowed, Conflict (not_revealed, nothing_to_confirm), Gone.
    """
    user = actor.user
    if user is None or user.is_service:
        raise NotAllowed("sod.no_person", "Only people decide.")

    def change(command: Command, rows: Rows, locked: Gate) -> None:
        if locked.revealed_at is None:
            raise Conflict("not_revealed", "The verdicts are not revealed.", state=locked.state)
        given = reviews.in_force(locked)
        mine = [decision for decision in given if user.pk in decision.principals]
        if not mine:
            raise Conflict("nothing_to_confirm", f"{user} has no decision in force here.")
        for decision in mine:
            giver = decision.on_behalf_of if decision.user_id == user.pk else None
            refuse(not_deciding(Hat.of(user, rows.run), locked, giver))
            if decision.confirmed_at is None:
                move(command, decision, "confirm", run=rows.run, confirmed_at=command.now)
        reviews.tally(command, rows, locked, given)

    return in_open_gate(
        actor=actor,
        gate=gate,
        name="confirm_decision",
        change=change,
        key=key,
        request={"gate": gate.pk},
    )


def look_again(*, gate_id: int) -> Answer:
    """Reveal a blind gate, or count it, if its time has come (the sweeper's call)."""
    run_id = Gate.objects.values_list("run_id", flat=True).get(pk=gate_id)

    def body(command: Command, run: Run) -> Mapping[str, object]:
        gate = Gate.objects.select_for_update(of=("self",)).select_related("stage").get(pk=gate_id)
        if gate.state != GateState.OPEN or run.state != RunState.RUNNING:
            return summary(gate)
        rows = load(run)
        gate.run, gate.stage = run, rows.gates[gate.stage_id].stage
        rows.gates[gate.stage_id] = gate
        reviews.tally(command, rows, gate)
        counted = gate.revealed_at is not None and not blind.thinking(gate, command.now)
        if gate.state == GateState.OPEN and counted:
            # From here on it is a gate like any other: the sweeper need not come back.
            Gate.objects.filter(pk=gate.pk).update(blind_until=None)
        advance(command, run, rows)
        return summary(gate)

    return execute(
        actor=Actor("timer", "blind gate timer"),
        name="reveal_gate",
        lock=lambda: run_of(run_id),
        body=body,
    )
