"""The board: every open stage, in the column of its key and the lane of who holds it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection

from personas.models import User
from personas.people import PERSONAS
from pipelines.lifecycles import StageState
from pipelines.portfolio import frames
from pipelines.portfolio.frames import Frame
from pipelines.portfolio.holding import fetch_light
from pipelines.portfolio.lists import named
from pipelines.portfolio.pace import Stay
from pipelines.runs.models import HandOff, Run, Stage
from pipelines.runs.queries.baton import Holder, baton_of
from pipelines.runs.queries.track import Track, track_of
from pipelines.runs.rows import blueprint_of
from pipelines.usecases.models import UseCase
from pipelines.usecases.policies import visible_to

PER_COLUMN, ALONE = 6, 60  # cards shown of a stage among others, and of one alone
KINDS: Final = ("main", "watch")
LANES: Final = ("persona", "use_case")
LANE_OF: Final = {one.code: place for place, one in enumerate(PERSONAS)}
ZERO: Final = timedelta(0)
CODE: Final = re.compile(r"[A-Za-z]*(\d{1,6})")


@dataclass(frozen=True)
class Asked:
    """What a person wants to see of the board."""

    kind: str = "main"
    lanes: str = "persona"
    persona: str = ""
    use_case: str = ""
    tier: int | None = None
    blueprint: str = ""
    mine: bool = False
    late: bool = False
    stage: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether not everything is asked for."""
        words = self.persona or self.use_case or self.blueprint or self.stage
        return bool(words or self.tier or self.mine or self.late)


@dataclass(frozen=True)
class Card:
    """One open stage of one run. `age`: of this round, or in the air; `level`: against the past.

    `waits_for`: the persona whose move it is; `value` and `tier` as the brief computed them.
    """

    stage: int
    run: Run
    use_case: UseCase
    key: str
    round: int
    state: str
    waits_for: str
    holder: Holder | None
    since: datetime | None
    age: timedelta | None
    level: str
    due: datetime | None
    over_due: bool
    value: float | None
    currency: str
    tier: int | None
    track: Track

    @property
    def in_air(self) -> bool:
        """Whether it waits for a hand-off."""
        return self.state in (StageState.PENDING, StageState.READY)


@dataclass(frozen=True)
class Column:
    """One stage. `work`: rounds under way of all use cases, `limit`: what its people can carry.

    `found`: cards that fit the filter; `stay`: how long finished rounds took.
    """

    key: str
    code: str
    title: str
    persona: str
    work: int
    people: int
    limit: int
    found: int
    shown: int
    stay: Stay

    @property
    def over(self) -> int:
        """By how many the limit is passed."""
        return max(self.work - self.limit, 0)

    @property
    def hidden(self) -> int:
        """How many cards are left out."""
        return max(self.found - self.shown, 0)


@dataclass(frozen=True)
class Lane:
    """A row of the board: a persona or a use case, with its cards by column."""

    key: str
    title: str
    cells: tuple[tuple[Column, tuple[Card, ...]], ...]

    @property
    def cards(self) -> int:
        """How many cards it shows."""
        return sum(len(cards) for _, cards in self.cells)


@dataclass(frozen=True)
class Board:
    """The board as of `now`; `per_person`: the parameter of the limits."""

    now: datetime
    asked: Asked
    columns: tuple[Column, ...]
    lanes: tuple[Lane, ...]
    per_person: int

    @property
    def cards(self) -> int:
        """How many cards are shown."""
        return sum(lane.cards for lane in self.lanes)

    @property
    def all_cards(self) -> list[Card]:
        """Return the cards, lane by lane."""
        return [card for lane in self.lanes for _, cards in lane.cells for card in cards]

    @property
    def found(self) -> int:
        """How many cards fit, shown or not."""
        return sum(column.found for column in self.columns)

    @property
    def over(self) -> tuple[Column, ...]:
        """The columns over their limit."""
        return tuple(column for column in self.columns if column.over)


def board(user: User, asked: Asked) -> Board:
    """Return the board that the person may see; at most ten queries."""
    frame = frames.frame(asked.kind)
    picked = _picked(user, asked, frame)
    found = {key: among for _, _, key, among in picked}
    runs = _runs([run for _, run, _, _ in picked])
    briefs = frames.briefs(list(runs))
    fetch_light(list(runs.values()))
    relays = {pk: _relay(run, frame.now) for pk, run in runs.items()}
    cards = [
        _card(runs[run], pk, relays[run], briefs.get(run, frames.NO_BRIEF), frame)
        for pk, run, _, _ in picked
        if run in runs and any(stage.pk == pk for stage in runs[run].all_stages)  # type: ignore[attr-defined]
    ]
    columns = _columns(list(runs.values()), cards, found, frame)
    lanes = _lanes(cards, columns, asked.lanes)
    return Board(frame.now, asked, columns, lanes, settings.WIP_PER_PERSON)


def _runs(ids: Sequence[int]) -> dict[int, Run]:
    return Run.objects.select_related("use_case").in_bulk(set(ids))


def _picked(user: User, asked: Asked, frame: Frame) -> list[tuple[int, int, str, int]]:
    """Return (stage, run, key, how many of the key) of the cards, the oldest of each key first."""
    conditions, values = _conditions(user, asked, frame)
    text = f"""
    SELECT id, run_id, key, among FROM (
      SELECT s.id, s.run_id, s.key, count(*) OVER (PARTITION BY s.key) AS among,
             row_number() OVER (PARTITION BY s.key
                                ORDER BY coalesce(s.activated_at, h.created_at), s.id) AS place
        FROM runs_stage s JOIN runs_run r ON r.id = s.run_id
        JOIN usecases_usecase u ON u.id = r.use_case_id
        LEFT JOIN runs_gate g ON g.stage_id = s.id AND g.state = 'OPEN'
        LEFT JOIN LATERAL (
             SELECT due_at, created_at FROM runs_handoff
              WHERE target_id = s.id AND s.state IN ('PENDING', 'READY')
                AND state IN ('PREPARING', 'OFFERED', 'ESCALATED')
              ORDER BY id DESC LIMIT 1) h ON true
       WHERE s.current AND (s.state IN ('READY', 'ACTIVE', 'IN_REVIEW', 'FAILED')
                            OR s.state = 'PENDING' AND s.id IN (
                                SELECT target_id FROM runs_handoff
                                 WHERE state IN ('PREPARING', 'OFFERED', 'ESCALATED')))
         AND r.state IN ('RUNNING', 'PAUSED') AND r.kind = %(kind)s {conditions}) picked
     WHERE place <= %(most)s ORDER BY key, place
    """  # noqa: S608 - texts of this module alone
    most = ALONE if asked.stage else PER_COLUMN
    with connection.cursor() as cursor:
        cursor.execute(text, {**values, "kind": asked.kind, "most": most})
        return list(cursor.fetchall())


ASKED_IN_GATE: Final = (
    "g.policy->'rules' @> jsonb_build_array(jsonb_build_object('persona', {code}))"
)


def _conditions(user: User, asked: Asked, frame: Frame) -> tuple[str, dict[str, Any]]:
    """Return what narrows the cards, with its values."""
    found, values = [], {"now": frame.now}  # type: list[str], dict[str, Any]
    if not user.can("read_all"):
        text, seen = named(visible_to(user.pk).values("pk"), "seen")
        found.append(f"u.id IN ({text})")
        values |= seen
    if asked.persona:
        found.append(
            f"(s.persona_id = %(persona)s OR {ASKED_IN_GATE.format(code='%(persona)s::text')})"
        )
        values["persona"] = asked.persona
    for name, column in (("use_case", "u.key"), ("stage", "s.key")):
        if given := getattr(asked, name):
            found.append(f"{column} = %({name})s")
            values[name] = given
    if asked.tier is not None:
        found.append(f"EXISTS ({frames.TIERED})")
        values["tier"] = asked.tier
    if asked.blueprint:
        found.append(
            "EXISTS (SELECT 1 FROM usecases_blueprintversion v JOIN usecases_blueprint b"
            " ON b.id = v.blueprint_id WHERE v.id = r.version_id AND b.key = %(blueprint)s)"
        )
        values["blueprint"] = asked.blueprint
    if asked.mine:
        found.append(
            "(s.owner_id = %(me)s OR EXISTS (SELECT 1 FROM usecases_seat t"  # noqa: S608
            " WHERE t.use_case_id = u.id AND t.user_id = %(me)s AND t.until IS NULL"
            " AND ((s.owner_id IS NULL AND t.persona_id = s.persona_id)"
            f" OR {ASKED_IN_GATE.format(code='t.persona_id')})))"
        )
        values["me"] = user.pk
    if asked.late:
        text, late = _late(frame)
        found.append(text)
        values |= late
    return "".join(f" AND {each}" for each in found), values


def _late(frame: Frame) -> tuple[str, dict[str, Any]]:
    """Return the condition of what is over due, or older than 85 % of the past."""
    known = {key: stay.p85 for key, stay in frame.stays.items() if stay.p85 is not None}
    text = (
        "(coalesce(g.due_at, h.due_at, s.due_at) < %(now)s"
        " OR s.activated_at < %(now)s - (%(p85)s::jsonb->>s.key)::float8 * interval '1 second')"
    )
    return text, {"p85": frames.as_json({k: one.total_seconds() for k, one in known.items()})}


@dataclass(frozen=True)
class _Relay:
    """Who holds a run, and how it came there."""

    holders: tuple[Holder, ...]
    track: Track


def _relay(run: Run, now: datetime) -> _Relay:
    drawn = track_of(run, run.all_stages, run.all_hand_offs, now=now)  # type: ignore[attr-defined]
    return _Relay(baton_of(run).holders, drawn)


def _card(run: Run, pk: int, relay: _Relay, brief: frames.Brief, frame: Frame) -> Card:
    stages: Sequence[Stage] = run.all_stages  # type: ignore[attr-defined]
    stage = next(one for one in stages if one.pk == pk)
    holder = _holder(run, stage, relay.holders)
    since = stage.activated_at or (holder.since if holder else None)
    age = max(frame.now - since, timedelta(0)) if since else None
    stay = frame.stays.get(stage.key, Stay(0))
    due = holder.due if holder and holder.due else stage.due_at
    return Card(
        stage=pk,
        run=run,
        use_case=run.use_case,
        key=stage.key,
        round=stage.round,
        state=stage.state,
        waits_for=holder.personas[0] if holder and holder.personas else stage.persona_id,
        holder=holder,
        since=since,
        age=age,
        level=stay.level(age) if age is not None and stage.activated_at else "",
        due=due,
        over_due=due is not None and due < frame.now,
        value=brief.value,
        currency=brief.currency,
        tier=brief.tier,
        track=relay.track,
    )


def _holder(run: Run, stage: Stage, holders: Sequence[Holder]) -> Holder | None:
    """Return who holds this stage; of one that waits for a hand-off, who holds that."""
    hand_offs: Sequence[HandOff] = run.all_hand_offs  # type: ignore[attr-defined]
    if stage.state in (StageState.PENDING, StageState.READY):
        into = {one.pk for one in hand_offs if one.target_id == stage.pk}
        return next((h for h in holders if h.noun == "hand_off" and h.pk in into), None)
    return next((h for h in holders if h.stage == stage.key and h.noun != "hand_off"), None)


def _columns(
    runs: Sequence[Run], cards: Sequence[Card], found: Mapping[str, int], frame: Frame
) -> tuple[Column, ...]:
    """Return all stages of the blueprints that are shown, by code, with cards or without."""
    stages: dict[str, tuple[tuple[int, int], Any]] = {}
    for blueprint in {run.version_id: blueprint_of(run) for run in runs}.values():
        for place, stage in enumerate(blueprint.stages):
            code = CODE.fullmatch(stage.code or "")
            stages.setdefault(stage.key, ((int(code[1]) if code else place, place), stage))
    shown = {key: sum(card.key == key for card in cards) for key in stages}
    return tuple(
        Column(
            key=key,
            code=stage.code,
            title=stage.title,
            persona=stage.persona,
            work=frame.work.get(key, 0),
            people=frame.people.get(stage.persona, 0),
            limit=frame.people.get(stage.persona, 0) * settings.WIP_PER_PERSON,
            found=found.get(key, 0),
            shown=shown[key],
            stay=frame.stays.get(key, Stay(0)),
        )
        for key, (_, stage) in sorted(stages.items(), key=lambda one: (one[1][0], one[0]))
    )


def _lanes(cards: Sequence[Card], columns: Sequence[Column], by: str) -> tuple[Lane, ...]:
    """Return the rows: personas from top to bottom, or use cases with the oldest card first."""
    rows: dict[str, list[Card]] = {}
    for card in cards:
        rows.setdefault(card.use_case.key if by == "use_case" else card.waits_for, []).append(card)
    titles = {one.code: one.title for one in PERSONAS}
    titles |= {card.use_case.key: card.use_case.title for card in cards if by == "use_case"}
    oldest = {key: max(card.age or timedelta(0) for card in row) for key, row in rows.items()}

    def place(key: str) -> tuple[int, timedelta, str]:
        return (0, -oldest[key], key) if by == "use_case" else (LANE_OF.get(key, 99), ZERO, key)

    return tuple(
        Lane(
            key,
            titles.get(key, key),
            tuple((c, tuple(card for card in rows[key] if card.key == c.key)) for c in columns),
        )
        for key in sorted(rows, key=place)
    )
