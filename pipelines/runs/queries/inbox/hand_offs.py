"""Hand-offs in the inbox: offered to a person, and offered by them."""

from collections.abc import Iterator

from django.db.models import Q

from personas.models import User
from pipelines.lifecycles import HandOffState
from pipelines.runs.models import HandOff
from pipelines.runs.policies import not_receiving
from pipelines.runs.queries import names
from pipelines.runs.queries.inbox.rows import MOST, RUN, URGENT_FIRST, Hats, InboxRow, codes_of


def open_hand_offs(user: User, hats: Hats) -> list[HandOff]:
    """Open hand-offs to the person's personas, or out of a stage that is theirs."""
    to_me = Q(
        state__in=(HandOffState.OFFERED, HandOffState.ESCALATED),
        target__persona__in=codes_of(hats),
        run__use_case__in=list(hats),
    )
    from_me = Q(
        state__in=(HandOffState.PREPARING, HandOffState.OFFERED, HandOffState.ESCALATED),
        source__owner=user,
    )
    return list(
        HandOff.objects.filter(to_me | from_me, run__state="RUNNING")
        .select_related(*RUN, "source__owner", "target", "offered_by")
        .order_by(URGENT_FIRST, "id")[:MOST]
    )


def offers(user: User, hats: Hats, hand_offs: list[HandOff]) -> list[InboxRow]:
    return [
        InboxRow(
            noun="hand_off",
            pk=hand_off.pk,
            asked=f"Take over {names.stage_title(hand_off.run, hand_off.target.key)}",
            run=hand_off.run,
            persona=hand_off.target.persona_id,
            since=hand_off.offered_at or hand_off.created_at,
            by=str(hand_off.offered_by or ""),
            due=hand_off.due_at,
            why=f"Accepting makes you its owner; it carries what"
            f" {names.stage_title(hand_off.run, hand_off.source.key)} left behind.",
            button="Accept",
            act="accept",
            act_pk=hand_off.pk,
            state=hand_off.state,
        )
        for hand_off in hand_offs
        if hand_off.state != HandOffState.PREPARING
        and hand_off.run.use_case_id in hats
        and not_receiving(hats[hand_off.run.use_case_id], hand_off) is None
    ]


def offers_of_mine(
    user: User, hand_offs: list[HandOff], asked: set[int | None]
) -> Iterator[InboxRow]:
    """What I hand over and nobody has taken; what still asks something of me is My work."""
    for hand_off in hand_offs:
        if user.pk not in (hand_off.source.owner_id, hand_off.offered_by_id):
            continue
        preparing = hand_off.state == HandOffState.PREPARING
        if preparing and hand_off.pk in asked:
            continue
        target = hand_off.target
        yield InboxRow(
            noun="hand_off",
            pk=hand_off.pk,
            asked=f"Hand-off to {names.stage_title(hand_off.run, target.key)}",
            run=hand_off.run,
            persona=target.persona_id,
            since=hand_off.offered_at or hand_off.created_at,
            due=hand_off.due_at,
            why="Its contract is being computed."
            if preparing
            else f"Waits for a {target.persona_id} to accept; until then you stay accountable.",
            state=hand_off.state,
        )
