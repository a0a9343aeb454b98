"""All records of a window, in eight or nine statements."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pipelines.insights import reading, sql
from pipelines.insights.answers import StagePlan
from pipelines.insights.flow.records import History, StageVisit, Window
from pipelines.insights.keeping import Kept
from pipelines.insights.reading import NO_BRIEF, Question, Scope, asked, cut
from pipelines.runs.queries.clock import now as read_clock

LARGE: Final = 2_000  # visits; at least as many are kept for a minute
_HISTORIES: Final = Kept[History](lambda found: len(found.visits) >= LARGE)


def history(question: Question, scope: Scope, *, active: bool = False) -> History:
    """Return all records of the window: 8 statements, 9 with `active` times.

    With more than 5,000 of a kind the window begins later (`window.cut`); a large history may be
    a minute old (`window.until`).
    """
    name = (question, scope, active)
    return _HISTORIES.get(name, lambda: _history(question, scope, active=active))


def _history(question: Question, scope: Scope, *, active: bool) -> History:
    window = reading.window_of(question.days, read_clock())
    visits, window = _newest(sql.VISITS, 14, question, scope, window)
    hand_offs, window = _newest(sql.HAND_OFFS, 9, question, scope, window)
    gates, window = _newest(sql.GATES, 8, question, scope, window)
    returns, window = _newest(sql.RETURNS, 3, question, scope, window)
    runs, window = _newest(sql.RUNS, 8, question, scope, window)
    briefs = reading.briefs(sorted({row[1] for row in visits} | {row[0] for row in runs}))
    times = reading.active_times(visits) if active else {}
    found = History(
        window=window,
        visits=tuple(
            reading.visit_of(row, briefs.get(row[1], NO_BRIEF), times.get(row[0])) for row in visits
        ),
        hand_offs=tuple(reading.hand_offs_of(hand_offs)),
        gates=tuple(reading.gates_of(gates)),
        returns=tuple(reading.returns_of(returns)),
        runs=tuple(reading.run_of(row, briefs.get(row[0], NO_BRIEF)) for row in runs),
        lanes=dict(reading.rows(sql.PERSONAS, {})),
    )
    return found if question.tier is None else of_tier(found, question.tier, briefs)


def _newest(
    statement: str, ended: int, question: Question, scope: Scope, window: Window
) -> tuple[list[tuple[Any, ...]], Window]:
    """Return the rows of a statement, and the window of which these are all there are."""
    found = asked(statement, question, scope, since=window.since, most=reading.MOST)
    return cut(found, ended, window, reading.MOST)


def of_tier(found: History, tier: int, briefs: Mapping[int, reading.Brief]) -> History:
    """Return the records of runs of that tier."""
    runs = {run for run, brief in briefs.items() if brief.tier == tier}
    return replace(
        found,
        visits=tuple(one for one in found.visits if one.run in runs),
        hand_offs=tuple(one for one in found.hand_offs if one.run in runs),
        gates=tuple(one for one in found.gates if one.run in runs),
        returns=tuple(one for one in found.returns if one.run in runs),
        runs=tuple(one for one in found.runs if one.id in runs),
    )


def plan_of(blueprint: str) -> tuple[StagePlan, ...]:
    """Return the stages of a blueprint's newest version, in order. One statement."""
    if not blueprint:
        return ()
    return tuple(
        StagePlan(key, title, persona, frozenset([*checks, *contract]))
        for key, title, persona, checks, contract in reading.rows(sql.PLAN, {"plan": blueprint})
    )


def usual_plan(visits: Sequence[StageVisit]) -> str:
    """Return the blueprint of most visits; empty of none."""
    seen = Counter(visit.blueprint for visit in visits).most_common(1)
    return seen[0][0] if seen else ""
