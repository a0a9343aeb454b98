"""Gates in the inbox: those that wait for a person, and those a person waits for."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch

from personas.models import User
from pipelines.lifecycles import DecisionState, GateState
from pipelines.runs.models import Check, Decision, Gate
from pipelines.runs.policies import not_deciding
from pipelines.runs.queries import names
from pipelines.runs.queries.inbox.rows import MOST, RUN, URGENT_FIRST, Hats, InboxRow


def open_gates(user: User, hats: Hats) -> list[Gate]:
    """Open gates of the person's use cases; whether they decided in an earlier one comes along."""
    earlier = Decision.objects.filter(
        gate__run=OuterRef("run"), user=user, state=DecisionState.IN_FORCE
    ).exclude(gate__stage__key=OuterRef("stage__key"))
    in_force = Decision.objects.filter(state=DecisionState.IN_FORCE)
    return list(
        Gate.objects.filter(state=GateState.OPEN, run__use_case__in=list(hats))
        .select_related(*RUN, "stage__owner")
        .annotate(decided_before=Exists(earlier))
        .prefetch_related(
            Prefetch("decisions", in_force, to_attr="in_force"),
            Prefetch("checks", Check.objects.order_by("position"), to_attr="judged"),
        )
        .order_by(URGENT_FIRST, "id")[:MOST]
    )


def _mine_in(user: User, gate: Any) -> Decision | None:
    return next((d for d in gate.in_force if d.user_id == user.pk), None)


def may_decide(user: User, hats: Hats, gate: Gate) -> bool:
    return (
        gate.run.state == "RUNNING"
        and _mine_in(user, gate) is None
        and not_deciding(hats[gate.run.use_case_id], gate) is None
    )


def to_decide(hats: Hats, gate: Any) -> InboxRow:
    stage = gate.stage
    opens = [definition.title for definition in names.opened_by(gate.run, stage.key)]
    after = f"Approving opens {' and '.join(opens)}." if opens else "Approving finishes the run."
    red = [check.name for check in gate.judged if check.blocks]
    green = sum(check.verdict == "pass" for check in gate.judged)
    asked = [rule["persona"] for rule in gate.policy["rules"]]
    checks = f"{green} of {len(gate.judged)} checks green" if gate.judged else "No computed check"
    return InboxRow(
        noun="gate",
        pk=gate.pk,
        asked=f"Decide on {names.stage_title(gate.run, stage.key)}"
        + (f", round {stage.round}" if stage.round > 1 else ""),
        run=gate.run,
        persona=next(p for p in asked if hats[gate.run.use_case_id].wears(p)),
        since=gate.opened_at,
        by=str(stage.owner or ""),
        due=gate.due_at,
        why=f"{checks}. " + (f"Approval waits for {', '.join(red)}." if red else after),
        button="Review",
        state=gate.state,
    )


def reviews_of_mine(user: User, hats: Hats, gates: list[Gate]) -> Iterator[InboxRow]:
    for gate in gates:
        mine = _mine_in(user, gate)
        if mine is None and (gate.stage.owner_id != user.pk or may_decide(user, hats, gate)):
            continue
        title = names.stage_title(gate.run, gate.stage.key)
        asked = names.personas_asked(gate.policy["rules"])
        yield InboxRow(
            noun="gate",
            pk=gate.pk,
            asked=f"{title} is in review",
            run=gate.run,
            persona=gate.stage.persona_id,
            since=gate.opened_at,
            due=gate.due_at,
            why=f"You decided: {mine.verdict}. The gate asks {asked}."
            if mine
            else f"It is your work, so others decide: {asked}.",
            state=gate.state,
        )
