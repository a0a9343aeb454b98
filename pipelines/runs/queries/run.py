"""One run: its stages with their rounds, what computes now, where the time went, what came out.

Ten queries, whatever the size of the run; one more where something waits for a worker.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from personas.errors import DomainError
from personas.models import User
from pipelines.blueprints.spec import StageDef
from pipelines.lifecycles import GATE, WORK_ITEM, DecisionState, StepState
from pipelines.runs.models import (
    Attempt,
    Check,
    Decision,
    Gate,
    HandOff,
    Run,
    Stage,
    Step,
    WorkItem,
)
from pipelines.runs.policies import Hat
from pipelines.runs.presence import Offers, alive
from pipelines.runs.queries import rights
from pipelines.runs.queries.baton import Baton, baton_of
from pipelines.runs.queries.checks import CheckView, views_of
from pipelines.runs.queries.clock import now as read_clock
from pipelines.runs.queries.steps import StepView, step_view
from pipelines.runs.queries.times import Times, Tries, times
from pipelines.runs.queries.track import ENDED, Track, track_of
from pipelines.runs.rows import blueprint_of, stage_def

# What lists of attempts never show; a log alone may have 16,000 characters.
HEAVY = ("log", "facts", "params", "inputs", "cache_key")


@dataclass(frozen=True)
class RoundView:
    """One round of a stage with all that hangs on it. `may` holds what forbids each act."""

    stage: Stage
    definition: StageDef
    steps: tuple[StepView, ...] = ()
    contract_steps: tuple[StepView, ...] = ()
    items: tuple[WorkItem, ...] = ()
    gate: Gate | None = None
    checks: tuple[CheckView, ...] = ()
    hand_offs: tuple[HandOff, ...] = ()
    may: Mapping[str, DomainError | None] = field(default_factory=dict)
    send_back_to: tuple[tuple[str, str], ...] = ()

    @property
    def open(self) -> bool:
        """Whether something goes on here."""
        return self.stage.state in ("READY", "ACTIVE", "IN_REVIEW", "FAILED") or any(
            hand_off.state in ("PREPARING", "OFFERED", "ESCALATED") for hand_off in self.hand_offs
        )

    @property
    def done(self) -> int:
        """How many of its steps are done."""
        return sum(view.step.state in ("SUCCEEDED", "SKIPPED") for view in self.steps)

    @property
    def cached(self) -> int:
        """How many of its steps were served from the cache."""
        return sum(view.cached_from is not None for view in self.steps)

    @property
    def red(self) -> int:
        """How many of its checks keep it from being approved, or did."""
        return sum(check.blocking and check.verdict != "pass" for check in self.checks)


@dataclass(frozen=True)
class Lane:
    """A stage of the plan: its present round, and the rounds before, newest first."""

    definition: StageDef
    now: RoundView
    before: tuple[RoundView, ...] = ()


@dataclass(frozen=True)
class Made:
    """An artefact of a current round."""

    stage: str
    step: str
    name: str
    digest: str
    media: str
    size: int | None
    reads: tuple[str, ...]
    cached: bool


@dataclass(frozen=True)
class RunView:
    """Everything the run's page shows, as of `now`."""

    run: Run
    now: datetime
    baton: Baton
    track: Track
    lanes: tuple[Lane, ...]
    times: Times
    made: tuple[Made, ...]
    inputs: tuple[Mapping[str, str], ...]
    may: Mapping[str, DomainError | None]
    seated: bool

    @property
    def live(self) -> tuple[tuple[RoundView, StepView], ...]:
        """What is queued, computes, waits to be tried again or has failed now."""
        return tuple(
            (lane.now, view)
            for lane in self.lanes
            for view in (*lane.now.steps, *lane.now.contract_steps)
            if view.step.state in ("QUEUED", "RUNNING", "RETRY_WAIT", "FAILED")
        )


def run_view(user: User, run: Run) -> RunView:
    """Return what the page of a run shows."""
    now = read_clock()
    hat = Hat.of(user, run)
    rows = _load(run)
    views = {stage.pk: _round(rows, stage, hat=hat, now=now) for stage in rows.stages}
    end = (run.finished_at or now) if run.state in ENDED else now
    return RunView(
        run=run,
        now=now,
        baton=baton_of(run),
        track=track_of(run, rows.stages, rows.hand_offs, now=now),
        lanes=tuple(_lanes(run, rows.stages, views)),
        times=times(_tries(rows), start=run.started_at or run.created_at, end=end),
        made=tuple(_made(view for view in views.values() if view.stage.current)),
        inputs=tuple({"input": name, **part} for name, held in run.inputs.items() for part in held),
        may=rights.of_run(hat, run),
        seated=bool(hat.personas),
    )


@dataclass(frozen=True)
class _Rows:
    run: Run
    stages: list[Stage]
    steps: list[Step]
    attempts: Mapping[int, list[Attempt]]
    items: list[WorkItem]
    gates: list[Any]
    hand_offs: list[HandOff]
    offers: Offers | None


def _load(run: Run) -> _Rows:
    """Fetch the run's rows once, and hang them where `baton_of` looks for them."""
    stages = list(run.stages.select_related("owner", "returned_by").order_by("created_at", "id"))
    steps = list(run.steps.select_related("edited_by").order_by("position", "id"))
    attempts: dict[int, list[Attempt]] = {}
    tried = Attempt.objects.filter(run=run).defer(*HEAVY).order_by("number")
    found = tried.select_related("cached_from__step__stage", "cached_from__run__use_case")
    for attempt in found.defer(*HEAVY, *(f"cached_from__{name}" for name in HEAVY)):
        attempts.setdefault(attempt.step_id, []).append(attempt)
    items = list(run.items.select_related("holder", "completed_by").order_by("id"))
    decisions = Decision.objects.filter(state=DecisionState.IN_FORCE)
    decisions = decisions.select_related("user", "on_behalf_of")
    gates: list[Any] = list(
        run.gates.select_related("closed_by", "stage")
        .defer("pack")
        .prefetch_related(
            Prefetch("decisions", decisions, to_attr="in_force"),
            Prefetch(
                "checks",
                Check.objects.select_related("waived_by").order_by("position"),
                to_attr="judged",
            ),
        )
        .order_by("id")
    )
    hand_offs = list(
        run.hand_offs.select_related("source__owner", "target", "offered_by", "answered_by")
    )
    held: Any = run
    held.all_stages, held.all_hand_offs = stages, hand_offs
    held.open_gates = [gate for gate in gates if gate.state in GATE.open]
    held.open_items = [item for item in items if item.state in WORK_ITEM.open]
    held.all_steps = [step for step in steps if step.hand_off_id is None]
    for stage in stages:
        stage.run = run
    waits = any(step.state == StepState.QUEUED and step.current for step in steps)
    return _Rows(
        run, stages, steps, attempts, items, gates, hand_offs, offers=alive() if waits else None
    )


def _round(rows: _Rows, stage: Stage, *, hat: Hat, now: datetime) -> RoundView:
    definition = stage_def(rows.run, stage.key)
    gate = next((g for g in reversed(rows.gates) if g.stage_id == stage.pk), None)
    own: list[StepView] = []
    contract: list[StepView] = []
    for step in rows.steps:
        if step.stage_id != stage.pk or not step.current:
            continue
        step.stage = stage
        tried = rows.attempts.get(step.pk, [])
        view = step_view(definition, step, tried, hat=hat, offers=rows.offers)
        (own if step.hand_off_id is None else contract).append(view)
    back = definition.gate.send_back_to if definition.gate else ()
    return RoundView(
        stage=stage,
        definition=definition,
        steps=tuple(own),
        contract_steps=tuple(contract),
        items=tuple(item for item in rows.items if item.stage_id == stage.pk),
        gate=gate,
        checks=views_of(gate.judged, now=now) if gate else (),
        hand_offs=tuple(h for h in rows.hand_offs if h.source_id == stage.pk),
        may=rights.of_stage(hat, stage) if stage.current else {},
        send_back_to=tuple((key, stage_def(rows.run, key).title) for key in back),
    )


def _lanes(run: Run, stages: Sequence[Stage], views: Mapping[int, RoundView]) -> Iterable[Lane]:
    """The stages of the plan in its order, then those that it has no more."""
    planned = [stage.key for stage in blueprint_of(run).stages]
    for key in dict.fromkeys([*planned, *(stage.key for stage in stages)]):
        definition = stage_def(run, key)
        own = sorted((s for s in stages if s.key == key), key=lambda s: -s.round)
        if own:
            rounds = [views[stage.pk] for stage in own]
            yield Lane(definition, rounds[0], tuple(rounds[1:]))


def _tries(rows: _Rows) -> list[Tries]:
    """What each step's attempts took; cached ones took nothing."""
    found = []
    for step in rows.steps:
        tried = [a for a in rows.attempts.get(step.pk, []) if a.cached_from_id is None]
        spans = [(attempt.due_at, attempt.started_at, attempt.finished_at) for attempt in tried]
        found.append(Tries(spans, step.state == "RETRY_WAIT"))
    return found


def _made(views: Iterable[RoundView]) -> Iterable[Made]:
    ordered = sorted(views, key=lambda view: view.stage.position)
    for view in ordered:
        for step in (*view.steps, *view.contract_steps):
            for name, output in step.outputs.items():
                yield Made(
                    stage=view.definition.title,
                    step=step.title,
                    name=name,
                    digest=str(output["digest"]),
                    media=str(output.get("media", "")),
                    size=output.get("size"),
                    reads=step.reads,
                    cached=step.cached_from is not None,
                )
