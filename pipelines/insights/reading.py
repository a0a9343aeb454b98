"""Rows of the tables as records of flow: one statement each, bounded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from pipelines.insights import sql
from pipelines.insights.flow.records import (
    DAY,
    GateRecord,
    HandOffRecord,
    ReturnRecord,
    RunRecord,
    StageVisit,
    Window,
)

DAYS: Final = 90
LONGEST: Final = 730  # days
MOST: Final = 5_000  # records of a kind; with more of them the window is cut
LOOKED_UP: Final = 1_000  # visits of which the active time is added up
DAYS_PER_YEAR: Final = 365


@dataclass(frozen=True)
class Question:
    """What flow is asked of: the last `days`, narrowed. Empty: everything in the scope.

    `persona`: stages that it owns, and hand-offs that it gives or receives.
    """

    days: int = DAYS
    use_case: str = ""
    tier: int | None = None
    blueprint: str = ""
    persona: str = ""


@dataclass(frozen=True)
class Scope:
    """The use cases that somebody may see, by id; None: all."""

    use_cases: frozenset[int] | None = None


@dataclass(frozen=True)
class Brief:
    """What the first stage found in the brief: tier 1 to 3, value per day in money."""

    tier: int | None = None
    value_per_day: float | None = None
    currency: str = ""


NO_BRIEF: Final = Brief()
PERSONA: Final[Mapping[str, str]] = {
    sql.VISITS: "s.persona_id = %(persona)s",
    sql.HAND_OFFS: "%(persona)s IN (s.persona_id, t.persona_id)",
    sql.GATES: "s.persona_id = %(persona)s",
    sql.RETURNS: "%(persona)s IN (s.persona_id, src.persona_id, h.persona)",
}
Values = Mapping[str, Any]


def rows(statement: str, values: Values) -> list[tuple[Any, ...]]:
    """Return what a statement finds. Raises DatabaseError."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def asked(
    statement: str,
    question: Question,
    scope: Scope,
    *,
    since: datetime,
    most: int = MOST,
    only: str = "",
) -> list[tuple[Any, ...]]:
    """Return the rows of a statement that the question and the scope leave, newest first.

    Of what is open and of what ended one more than `most` each, where there are more; `only` one
    of sql.ENDED and sql.OPEN.
    """
    where = []
    if scope.use_cases is not None:
        where.append("u.id = ANY(%(use_cases)s)")
    if question.use_case:
        where.append("u.key = %(use_case)s")
    if question.blueprint and "usecases_blueprint b" in statement:
        where.append("b.key = %(blueprint)s")
    if question.persona and statement in PERSONA:
        where.append(PERSONA[statement])
    values = {
        "since": since,
        "most": most + 1,
        "use_cases": sorted(scope.use_cases or ()),
        "use_case": question.use_case,
        "blueprint": question.blueprint,
        "persona": question.persona,
        "plan": question.blueprint,
        "labels": 500,
    }
    narrowed = "".join(f" AND {one}" for one in where)
    column = sql.ENDS.get(statement)
    if column is None:
        return rows(statement.format(where=narrowed), values)
    parts = [only] if only else [sql.ENDED, sql.OPEN]
    texts = [statement.format(where=narrowed + part.format(column=column)) for part in parts]
    return rows(" UNION ALL ".join(f"({text})" for text in texts), values)


def cut(
    found: list[tuple[Any, ...]], ended: int, window: Window, most: int = MOST
) -> tuple[list[tuple[Any, ...]], Window]:
    """Return at most `most` rows that ended and as many open ones, and the window for which these
    are all there are (but for open ones beyond `most`).

    `ended`: the column that says when a row ended; None while it is open.
    """
    closed = sorted((row for row in found if row[ended] is not None), key=lambda row: row[ended])
    closed.reverse()
    kept = closed[:most] + [row for row in found if row[ended] is None][:most]
    if len(closed) <= most:
        return kept, window
    return kept, Window(max(closed[most][ended], window.since), window.until, window.asked)


def briefs(runs: Sequence[int]) -> dict[int, Brief]:
    """Return what the first stages of these runs found in their briefs."""
    if not runs:
        return {}
    found = {}
    for run, tier, value, currency in rows(sql.FRAMES, {"runs": list(runs)}):
        level = tier if isinstance(tier, int) and not isinstance(tier, bool) else None
        money = float(value) / DAYS_PER_YEAR if isinstance(value, int | float) else None
        found[run] = Brief(level, money, currency or "")
    return found


def visit_of(row: Sequence[Any], brief: Brief, active: timedelta | None) -> StageVisit:
    """Return a row of VISITS as a record."""
    pk, run, use_case, blueprint, stage, position, round_, persona, state, *times = row
    started, offered, accepted, taken, submitted, finished, handed, returned, code, back = times
    return StageVisit(
        id=pk,
        run=run,
        use_case=use_case,
        blueprint=blueprint,
        tier=brief.tier,
        stage=stage,
        position=position,
        round=round_,
        persona=persona,
        state=state,
        started=started,
        offered=offered,
        accepted=accepted,
        taken=taken,
        submitted=submitted,
        finished=finished,
        handed=handed,
        returned=returned,
        code=code,
        sent_to=back,
        active=active,
    )


def run_of(row: Sequence[Any], brief: Brief) -> RunRecord:
    """Return a row of RUNS as a record; live when it was served, else when it succeeded."""
    pk, use_case_id, use_case, title, number, blueprint, state, *times = row
    started, finished, committed, served = times
    return RunRecord(
        id=pk,
        use_case_id=use_case_id,
        use_case=use_case,
        title=title,
        label=f"Run {number}",
        blueprint=blueprint,
        tier=brief.tier,
        state=state,
        started=started,
        committed=committed,
        live=served or (finished if state == "SUCCEEDED" else None),
        finished=finished,
        value_per_day=brief.value_per_day,
        currency=brief.currency,
    )


def hand_offs_of(found: Sequence[Sequence[Any]]) -> list[HandOffRecord]:
    """Return rows of HAND_OFFS as records."""
    return [HandOffRecord(*row) for row in found]


def gates_of(found: Sequence[Sequence[Any]]) -> list[GateRecord]:
    """Return rows of GATES as records."""
    return [GateRecord(*row) for row in found]


def returns_of(found: Sequence[Sequence[Any]]) -> list[ReturnRecord]:
    """Return rows of RETURNS as records."""
    return [ReturnRecord(*row) for row in found]


def active_times(visits: Sequence[Sequence[Any]]) -> dict[int, timedelta]:
    """Return the active time of the newest visits that ended, by id; zero where nobody did any."""
    ended = [row[0] for row in visits if row[14] is not None][:LOOKED_UP]
    if not ended:
        return {}
    return dict.fromkeys(ended, timedelta(0)) | dict(rows(sql.ACTIVE, {"stages": ended}))


def window_of(days: int, now: datetime) -> Window:
    """Return the last `days` up to now."""
    since = now - min(max(days, 1), LONGEST) * DAY
    return Window(since, now, since)
