"""Who holds the baton, and why: one sentence per open end of a run, for a newcomer to read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, prefetch_related_objects

from pipelines.lifecycles import (
    GATE,
    HAND_OFF,
    WORK_ITEM,
    DecisionState,
    GateState,
    HandOffState,
    RunState,
    StageState,
)
from pipelines.runs.models import (
    Check,
    Decision,
    Gate,
    HandOff,
    Run,
    Stage,
    Step,
    WorkItem,
)
from pipelines.runs.queries import names

MOVING = ("QUEUED", "RUNNING", "RETRY_WAIT")


@dataclass(frozen=True)
class Holder:
    """One who holds the baton: personas, person where there is one, what they do and why.

    `waiting`: nobody works on it at this moment, it waits for a person. `barred` holds the ids of
    those who hold a persona but may not act (they made what is reviewed, or offered it).
    """

    personas: tuple[str, ...]
    who: str
    does: str
    why: str
    since: datetime | None
    due: datetime | None = None
    waiting: bool = True
    noun: str = "run"
    pk: int = 0
    stage: str = ""
    barred: tuple[int, ...] = ()


@dataclass(frozen=True)
class Baton:
    """All who hold it now; nobody where the run has not begun or is over (`over` says why)."""

    holders: tuple[Holder, ...] = ()
    over: str = ""

    @property
    def first(self) -> Holder | None:
        """Return the earliest stage's holder."""
        return self.holders[0] if self.holders else None


def fetch_rows(runs: Sequence[Run]) -> None:
    """Fetch what `baton_of` and `track_of` look at; seven queries, whatever the number of runs."""
    gates = (
        Gate.objects.filter(state__in=GATE.open)
        .select_related("stage")
        .prefetch_related(
            Prefetch(
                "decisions",
                Decision.objects.filter(state=DecisionState.IN_FORCE).select_related(
                    "user", "on_behalf_of"
                ),
                to_attr="in_force",
            ),
            Prefetch("checks", Check.objects.order_by("position"), to_attr="judged"),
        )
    )
    prefetch_related_objects(
        list(runs),
        Prefetch(
            "stages",
            Stage.objects.select_related("owner", "returned_by").order_by("created_at", "id"),
            to_attr="all_stages",
        ),
        Prefetch(
            "hand_offs",
            HandOff.objects.select_related("source__owner", "target", "offered_by").order_by("id"),
            to_attr="all_hand_offs",
        ),
        Prefetch("gates", gates, to_attr="open_gates"),
        Prefetch(
            "items",
            WorkItem.objects.filter(state__in=WORK_ITEM.open).select_related("holder"),
            to_attr="open_items",
        ),
        Prefetch("steps", Step.objects.filter(hand_off=None), to_attr="all_steps"),
    )


def baton_of(run: Run) -> Baton:
    """Return who holds the run's baton; the rows must have been fetched by `fetch_rows`."""
    if run.state == RunState.PENDING:
        return Baton(over=f"{run.label} has been prepared but not started.")
    if run.state != RunState.RUNNING and run.state != RunState.PAUSED:
        ends = {
            RunState.SUCCEEDED: "is finished: every stage is done",
            RunState.FAILED: "failed",
            RunState.REJECTED: "was rejected",
            RunState.CANCELLED: "was cancelled",
            RunState.CANCELLING: "is being cancelled",
        }
        reason = f": {run.reason.rstrip('.')}" if run.reason else ""
        return Baton(over=f"{run.label} {ends[RunState(run.state)]}{reason}.")
    holders = tuple(_holders(run))
    if run.state == RunState.PAUSED:
        return Baton(holders, over=f"{run.label} is paused: {run.reason.rstrip('.')}.")
    return Baton(holders)


def _holders(run: Run) -> Iterator[Holder]:
    gates: Mapping[int, Gate] = {gate.stage_id: gate for gate in run.open_gates}  # type: ignore[attr-defined]
    stages: Sequence[Stage] = run.all_stages  # type: ignore[attr-defined]
    hand_offs: Sequence[HandOff] = run.all_hand_offs  # type: ignore[attr-defined]
    for stage in sorted(stages, key=lambda stage: stage.position):
        if not stage.current:
            continue
        stage.run = run
        if stage.state == StageState.IN_REVIEW:
            yield _reviewers(stage, gates.get(stage.pk))
        elif stage.state in (StageState.ACTIVE, StageState.FAILED):
            yield _worker(stage, _items_of(run, stage))
        for hand_off in hand_offs:
            if hand_off.source_id == stage.pk and hand_off.state in HAND_OFF.open:
                yield _between(run, hand_off, _items_of(run, stage))


def _items_of(run: Run, stage: Stage) -> list[WorkItem]:
    items: Sequence[WorkItem] = run.open_items  # type: ignore[attr-defined]
    return [item for item in items if item.stage_id == stage.pk]


def _title(stage: Stage) -> str:
    title = names.stage_title(stage.run, stage.key)
    return f"{title} (round {stage.round})" if stage.round > 1 else title


def _reviewers(stage: Stage, gate: Gate | None) -> Holder:
    """A stage in review: those who can still decide hold it."""
    if gate is None or gate.state != GateState.OPEN:
        return Holder(
            personas=(stage.persona_id,),
            who=str(stage.owner or ""),
            does=f"reopens the gate of {_title(stage)}, or gives the run up",
            why="Nobody decided in time.",
            since=stage.submitted_at,
            stage=stage.key,
            pk=stage.run_id,
        )
    decided: Sequence[Decision] = gate.in_force  # type: ignore[attr-defined]
    judged: Sequence[Check] = gate.judged  # type: ignore[attr-defined]
    red = [check.name for check in judged if check.blocks]
    green = sum(check.verdict == "pass" for check in judged)
    parts = [f"The gate asks for {names.personas_asked(gate.policy['rules'])}"]
    if decided:
        parts.append(_said(gate, decided))
    if judged:
        parts.append(
            f"{green} of {len(judged)} checks are green"
            + (f"; {', '.join(red)} keeps it from being approved" if red else "")
        )
    had = {persona for decision in decided for persona in decision.personas}
    asked = [rule["persona"] for rule in gate.policy["rules"]]
    open_for = tuple(dict.fromkeys(p for p in asked if p not in had)) or tuple(asked)
    return Holder(
        personas=open_for or (stage.persona_id,),
        who="",
        does=f"is asked to decide on {_title(stage)}",
        why=". ".join(parts) + ".",
        since=gate.opened_at,
        due=gate.due_at,
        noun="gate",
        pk=gate.pk,
        stage=stage.key,
        barred=(*gate.author_ids, *(pk for decision in decided for pk in decision.principals)),
    )


def _said(gate: Gate, decided: Sequence[Decision]) -> str:
    """Who has said what; of a sealed gate only how many."""
    if gate.sealed:
        return f"{len(decided)} decided; what they said is sealed"
    return ", ".join(f"{d.who} has said {d.verdict.replace('_', ' ')}" for d in decided)


def _worker(stage: Stage, items: Sequence[WorkItem]) -> Holder:
    """A stage that is worked on: by its owner's hands, or by workers on the owner's behalf."""
    steps = [step for step in stage.run.all_steps if step.stage_id == stage.pk]  # type: ignore[attr-defined]
    done = sum(step.state in ("SUCCEEDED", "SKIPPED") for step in steps)
    moving = [step for step in steps if step.state in MOVING]
    waiting = not moving
    open_items = [item for item in items if item.hand_off_id is None]
    attention = next((item for item in open_items if item.kind == "attention"), None)
    if stage.owner_id is None and not moving:
        does, why = f"is asked to take {_title(stage)}", "Nobody owns it yet."
    elif attention is not None:
        does, why = f"acts on {_title(stage)}", f"{attention.title}."
    elif moving:
        does = f"has {_title(stage)}"
        titles = " and ".join(names.step_title(stage, step.key) for step in moving[:2])
        why = f"Workers compute {titles}: {done} of {len(steps)} steps are done."
    elif open_items:
        does = f"works on {_title(stage)}"
        quoted = " and ".join(f"“{item.title}”" for item in open_items[:3])
        why = f"{quoted} {'waits' if len(open_items) == 1 else 'wait'} to be filled in."
    else:
        does, why = f"has {_title(stage)}", f"{done} of {len(steps)} steps are done."
    if stage.return_code and stage.return_code != "rerun":
        by = f" by {stage.returned_by}" if stage.returned_by else ""
        why += f" It was sent back{by}: “{stage.return_reason}”"
    persons = {str(i.holder) for i in open_items if i.holder_id is not None}
    asked = tuple(dict.fromkeys(i.persona_id for i in open_items)) if not moving else ()
    return Holder(
        personas=asked or (stage.persona_id,),
        who=str(stage.owner or "") or ", ".join(sorted(persons)),
        does=does,
        why=why,
        since=stage.owned_at or stage.activated_at,
        due=stage.due_at,
        waiting=waiting,
        noun="item" if len(open_items) == 1 and attention is None and waiting else "run",
        pk=open_items[0].pk
        if len(open_items) == 1 and attention is None and waiting
        else stage.run_id,
        stage=stage.key,
    )


def _between(run: Run, hand_off: HandOff, items: Sequence[WorkItem]) -> Holder:
    """A hand-off under way: with the giver until it is offered, then with who may take it."""
    source = names.stage_title(run, hand_off.source.key)
    target = names.stage_title(run, hand_off.target.key)
    if hand_off.state == HandOffState.PREPARING:
        mine = [item for item in items if item.hand_off_id == hand_off.pk]
        return Holder(
            personas=(hand_off.source.persona_id,),
            who=str(hand_off.source.owner or ""),
            does=f"hands {source} over to {target}",
            why=f"{mine[0].title}." if mine else "The receiver's contract is being computed.",
            since=hand_off.created_at,
            waiting=bool(mine),
            noun="hand_off",
            pk=hand_off.pk,
            stage=hand_off.source.key,
        )
    by = f"{hand_off.offered_by} has" if hand_off.offered_by else "It was"
    late = " It is overdue." if hand_off.state == HandOffState.ESCALATED else ""
    return Holder(
        personas=(hand_off.target.persona_id,),
        who="",
        does=f"is asked to accept the hand-off into {target}",
        why=f"{by} offered what {source} produced; until somebody accepts, nobody works on it."
        f"{late}",
        since=hand_off.offered_at or hand_off.created_at,
        due=hand_off.due_at,
        noun="hand_off",
        pk=hand_off.pk,
        stage=hand_off.target.key,
        barred=(hand_off.offered_by_id,) if hand_off.offered_by_id else (),
    )
