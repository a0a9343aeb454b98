"""Hand-offs: offer, accept, return, withdraw, rerun the contract."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid, NotAllowed
from personas.ledger import Actor
from personas.models import User
from pipelines.blueprints.graph import hand_off_def
from pipelines.blueprints.plan import STEP_DONE
from pipelines.blueprints.spec import ChecklistEntry
from pipelines.lifecycles import HandOffState, StageState
from pipelines.runs import attention, packages, rounds
from pipelines.runs.actions.locks import must_run, run_of
from pipelines.runs.actions.verdicts import REASON_CODES
from pipelines.runs.advance import advance
from pipelines.runs.gaps import RETURN_CODES as GAP_CODES
from pipelines.runs.gaps import WALK_THROUGH, checklist, walk_through_problem
from pipelines.runs.models import HandOff, Run, Step, WorkItem
from pipelines.runs.moves import move
from pipelines.runs.policies import Hat, not_receiving, not_sending, refuse
from pipelines.runs.rows import Rows, load

LONGEST_NOTE = 10_000
RETURN_CODES = {**REASON_CODES, **GAP_CODES}


def offer(
    *,
    actor: Actor,
    hand_off: HandOff,
    answers: Mapping[str, Any],
    note: str = "",
    key: str | None = None,
) -> Answer:
    """Offer the package with its checklist answered. Raises Invalid, Conflict (contract_red)."""
    user = _person(actor)

    def body(command: Command, run: Run) -> dict[str, object]:
        must_run(run)
        rows = load(run)
        locked = _locked(rows, hand_off)
        refuse(not_sending(Hat.of(user, run), locked))
        _in_state(locked, HandOffState.PREPARING)
        definition = hand_off_def(rows.blueprint, locked.source.key)
        if definition.contract and not rows.green.get(locked.pk):
            red = [check.name for check in locked.checks.all() if check.blocks]
            raise Conflict(
                "contract_red",
                "The receiver's contract is not green yet.",
                state=locked.state,
                checks=red,
            )
        states = {step.state for (pk, _), step in rows.contract_steps.items() if pk == locked.pk}
        if len(states - STEP_DONE) or (definition.steps and not states):
            raise Conflict(
                "contract_running", "The contract is being computed.", state=locked.state
            )
        asked = checklist(definition, locked.gap)
        _check_answers(asked, answers, note, today=command.now.date())
        packages.offer(command, rows, locked, by=user, note=note, answers=answers)
        advance(command, run, rows)
        return summary(locked)

    return execute(
        actor=actor,
        name="offer",
        lock=lambda: run_of(hand_off.run_id),
        body=body,
        key=key,
        request={"hand_off": hand_off.pk, "answers": dict(answers), "note": note},
    )


def _check_answers(
    entries: Sequence[ChecklistEntry], answers: Mapping[str, Any], note: str, *, today: date
) -> None:
    asked = {entry.key: entry.label for entry in entries if entry.value is None}
    problems = {
        f"answers.{name}": ["is not on the checklist"] for name in answers if name not in asked
    }
    for name, label in asked.items():
        if not str(answers.get(name) or "").strip():
            problems[f"answers.{name}"] = [f"is required: {label}"]
        elif name == WALK_THROUGH.key:
            lacks = walk_through_problem(str(answers[name]), today=today)
            if lacks:
                problems[f"answers.{name}"] = [lacks]
    if len(note) > LONGEST_NOTE:
        problems["note"] = [f"has {len(note)} characters; at most {LONGEST_NOTE}"]
    if problems:
        raise Invalid("The checklist is not complete.", fields=problems)


def accept(*, actor: Actor, hand_off: HandOff, key: str | None = None) -> Answer:
    """Accept: the receiver's stage becomes active, and the accepter owns it."""
    user = _person(actor)

    def body(command: Command, run: Run) -> dict[str, object]:
        must_run(run)
        rows = load(run)
        locked = _locked(rows, hand_off)
        hat = Hat.of(user, run)
        refuse(not_receiving(hat, locked))
        if locked.state == HandOffState.ACCEPTED and locked.answered_by_id == user.pk:
            return summary(locked)
        _in_state(locked, HandOffState.OFFERED, HandOffState.ESCALATED)
        giver = hat.behind(locked.target.persona_id)
        move(
            command,
            locked,
            "accept",
            run=run,
            answered_at=command.now,
            answered_by=user,
            answered_for=giver,
            topic="hand_off.accepted",
            data={"for": str(giver)} if giver else None,
        )
        advance(command, run, rows)
        return summary(locked)

    return execute(
        actor=actor,
        name="accept",
        lock=lambda: run_of(hand_off.run_id),
        body=body,
        key=key,
        request={"hand_off": hand_off.pk},
    )


def return_(
    *, actor: Actor, hand_off: HandOff, reason: str, reason_code: str, key: str | None = None
) -> Answer:
    """Return it with a reason code: the sender's stage gets its next round."""
    user = _person(actor)
    problems = {}
    if not reason.strip():
        problems["reason"] = ["must not be empty"]
    if reason_code not in RETURN_CODES:
        problems["reason_code"] = [f"must be one of {', '.join(RETURN_CODES)}, got {reason_code!r}"]
    if problems:
        raise Invalid("The hand-off cannot be returned.", fields=problems)

    def body(command: Command, run: Run) -> dict[str, object]:
        must_run(run)
        rows = load(run)
        locked = _locked(rows, hand_off)
        refuse(not_receiving(Hat.of(user, run), locked))
        _in_state(locked, HandOffState.OFFERED, HandOffState.ESCALATED)
        move(
            command,
            locked,
            "return",
            run=run,
            answered_at=command.now,
            answered_by=user,
            return_code=reason_code,
            return_reason=reason,
            topic="hand_off.returned",
            data={"code": reason_code, "reason": reason},
        )
        _back_to_sender(command, rows, locked, reason=reason, code=reason_code)
        advance(command, run, rows)
        return summary(locked)

    return execute(
        actor=actor,
        name="return",
        lock=lambda: run_of(hand_off.run_id),
        body=body,
        key=key,
        request={"hand_off": hand_off.pk, "reason": reason, "code": reason_code},
    )


def withdraw(*, actor: Actor, hand_off: HandOff, reason: str, key: str | None = None) -> Answer:
    """Take an offer back before it is accepted: the sender's stage gets its next round."""
    user = _person(actor)
    if not reason.strip():
        raise Invalid("A reason is needed.", fields={"reason": ["must not be empty"]})

    def body(command: Command, run: Run) -> dict[str, object]:
        must_run(run)
        rows = load(run)
        locked = _locked(rows, hand_off)
        refuse(not_sending(Hat.of(user, run), locked))
        _in_state(locked, HandOffState.PREPARING, HandOffState.OFFERED, HandOffState.ESCALATED)
        move(
            command,
            locked,
            "withdraw",
            run=run,
            answered_at=command.now,
            return_reason=reason,
            data={"reason": reason},
        )
        _back_to_sender(command, rows, locked, reason=reason, code="other")
        advance(command, run, rows)
        return summary(locked)

    return execute(
        actor=actor,
        name="withdraw",
        lock=lambda: run_of(hand_off.run_id),
        body=body,
        key=key,
        request={"hand_off": hand_off.pk, "reason": reason},
    )


def _back_to_sender(
    command: Command, rows: Rows, hand_off: HandOff, *, reason: str, code: str
) -> None:
    target = rows.stages[hand_off.target.key]
    if target.state == StageState.READY:
        move(command, target, "hand_off_lost", run=rows.run)
    if rounds.rounds_left(rows, hand_off.source.key) < 1:
        raise Conflict(
            "max_rounds",
            f"{hand_off.source.key} has had all its rounds; accept, or escalate.",
            stage=hand_off.source.key,
        )
    items = WorkItem.objects.filter(hand_off=hand_off)
    attention.close_attention(command, rows, items)
    rounds.reopen(command, rows, target=hand_off.source.key, reason=reason, code=code)


def rerun_contract(*, actor: Actor, hand_off: HandOff, key: str | None = None) -> Answer:
    """Compute the contract's steps and checks again, without the cache."""
    user = _person(actor)

    def body(command: Command, run: Run) -> dict[str, object]:
        must_run(run)
        rows = load(run)
        locked = _locked(rows, hand_off)
        refuse(not_sending(Hat.of(user, run), locked))
        _in_state(locked, HandOffState.PREPARING)
        steps = Step.objects.filter(hand_off=locked, current=True)
        if steps.exclude(state__in=("SUCCEEDED", "FAILED")).exists():
            raise Conflict(
                "contract_running", "The contract is being computed.", state=locked.state
            )
        move(command, locked, "rerun_contract", run=run)
        locked.checks.all().delete()
        rows.green[locked.pk] = None
        attention.close_attention(command, rows, WorkItem.objects.filter(hand_off=locked))
        steps.update(current=False)
        for place in [place for place in rows.contract_steps if place[0] == locked.pk]:
            del rows.contract_steps[place]
        advance(command, run, rows)
        return summary(locked)

    return execute(
        actor=actor,
        name="rerun_contract",
        lock=lambda: run_of(hand_off.run_id),
        body=body,
        key=key,
        request={"hand_off": hand_off.pk},
    )


def escalate(*, hand_off_id: int) -> Answer:
    """Escalate an offer that nobody accepted in time; it stays acceptable (the sweeper's call)."""
    run_id = HandOff.objects.values_list("run_id", flat=True).get(pk=hand_off_id)

    def body(command: Command, run: Run) -> dict[str, object]:
        hand_off = HandOff.objects.select_related("source", "target").get(pk=hand_off_id)
        due = hand_off.due_at is not None and hand_off.due_at <= command.now
        if hand_off.state == HandOffState.OFFERED and due and run.state == "RUNNING":
            move(command, hand_off, "escalate", run=run, topic="hand_off.escalated")
        return summary(hand_off)

    return execute(
        actor=Actor("timer", "hand-off timer"),
        name="escalate",
        lock=lambda: run_of(run_id),
        body=body,
    )


def _locked(rows: Rows, hand_off: HandOff) -> HandOff:
    """Return the hand-off as it is under the lock, with the stages of `rows`."""
    fresh = (
        HandOff.objects.select_for_update(of=("self",))
        .select_related("source", "target", "answered_by", "offered_by")
        .get(pk=hand_off.pk)
    )
    fresh.run = rows.run
    for edge, known in rows.hand_offs.items():
        if known.pk == fresh.pk:
            fresh.source, fresh.target = rows.stages[edge[0]], rows.stages[edge[1]]
            rows.hand_offs[edge] = fresh
    return fresh


def _in_state(hand_off: HandOff, *states: str) -> None:
    if hand_off.state in states:
        return
    who, at = hand_off.answered_by, hand_off.answered_at
    answered = {"by": str(who), "at": at} if who and at else {}
    raise Conflict(
        "hand_off_moved_on",
        f"This hand-off is {hand_off.state}" + (f", by {who} at {at:%H:%M}." if answered else "."),
        state=hand_off.state,
        **answered,
    )


def _person(actor: Actor) -> User:
    if actor.user is None or actor.user.is_service:
        raise NotAllowed("actor.person", "Only people hand over and accept.")
    return actor.user


def summary(hand_off: HandOff) -> dict[str, object]:
    """Return what an answer says of a hand-off."""
    return {
        "hand_off": hand_off.pk,
        "run": hand_off.run_id,
        "from": hand_off.source.key,
        "to": hand_off.target.key,
        "state": hand_off.state,
    }
