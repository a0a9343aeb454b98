"""The inbox: what waits for a person, what they wait for, and what they did last.

Eleven queries, whatever there is; each list is cut at MOST rows, the most urgent first.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q

from personas.models import User
from pipelines.lifecycles import WORK_ITEM, DecisionState, GateState, HandOffState, StageState
from pipelines.runs.models import Check, Decision, Gate, HandOff, Run, Stage, Step, WorkItem
from pipelines.runs.policies import Hat, not_deciding, not_receiving
from pipelines.runs.queries import names
from pipelines.runs.queries.clock import now
from pipelines.usecases.models import Seat

MOST = 100
MOST_DONE = 10
PAGES = {
    "checks_red": "gate",
    "gate_expired": "gate",
    "offer": "hand_off",
    "contract_red": "hand_off",
}
RUN = ("run__use_case", "run__version")
URGENT_FIRST = F("due_at").asc(nulls_last=True)


@dataclass(frozen=True)
class InboxRow:
    """One line: what is asked, by whom, since when, until when, and what the button will do.

    `noun` and `pk` name the page it leads to; `act` the change the button makes at once
    (accept, claim, take) on `act_pk`, or "" where it only opens the page.
    """

    noun: str
    pk: int
    asked: str
    run: Run
    persona: str
    since: datetime
    by: str = ""
    due: datetime | None = None
    why: str = ""
    button: str = "Open"
    act: str = ""
    act_pk: int = 0
    state: str = ""


@dataclass(frozen=True)
class Section:
    """One heading of the inbox with its rows."""

    key: str
    title: str
    rows: list[InboxRow]
    empty: str

    @property
    def cut(self) -> bool:
        """Whether there may be more than is shown."""
        return len(self.rows) >= MOST


@dataclass(frozen=True)
class Inbox:
    """All sections, as of `now`. `waiting` counts what waits for this person."""

    now: datetime
    sections: list[Section]

    @property
    def waiting(self) -> int:
        """How many rows ask something of this person."""
        calls = ("decide", "offered", "mine", "returned")
        return sum(len(section.rows) for section in self.sections if section.key in calls)


def inbox(user: User) -> Inbox:
    """Return the person's inbox."""
    hats = _hats(user)
    gates = _gates(user, hats)
    items = _items(user, hats)
    hand_offs = _hand_offs(user, hats)
    stages = _stages(user, hats)
    busy = {item.stage_id for item in items}
    asked = {item.hand_off_id for item in items}
    sections = [
        Section(
            "decide",
            "Needs my decision",
            [_decide(gate) for gate in gates if _may_decide(user, hats, gate)],
            "No gate waits for you.",
        ),
        Section(
            "returned",
            "Returned to me",
            [_returned(stage) for stage in stages if stage.owner_id == user.pk and _is_back(stage)],
            "Nothing was sent back to you.",
        ),
        Section(
            "offered",
            "Offered to my persona",
            [*_offers(user, hats, hand_offs), *_free(items), *_free_stages(stages, busy)],
            "Nobody is handing anything to your persona.",
        ),
        Section(
            "mine",
            "My work",
            [_item(item) for item in items if item.holder_id == user.pk],
            "You hold no work item.",
        ),
        Section(
            "others",
            "Waiting on others",
            [
                *_reviews_of_mine(user, hats, gates),
                *_offers_of_mine(user, hand_offs, asked),
                *_computing(user, stages, busy),
            ],
            "You wait for nobody.",
        ),
        Section("done", "Done", _done(user), "What you decide, accept and complete shows up here."),
    ]
    return Inbox(now(), sections)


def waiting_for(user: User) -> int:
    """Return how many rows of the inbox ask something of this person; seven queries."""
    hats = _hats(user)
    items, stages = _items(user, hats), _stages(user, hats)
    busy = {item.stage_id for item in items}
    return (
        sum(_may_decide(user, hats, gate) for gate in _gates(user, hats))
        + len(_offers(user, hats, _hand_offs(user, hats)))
        + len(items)
        + len(list(_free_stages(stages, busy)))
        + sum(stage.owner_id == user.pk and _is_back(stage) for stage in stages)
    )


def _hats(user: User) -> Mapping[int, Hat]:
    """Return the person's hats by use case."""
    held: dict[int, list[str]] = {}
    seats = Seat.objects.filter(user=user, until=None).order_by("persona__lane")
    for use_case, persona in seats.values_list("use_case_id", "persona_id"):
        held.setdefault(use_case, []).append(persona)
    return {use_case: Hat(user, personas) for use_case, personas in held.items()}


def _wears(hats: Mapping[int, Hat], run: Run, personas: Iterable[str]) -> bool:
    hat = hats.get(run.use_case_id)
    return hat is not None and any(hat.wears(persona) for persona in personas)


def _codes(hats: Mapping[int, Hat]) -> list[str]:
    return sorted({persona for hat in hats.values() for persona in hat.personas})


# --- Gates -----------------------------------------------------------------------------------


def _gates(user: User, hats: Mapping[int, Hat]) -> list[Gate]:
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


def _may_decide(user: User, hats: Mapping[int, Hat], gate: Gate) -> bool:
    return (
        gate.run.state == "RUNNING"
        and _mine_in(user, gate) is None
        and not_deciding(hats[gate.run.use_case_id], gate) is None
    )


def _decide(gate: Any) -> InboxRow:
    stage = gate.stage
    opens = [definition.title for definition in names.opened_by(gate.run, stage.key)]
    after = f"Approving opens {' and '.join(opens)}." if opens else "Approving finishes the run."
    red = [check.name for check in gate.judged if check.blocks]
    green = sum(check.verdict == "pass" for check in gate.judged)
    checks = f"{green} of {len(gate.judged)} checks green" if gate.judged else "No computed check"
    return InboxRow(
        noun="gate",
        pk=gate.pk,
        asked=f"Decide on {names.stage_title(gate.run, stage.key)}"
        + (f", round {stage.round}" if stage.round > 1 else ""),
        run=gate.run,
        persona=stage.persona_id,
        since=gate.opened_at,
        by=str(stage.owner or ""),
        due=gate.due_at,
        why=f"{checks}. " + (f"Approval waits for {', '.join(red)}." if red else after),
        button="Review",
        state=gate.state,
    )


def _reviews_of_mine(user: User, hats: Mapping[int, Hat], gates: list[Gate]) -> Iterator[InboxRow]:
    for gate in gates:
        mine = _mine_in(user, gate)
        if mine is None and (gate.stage.owner_id != user.pk or _may_decide(user, hats, gate)):
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


# --- Work items ------------------------------------------------------------------------------


def _items(user: User, hats: Mapping[int, Hat]) -> list[WorkItem]:
    """Open items that the person holds, or that nobody holds and they may take."""
    free = Q(holder=None, run__use_case__in=list(hats), candidates__overlap=_codes(hats))
    rows = (
        WorkItem.objects.filter(Q(holder=user) | free, state__in=WORK_ITEM.open)
        .filter(run__state="RUNNING")
        .select_related(*RUN, "stage__owner")
        .order_by(URGENT_FIRST, "id")[:MOST]
    )
    return [
        item
        for item in rows
        if item.holder_id == user.pk or _wears(hats, item.run, item.candidates)
    ]


def _item(item: WorkItem) -> InboxRow:
    cause = item.context.get("cause", "") if item.kind == "attention" else ""
    noun = PAGES.get(cause, "run" if cause else "item")
    pk = {"gate": item.context.get("gate"), "hand_off": item.hand_off_id, "run": item.run_id}
    what = {"form": "Fill in", "attestation": "Sign", "review": "Look at"}.get(item.kind, "Act")
    return InboxRow(
        noun=noun,
        pk=pk.get(noun) or item.pk,
        asked=item.title,
        run=item.run,
        persona=item.persona_id,
        since=item.claimed_at or item.opened_at,
        due=item.due_at,
        why=_goes_on(item, cause),
        button=what,
        state=item.state,
    )


def _goes_on(item: WorkItem, cause: str) -> str:
    title = names.stage_title(item.run, item.stage.key)
    if cause:
        return f"{title} stands still until you act."
    return f"Part of {title}; what depends on it starts when it is complete."


def _free(items: list[WorkItem]) -> Iterator[InboxRow]:
    for item in items:
        if item.holder_id is None:
            row = _item(item)
            yield InboxRow(
                **{
                    **row.__dict__,
                    "by": str(item.stage.owner or ""),
                    "why": "Taking it makes it yours; the others stop seeing it.",
                    "button": "Take it",
                    "act": "claim",
                    "act_pk": item.pk,
                }
            )


# --- Hand-offs -------------------------------------------------------------------------------


def _hand_offs(user: User, hats: Mapping[int, Hat]) -> list[HandOff]:
    """Open hand-offs to the person's personas, or out of a stage that is theirs."""
    to_me = Q(
        state__in=(HandOffState.OFFERED, HandOffState.ESCALATED),
        target__persona__in=_codes(hats),
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


def _offers(user: User, hats: Mapping[int, Hat], hand_offs: list[HandOff]) -> list[InboxRow]:
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


def _offers_of_mine(
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


# --- Stages ----------------------------------------------------------------------------------


def _stages(user: User, hats: Mapping[int, Hat]) -> list[Any]:
    """Active stages that are the person's, or that nobody of their persona has taken."""
    free = Q(owner=None, run__use_case__in=list(hats), persona__in=_codes(hats))
    done = Count("steps", filter=Q(steps__hand_off=None, steps__state="SUCCEEDED"))
    rows = (
        Stage.objects.filter(Q(owner=user) | free, state=StageState.ACTIVE, current=True)
        .filter(run__state="RUNNING")
        .select_related(*RUN, "returned_by")
        .annotate(
            steps_done=done,
            steps_all=Count("steps", filter=Q(steps__hand_off=None)),
            failed=Exists(Step.objects.filter(stage=OuterRef("pk"), state="FAILED")),
        )
        .order_by(URGENT_FIRST, "id")[:MOST]
    )
    return [s for s in rows if s.owner_id == user.pk or _wears(hats, s.run, [s.persona_id])]


def _is_back(stage: Stage) -> bool:
    return bool(stage.return_code) and stage.return_code != "rerun"


def _stage(stage: Stage, **changes: Any) -> InboxRow:
    title = names.stage_title(stage.run, stage.key)
    fields: dict[str, Any] = {
        "noun": "run",
        "pk": stage.run_id,
        "asked": title + (f", round {stage.round}" if stage.round > 1 else ""),
        "run": stage.run,
        "persona": stage.persona_id,
        "since": stage.activated_at or stage.created_at,
        "due": stage.due_at,
        "state": stage.state,
        "button": "Open the run",
    }
    return InboxRow(**{**fields, **changes})


def _returned(stage: Stage) -> InboxRow:
    return _stage(
        stage,
        asked=f"{names.stage_title(stage.run, stage.key)} came back: round {stage.round}",
        by=str(stage.returned_by or ""),
        why=f"“{stage.return_reason}” ({stage.return_code.replace('_', ' ')})",
    )


def _free_stages(stages: list[Any], busy: set[int]) -> Iterator[InboxRow]:
    """Stages without an owner; one whose items are offered anyway is taken with its first item."""
    for stage in stages:
        if stage.owner_id is None and stage.pk not in busy:
            yield _stage(
                stage,
                asked=f"Take {names.stage_title(stage.run, stage.key)}",
                why="Nobody owns it yet; taking it makes you accountable for it.",
                button="Take it",
                act="take",
                act_pk=stage.pk,
            )


def _computing(user: User, stages: list[Any], busy: set[int]) -> Iterator[InboxRow]:
    for stage in stages:
        if stage.owner_id != user.pk or stage.pk in busy or stage.steps_all == 0:
            continue
        yield _stage(
            stage, why=f"Workers have done {stage.steps_done} of {stage.steps_all} steps so far."
        )


# --- Done ------------------------------------------------------------------------------------


def _done(user: User) -> list[InboxRow]:
    decisions = (
        Decision.objects.filter(user=user, carried_from=None)
        .select_related("gate__stage", "gate__run__use_case", "gate__run__version")
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
    return InboxRow(
        noun="gate",
        pk=gate.pk,
        asked=f"{decision.verdict.replace('_', ' ').capitalize()}:"
        f" {names.stage_title(gate.run, gate.stage.key)}",
        run=gate.run,
        persona=gate.stage.persona_id,
        since=decision.at,
        why=decision.reason,
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
