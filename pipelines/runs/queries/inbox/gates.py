"""Gates in the inbox: those that wait for a person, and those a person waits for."""

from collections.abc import Iterator
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Prefetch

from personas.models import User
from pipelines.lifecycles import DecisionState, GateState
from pipelines.runs.models import Check, Decision, Gate
from pipelines.runs.policies import not_deciding
from pipelines.runs.queries import names
from pipelines.runs.queries.inbox.rows import MOST, RUN, URGENT_FIRST, Hats, InboxRow


def open_gates(user: User, hats: Hats) -> list[Gate]:
    """Open gates of the person's use cases; who decided in earlier ones comes along."""
    earlier = Decision.objects.filter(
        gate__run=OuterRef("run"), state=DecisionState.IN_FORCE
    ).exclude(gate__stage__key=OuterRef("stage__key"))
    behind = earlier.filter(on_behalf_of__isnull=False)
    in_force = Decision.objects.filter(state=DecisionState.IN_FORCE)
    return list(
        Gate.objects.filter(state=GateState.OPEN, run__use_case__in=list(hats))
        .select_related(*RUN, "stage__owner")
        .annotate(
            earlier_users=ArraySubquery(earlier.values("user_id")),
            earlier_givers=ArraySubquery(behind.values("on_behalf_of_id")),
        )
        .prefetch_related(
            Prefetch("decisions", in_force, to_attr="in_force"),
            Prefetch("checks", Check.objects.order_by("position"), to_attr="judged"),
        )
        .order_by(URGENT_FIRST, "id")[:MOST]
    )


def _mine_in(user: User, gate: Any) -> Decision | None:
    return next((d for d in gate.in_force if user.pk in d.principals), None)


def may_decide(user: User, hats: Hats, gate: Gate) -> bool:
    """Whether the gate waits for the person, in their own right or as a deputy."""
    if gate.run.state != "RUNNING":
        return False
    if asks_again(user, gate):
        return True
    return _mine_in(user, gate) is None and bool(_roles(hats, gate))


def asks_again(user: User, gate: Any) -> bool:
    """Whether a blind gate has been revealed and waits for the person to confirm."""
    return gate.revealed_at is not None and any(
        decision.confirmed_at is None
        for decision in gate.in_force
        if user.pk in decision.principals
    )


def _roles(hats: Hats, gate: Any) -> list[User | None]:
    """In whose place the person may decide; None stands for their own right."""
    hat = hats[gate.run.use_case_id]
    decided = {pk for decision in gate.in_force for pk in decision.principals}
    return [
        giver
        for giver in (None, *(one.giver for one in hat.lent))
        if not_deciding(hat, gate, giver) is None and (giver is None or giver.pk not in decided)
    ]


def to_decide(user: User, hats: Hats, gate: Any) -> InboxRow:
    stage = gate.stage
    if asks_again(user, gate):
        return _to_confirm(gate)
    roles, hat = _roles(hats, gate), hats[gate.run.use_case_id]
    giver = next(iter(roles)) if roles else None
    mine = hat.of_giver(giver) if giver else hat.personas
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
        persona=next(p for p in asked if p in mine),
        since=gate.opened_at,
        by=str(stage.owner or ""),
        due=gate.due_at,
        why=(f"You decide for {giver}. " if giver else "")
        + f"{checks}. "
        + (f"Approval waits for {', '.join(red)}." if red else after),
        button="Review",
        state=gate.state,
    )


def _to_confirm(gate: Any) -> InboxRow:
    return InboxRow(
        noun="gate",
        pk=gate.pk,
        asked=f"Confirm or change your verdict on {names.stage_title(gate.run, gate.stage.key)}",
        run=gate.run,
        persona=gate.stage.persona_id,
        since=gate.revealed_at,
        by=str(gate.stage.owner or ""),
        due=gate.tally_at,
        why="All verdicts are revealed; yours counts as it is once the time is over.",
        button="Look",
        state=gate.state,
    )


def reviews_of_mine(user: User, hats: Hats, gates: list[Gate]) -> Iterator[InboxRow]:
    for gate in gates:
        mine = _mine_in(user, gate)
        if asks_again(user, gate):
            continue
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
