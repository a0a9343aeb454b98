"""What a person did last."""

from django.db.models import Q

from personas.models import User
from pipelines.runs.models import Decision, HandOff, WorkItem
from pipelines.runs.queries import names
from pipelines.runs.queries.inbox.rows import RUN, InboxRow

MOST_DONE = 10


def done(user: User) -> list[InboxRow]:
    decisions = (
        Decision.objects.filter(Q(user=user) | Q(on_behalf_of=user), carried_from=None)
        .select_related(
            "gate__stage", "gate__run__use_case", "gate__run__version", "user", "on_behalf_of"
        )
        .order_by("-at")[:MOST_DONE]
    )
    items = (
        WorkItem.objects.filter(completed_by=user)
        .select_related(*RUN)
        .order_by("-closed_at")[:MOST_DONE]
    )
    accepted = (
        HandOff.objects.filter(answered_by=user)
        .select_related(*RUN, "target")
        .order_by("-answered_at")[:MOST_DONE]
    )
    rows = [
        *(_decided(decision) for decision in decisions),
        *(_completed(item) for item in items),
        *(_answered(hand_off) for hand_off in accepted),
    ]
    return sorted(rows, key=lambda row: row.since, reverse=True)[:MOST_DONE]


def _decided(decision: Decision) -> InboxRow:
    gate = decision.gate
    who = decision.who if decision.on_behalf_of_id else ""
    return InboxRow(
        noun="gate",
        pk=gate.pk,
        asked=f"{decision.verdict.replace('_', ' ').capitalize()}:"
        f" {names.stage_title(gate.run, gate.stage.key)}",
        run=gate.run,
        persona=gate.stage.persona_id,
        since=decision.at,
        why=": ".join(part for part in (who, decision.reason) if part),
        state=gate.state,
    )


def _completed(item: WorkItem) -> InboxRow:
    return InboxRow(
        noun="item",
        pk=item.pk,
        asked=item.title,
        run=item.run,
        persona=item.persona_id,
        since=item.closed_at or item.opened_at,
        state=item.state,
    )


def _answered(hand_off: HandOff) -> InboxRow:
    return InboxRow(
        noun="hand_off",
        pk=hand_off.pk,
        asked=f"Hand-off to {names.stage_title(hand_off.run, hand_off.target.key)}",
        run=hand_off.run,
        persona=hand_off.target.persona_id,
        since=hand_off.answered_at or hand_off.created_at,
        why=hand_off.return_reason,
        state=hand_off.state,
    )
