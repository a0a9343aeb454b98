"""Work items in the inbox: held ones, and those that somebody may take."""

from collections.abc import Iterator
from datetime import datetime

from personas.models import User
from pipelines.lifecycles import WORK_ITEM, WorkItemState
from pipelines.runs.helping import HELP
from pipelines.runs.models import WorkItem
from pipelines.runs.queries import names
from pipelines.runs.queries.inbox.rows import (
    MOST,
    RUN,
    URGENT_FIRST,
    Hats,
    InboxRow,
    codes_of,
    givers_of,
    stands_in,
    wears,
)

PAGES = {
    "checks_red": "gate",
    "gate_expired": "gate",
    "finding_lapsed": "gate",
    "gate_stuck": "gate",
    "offer": "hand_off",
    "contract_red": "hand_off",
}

BUTTONS = {"form": "Fill in", "attestation": "Sign", "review": "Look at", HELP: "Answer"}

TAKING = "Taking it makes it yours; the others stop seeing it."


def open_items(user: User, hats: Hats) -> list[WorkItem]:
    """Open items that the person holds, for themselves or as deputy, or that they may take."""
    rows = (
        WorkItem.objects.filter(state__in=WORK_ITEM.open, run__state="RUNNING")
        .select_related(*RUN, "stage__owner", "holder", "asked_by")
        .order_by(URGENT_FIRST, "id")
    )
    # Each over an index: asked in one query, PostgreSQL looked through all open items. And what
    # others may do, too, hides nothing that is the person's own.
    own = rows.filter(holder=user)[:MOST]
    here = rows.filter(run__use_case__in=list(hats), candidates__overlap=codes_of(hats))
    lent = here.filter(holder__in=givers_of(hats))[:MOST]
    free = here.filter(holder=None)[:MOST]
    found = sorted([*own, *lent, *free], key=_urgency)
    return [item for item in found if _concerns(user, hats, item)]


def _urgency(item: WorkItem) -> tuple[bool, datetime | None, int]:
    return (item.due_at is None, item.due_at, item.pk)


def on_hold(item: WorkItem) -> bool:
    return item.state == WorkItemState.ON_HOLD


def help_of_mine(user: User) -> Iterator[InboxRow]:
    """Open requests for help that the person made: what they wait for."""
    rows = WorkItem.objects.filter(
        kind=HELP, state__in=WORK_ITEM.open, asked_by=user, run__state="RUNNING"
    )
    for item in rows.select_related(*RUN, "stage", "holder").order_by(URGENT_FIRST, "id")[:MOST]:
        who = f"{item.holder} works on it." if item.holder else "Nobody has taken it yet."
        yield InboxRow(
            noun="item",
            pk=item.pk,
            asked=item.title,
            run=item.run,
            persona=item.persona_id,
            since=item.opened_at,
            due=item.due_at,
            why=f"{who} You asked: “{item.context['question']}”",
            button="Look",
            state=item.state,
        )


def _concerns(user: User, hats: Hats, item: WorkItem) -> bool:
    if item.holder_id is None:  # who asked for help does not answer
        return item.asked_by_id != user.pk and wears(hats, item.run, item.candidates)
    lent = stands_in(hats, item.run, item.holder_id, item.candidates)
    return item.holder_id == user.pk or lent


def held(item: WorkItem, user: User) -> InboxRow:
    cause = item.context.get("cause", "") if item.kind == "attention" else ""
    noun = PAGES.get(cause, "run" if cause else "item")
    pk = {"gate": item.context.get("gate"), "hand_off": item.hand_off_id, "run": item.run_id}
    return InboxRow(
        noun=noun,
        pk=pk.get(noun) or item.pk,
        asked=item.title,
        run=item.run,
        persona=item.persona_id,
        since=item.claimed_at or item.opened_at,
        due=item.due_at,
        why=_goes_on(item, cause)
        + ("" if item.holder_id in (None, user.pk) else f" You act for {item.holder}."),
        button=BUTTONS.get(item.kind, "Act"),
        state=item.state,
    )


def _goes_on(item: WorkItem, cause: str) -> str:
    title = names.stage_title(item.run, item.stage.key)
    if item.kind == HELP:
        return f"{item.asked_by}: “{item.context['question']}”"
    if item.state == WorkItemState.ON_HOLD:
        return f"Comes back by itself. {item.hold_reason}".strip()
    if cause:
        return f"{title} stands still until you act."
    return f"Part of {title}; what depends on it starts when it is complete."


def free_items(items: list[WorkItem], user: User) -> Iterator[InboxRow]:
    for item in items:
        if item.holder_id is None:
            row = held(item, user)
            yield InboxRow(
                **{
                    **row.__dict__,
                    "by": str(item.stage.owner or ""),
                    "why": row.why if item.kind == HELP else TAKING,
                    "button": "Take it",
                    "act": "claim",
                    "act_pk": item.pk,
                }
            )
