"""A hand-off: what passes on, whether the receiver's contract holds, and who may do what now.

Six queries besides the hand-off with its checks, which the edges fetch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from personas.errors import Conflict, DomainError
from personas.models import User
from personas.people import BY_CODE
from pipelines.blueprints.graph import PLAIN_HAND_OFF
from pipelines.blueprints.spec import ChecklistEntry, StageDef
from pipelines.lifecycles import HAND_OFF, HandOffState, RunState
from pipelines.runs.advance import MODEL_PAYLOAD
from pipelines.runs.gaps import MODERATE, WIDE, checklist
from pipelines.runs.models import Attempt, HandOff, Step
from pipelines.runs.policies import Hat, not_receiving, not_sending
from pipelines.runs.queries.checks import CheckView, views_of
from pipelines.runs.queries.clock import now as read_clock
from pipelines.runs.queries.steps import StepView, step_view
from pipelines.runs.rows import stage_def
from pipelines.usecases.models import Seat

OFFERED = (HandOffState.OFFERED, HandOffState.ESCALATED)
MOVING = ("PENDING", "QUEUED", "RUNNING", "RETRY_WAIT")


@dataclass(frozen=True)
class Entry:
    """One line of the checklist: answered by the evidence, by the sender, or still to fill in."""

    key: str
    label: str
    value: Any
    asked: bool


@dataclass(frozen=True)
class Part:
    """One artefact of the package."""

    step: str
    name: str
    digest: str
    media: str
    size: int | None


@dataclass(frozen=True)
class HandOffView:
    """Everything the page of a hand-off shows, as of `now`."""

    hand_off: HandOff
    source: StageDef
    target: StageDef
    now: datetime
    package: tuple[Part, ...]
    checklist: tuple[Entry, ...]
    checks: tuple[CheckView, ...]
    contract: tuple[str, ...]
    steps: tuple[StepView, ...]
    distance: str
    receivers: tuple[str, ...]
    may: Mapping[str, DomainError | None]

    @property
    def open(self) -> bool:
        """Whether it has not been answered yet."""
        return self.hand_off.state in HAND_OFF.open

    @property
    def green(self) -> int:
        """How many of its checks pass; one that does not block may be red in a green contract."""
        return sum(check.verdict == "pass" for check in self.checks)

    @property
    def red(self) -> tuple[CheckView, ...]:
        """The checks that keep it from being offered."""
        return tuple(check for check in self.checks if check.blocks)

    @property
    def computing(self) -> bool:
        """Whether its contract is being computed."""
        return any(view.step.state in MOVING for view in self.steps)

    @property
    def size(self) -> int:
        """Bytes of the package."""
        return sum(part.size or 0 for part in self.package)


def hand_off_view(user: User, hand_off: HandOff) -> HandOffView:
    """Return the page of a hand-off whose checks have been fetched."""
    run = hand_off.run
    hand_off.source.run = hand_off.target.run = run
    now = read_clock()
    hat = Hat.of(user, run)
    source, target = (stage_def(run, one.key) for one in (hand_off.source, hand_off.target))
    definition = source.hand_off or PLAIN_HAND_OFF
    steps = _steps(hand_off, source, hat)
    latest = {check.name: check for check in sorted(hand_off.checks.all(), key=lambda c: c.pk)}
    checks = views_of(latest.values(), now=now)
    entries = tuple(
        Entry(one.key, one.label, hand_off.checklist.get(one.key), one.value is None)
        for one in checklist(definition, hand_off.gap)
    )
    return HandOffView(
        hand_off=hand_off,
        source=source,
        target=target,
        now=now,
        package=tuple(_package(source, hand_off)),
        checklist=entries,
        checks=checks,
        contract=tuple(use.name for use in definition.contract),
        steps=steps,
        distance=distance(hand_off),
        receivers=tuple(_receivers(hand_off)),
        may=_may(hat, hand_off, checks=checks, steps=steps, contract=bool(definition.contract)),
    )


def checklist_of(hand_off: HandOff) -> tuple[ChecklistEntry, ...]:
    """Return every line of the checklist: the blueprint's, and what the distance adds."""
    definition = stage_def(hand_off.run, hand_off.source.key).hand_off or PLAIN_HAND_OFF
    return checklist(definition, hand_off.gap)


def distance(hand_off: HandOff) -> str:
    """Say how far apart giver and receiver stand on the axis that counts, and what that asks."""
    giver = BY_CODE.get(hand_off.source.persona_id)
    taker = BY_CODE.get(hand_off.target.persona_id)
    if giver is None or taker is None:
        return ""
    axis = "deployment" if hand_off.code in MODEL_PAYLOAD else "machine learning"
    if hand_off.gap > WIDE:
        asks = "the full checklist, and a walk-through together"
    elif hand_off.gap >= MODERATE:
        asks = "the full checklist"
    else:
        asks = "the short checklist"
    return (
        f"{giver.title} and {taker.title} stand {hand_off.gap} of 100 points apart in {axis}"
        f" expertise: that asks for {asks}."
    )


def _steps(hand_off: HandOff, source: StageDef, hat: Hat) -> tuple[StepView, ...]:
    attempts = Attempt.objects.order_by("number").select_related(
        "cached_from__step__stage", "cached_from__run__use_case"
    )
    rows = Step.objects.filter(hand_off=hand_off, current=True).order_by("position", "id")
    found = []
    for step in rows.prefetch_related(Prefetch("attempts", attempts, to_attr="tried")):
        step.stage = hand_off.source
        found.append(step_view(source, step, step.tried, hat=hat))
    return tuple(found)


def _package(source: StageDef, hand_off: HandOff) -> list[Part]:
    titles = {step.key: step.title for step in source.all_steps()}
    return [
        Part(
            titles.get(step, step),
            name,
            str(output.get("digest", "")),
            str(output.get("media", "")),
            output.get("size"),
        )
        for step, outputs in hand_off.package.items()
        for name, output in outputs.items()
    ]


def _receivers(hand_off: HandOff) -> list[str]:
    """Who may accept: seated as the receiving persona, and not who offers it."""
    seats = Seat.objects.filter(
        use_case=hand_off.run.use_case_id,
        persona=hand_off.target.persona_id,
        until=None,
        user__is_active=True,
    ).select_related("user")
    return [str(seat.user) for seat in seats if seat.user_id != hand_off.offered_by_id]


def _may(
    hat: Hat,
    hand_off: HandOff,
    *,
    checks: Sequence[CheckView],
    steps: Sequence[StepView],
    contract: bool,
) -> dict[str, DomainError | None]:
    standing = _standing(hand_off)
    sending, receiving = not_sending(hat, hand_off), not_receiving(hat, hand_off)
    moving = any(view.step.state in MOVING for view in steps)
    red = [check.title for check in checks if check.blocks]
    running = Conflict("contract_running", "The contract is being computed.") if moving else None
    unready: DomainError | None = running
    if unready is None and red:
        unready = Conflict("contract_red", f"The contract is red: {', '.join(red)}.")
    if unready is None and contract and not checks:
        unready = Conflict("contract_running", "The contract has not been judged yet.")
    preparing = _in_state(hand_off, HandOffState.PREPARING)
    waiting = _in_state(hand_off, *OFFERED)
    return {
        "offer": standing or sending or preparing or unready,
        "accept": standing or receiving or waiting,
        "return": standing or receiving or waiting,
        "withdraw": standing or sending or _in_state(hand_off, HandOffState.PREPARING, *OFFERED),
        "rerun": standing or sending or preparing or running,
    }


def _standing(hand_off: HandOff) -> DomainError | None:
    run = hand_off.run
    if run.state == RunState.RUNNING:
        return None
    return Conflict("run_not_running", f"{run.label} is {run.state.lower()}.", state=run.state)


def _in_state(hand_off: HandOff, *states: str) -> DomainError | None:
    if hand_off.state in states:
        return None
    by = f" by {hand_off.answered_by}" if hand_off.answered_by else ""
    at = f" at {hand_off.answered_at:%d %b %H:%M}" if hand_off.answered_at else ""
    state = hand_off.state.lower().replace("_", " ")
    return Conflict("hand_off_moved_on", f"This hand-off is {state}{by}{at}.", state=hand_off.state)
