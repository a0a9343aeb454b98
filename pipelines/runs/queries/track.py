"""The relay track's facts: who held which stage when, what waited, what was passed on or back.

Plain facts with true times; drawing them is the page's business (portal/web/track.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipelines.lifecycles import HAND_OFF, RunState, StageState
from pipelines.runs.models import HandOff, Run, Stage
from pipelines.runs.queries import names
from pipelines.runs.rows import blueprint_of

WORK, WAIT, REVIEW = "work", "wait", "review"
ENDED = (RunState.SUCCEEDED, RunState.FAILED, RunState.REJECTED, RunState.CANCELLED)


@dataclass(frozen=True)
class Span:
    """A part of a bar: `work` in somebody's hands, `wait` for somebody, `review` for deciders."""

    kind: str
    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it lasted, or has lasted so far."""
        return self.end - self.start


@dataclass(frozen=True)
class Bar:
    """One round of a stage, in its owner's lane."""

    pk: int
    key: str
    code: str
    title: str
    persona: str
    round: int
    state: str
    owner: str
    spans: tuple[Span, ...]
    open: bool

    @property
    def start(self) -> datetime:
        """When the round became active."""
        return self.spans[0].start

    @property
    def end(self) -> datetime:
        """When it ended, or now."""
        return self.spans[-1].end

    def total(self, *kinds: str) -> timedelta:
        """Return the time spent in spans of these kinds."""
        return sum((s.length for s in self.spans if s.kind in kinds), timedelta(0))

    @property
    def work(self) -> timedelta:
        """Time in somebody's hands."""
        return self.total(WORK)

    @property
    def wait(self) -> timedelta:
        """Time waiting, for somebody to take it or for deciders."""
        return self.total(WAIT, REVIEW)


@dataclass(frozen=True)
class Pass:
    """A hand-off between two bars; `end` is now while it is open."""

    pk: int
    source: int
    target: int
    source_title: str
    target_title: str
    source_persona: str
    target_persona: str
    start: datetime
    end: datetime
    state: str
    open: bool

    @property
    def wait(self) -> timedelta:
        """How long the baton was in the air."""
        return self.end - self.start


@dataclass(frozen=True)
class Return:
    """A send-back or a returned hand-off: to the round it opened, with who and why."""

    target: int
    title: str
    round: int
    source: int | None
    at: datetime
    code: str
    reason: str
    by: str


@dataclass(frozen=True)
class Ahead:
    """A stage that has not begun."""

    key: str
    code: str
    title: str
    persona: str


@dataclass(frozen=True)
class Track:
    """One run's relay, from its start until its end or `now`."""

    now: datetime
    start: datetime
    end: datetime
    ended: bool
    bars: tuple[Bar, ...] = ()
    passes: tuple[Pass, ...] = ()
    returns: tuple[Return, ...] = ()
    ahead: tuple[Ahead, ...] = field(default=())

    @property
    def work(self) -> timedelta:
        """Working time of all rounds together."""
        return sum((bar.work for bar in self.bars), timedelta(0))

    @property
    def wait(self) -> timedelta:
        """Waiting time of all rounds and hand-offs together."""
        bars = sum((bar.wait for bar in self.bars), timedelta(0))
        return sum((each.wait for each in self.passes), bars)

    def bar(self, pk: int) -> Bar | None:
        """Return the bar of a stage's row."""
        return next((bar for bar in self.bars if bar.pk == pk), None)


def track(run: Run, *, now: datetime) -> Track:
    """Return a run's track; two queries."""
    stages = list(run.stages.select_related("owner", "returned_by").order_by("created_at", "id"))
    hand_offs = list(run.hand_offs.select_related("source", "target").order_by("id"))
    return track_of(run, stages, hand_offs, now=now)


def track_of(
    run: Run, stages: Sequence[Stage], hand_offs: Sequence[HandOff], *, now: datetime
) -> Track:
    """Return the track of rows that are in memory; pure but for the blueprint's cache."""
    start = run.started_at or run.created_at
    ended = run.state in ENDED
    end = max(run.finished_at or now, start) if ended else max(now, start)
    bars = tuple(_bar(run, stage, end) for stage in stages if stage.activated_at is not None)
    return Track(
        now=now,
        start=start,
        end=end,
        ended=ended,
        bars=bars,
        passes=tuple(_passes(run, hand_offs, {bar.pk for bar in bars}, end)),
        returns=tuple(_returns(run, stages, hand_offs)),
        ahead=() if ended else tuple(_ahead(run, stages)),
    )


def _bar(run: Run, stage: Stage, end: datetime) -> Bar:
    definition = names.definition_of(run, stage.key)
    return Bar(
        pk=stage.pk,
        key=stage.key,
        code=definition.code,
        title=definition.title,
        persona=stage.persona_id,
        round=stage.round,
        state=stage.state,
        owner=str(stage.owner or ""),
        spans=_spans(stage, end),
        open=stage.finished_at is None,
    )


def _spans(stage: Stage, end: datetime) -> tuple[Span, ...]:
    """Cut a round where it was taken and where it was submitted.

    A stage that nobody ever took was worked on by workers alone: its time is work all the same.
    """
    began = stage.activated_at or stage.created_at
    finished = min(stage.finished_at or end, end)
    submitted = min(stage.submitted_at or finished, finished)
    unclaimed = (
        stage.owner_id is None and stage.state == StageState.ACTIVE and not stage.submitted_at
    )
    owned = finished if unclaimed else min(max(stage.owned_at or began, began), submitted)
    cuts = ((WAIT, began, owned), (WORK, owned, submitted), (REVIEW, submitted, finished))
    spans = tuple(Span(kind, one, two) for kind, one, two in cuts if two > one)
    return spans or (Span(WORK, began, finished),)


def _passes(
    run: Run, hand_offs: Iterable[HandOff], drawn: set[int], end: datetime
) -> Iterable[Pass]:
    for hand_off in hand_offs:
        if hand_off.source_id not in drawn:
            continue
        yield Pass(
            pk=hand_off.pk,
            source=hand_off.source_id,
            target=hand_off.target_id,
            source_title=names.stage_title(run, hand_off.source.key),
            target_title=names.stage_title(run, hand_off.target.key),
            source_persona=hand_off.source.persona_id,
            target_persona=hand_off.target.persona_id,
            start=hand_off.created_at,
            end=min(hand_off.answered_at or end, end),
            state=hand_off.state,
            open=hand_off.state in HAND_OFF.open,
        )


def _returns(run: Run, stages: Sequence[Stage], hand_offs: Sequence[HandOff]) -> Iterable[Return]:
    """Find what opened each further round: rows of one command carry the same time."""
    for stage in stages:
        if stage.round < 2 or not stage.return_code or stage.activated_at is None:
            continue
        at = stage.activated_at
        sent = [s.pk for s in stages if s.state == StageState.SENT_BACK and s.finished_at == at]
        given = [h.target_id for h in hand_offs if h.state == "RETURNED" and h.answered_at == at]
        yield Return(
            target=stage.pk,
            title=names.stage_title(run, stage.key),
            round=stage.round,
            source=next(iter(given or sent), None),
            at=at,
            code=stage.return_code,
            reason=stage.return_reason,
            by=str(stage.returned_by or ""),
        )


def _ahead(run: Run, stages: Sequence[Stage]) -> Iterable[Ahead]:
    begun = {s.key for s in stages if s.current and s.activated_at is not None}
    skipped = {s.key for s in stages if s.current and s.state == StageState.SKIPPED}
    for definition in blueprint_of(run).stages:
        if definition.key not in begun | skipped:
            yield Ahead(definition.key, definition.code, definition.title, definition.persona)


def lines(found: Track) -> list[tuple[str, Bar | Pass | Return]]:
    """Return the table behind the picture, in order of time: (stage, hand_off or return, fact)."""
    entries: list[tuple[datetime, str, Bar | Pass | Return]] = [
        *((bar.start, "stage", bar) for bar in found.bars),
        *((each.start, "hand_off", each) for each in found.passes),
        *((back.at, "return", back) for back in found.returns),
    ]
    return [(kind, fact) for _, kind, fact in sorted(entries, key=lambda entry: entry[0])]
