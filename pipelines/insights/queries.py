"""Reads of flow for page and API: each a bounded number of statements over a bounded window.

Edges give the scope: which use cases the person may see. Forecasts draw from the past of all use
cases, for how long a stage takes names nobody; what they are told *of* is the caller's to check.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from personas.errors import Invalid
from pipelines.insights import reading, sql
from pipelines.insights.flow.ageing import Ageing, ageing
from pipelines.insights.flow.calibration import Calibration, calibration
from pipelines.insights.flow.cumulative import CumulativeFlow, StageEntries, cumulative_flow
from pipelines.insights.flow.dora import AlertRecord, DeploymentRecord, ModelFlow, model_flows
from pipelines.insights.flow.forecast import Forecast
from pipelines.insights.flow.gates import GateValue, gate_values
from pipelines.insights.flow.hand_offs import HandOffMatrix, hand_off_matrix
from pipelines.insights.flow.records import (
    DAY,
    HandOffRecord,
    History,
    StageVisit,
    Window,
)
from pipelines.insights.flow.returns import ReasonReturns, returns_by_reason
from pipelines.insights.flow.spread import spread
from pipelines.insights.flow.summary import FlowSummary, summary
from pipelines.insights.flow.waiting import WaitingCosts, cost_of_waiting
from pipelines.insights.flow.walks import Past, Place, Road, WhatIf, past, remaining, road, whole
from pipelines.insights.keeping import Kept
from pipelines.insights.reading import NO_BRIEF, Question, Scope, asked, cut
from pipelines.runs.queries.clock import now as read_clock

PAST_VISITS: Final = 2_000  # newest of all use cases, that forecasts draw from
CUMULATIVE_RUNS: Final = 3_000
MOST_FORECASTS: Final = 200
LIST_WALKS, LIST_DRAWS = 500, 300  # for lists: half the precision, a quarter of the time
EVERYTHING: Final = Scope()
LARGE: Final = 2_000  # visits; at least as many are kept for a minute
_HISTORIES: Final = Kept[History](lambda found: len(found.visits) >= LARGE)
_PASTS: Final = Kept[Past](lambda found: found.n >= PAST_VISITS * 0.9)  # a few teach nothing


@dataclass(frozen=True, slots=True)
class StagePlan:
    """A stage as the blueprint has it now, with the checks of its gate and of its hand-off."""

    key: str
    title: str
    persona: str
    checks: frozenset[str]


@dataclass(frozen=True, slots=True)
class UseCaseForecast:
    """When the newest run of a use case will be done: `forecast` from `now` on, as dates.

    `stage`: the first that is not done. Dates are None where fewer than 10 past visits are known.
    """

    use_case_id: int
    use_case: str
    run: int
    stage: str
    now: datetime
    forecast: Forecast
    p50: datetime | None
    p85: datetime | None
    p95: datetime | None


@dataclass(frozen=True)
class WhatIfForecast:
    """From begin to end, as it is and with a change; `saved` of the median; `returns`: per run."""

    blueprint: str
    tier: int | None
    change: WhatIf
    n: int
    before: Forecast | None
    after: Forecast | None
    saved: timedelta | None
    returns_before: float | None
    returns_after: float | None


@dataclass(frozen=True)
class FlowForecast:
    """What is to come: per use case, with a change, and how past forecasts held."""

    window: Window
    n: int
    use_cases: tuple[UseCaseForecast, ...]
    what_if: WhatIfForecast | None
    calibration: Calibration


@dataclass(frozen=True)
class HandOffFlow:
    """The matrix with its window, and the hand-offs of one cell where one was asked for."""

    window: Window
    matrix: HandOffMatrix
    records: tuple[HandOffRecord, ...] = ()


@dataclass(frozen=True)
class AgeingFlow:
    """What is open against expectation."""

    window: Window
    ageing: Ageing


@dataclass(frozen=True)
class WaitingFlow:
    """What waiting in the window cost."""

    window: Window
    waiting: WaitingCosts


@dataclass(frozen=True)
class GateFlow:
    """Every gate's value."""

    window: Window
    n: int
    gates: tuple[GateValue, ...]


@dataclass(frozen=True)
class ReturnFlow:
    """Returns by reason, with drafted checks."""

    window: Window
    n: int
    reasons: tuple[ReasonReturns, ...]


@dataclass(frozen=True)
class CumulativeFlows:
    """Cumulative flow of the blueprint asked for, else of the one with the most visits."""

    window: Window
    blueprints: tuple[str, ...]
    flow: CumulativeFlow


@dataclass(frozen=True)
class ModelFlows:
    """DORA's five, time to detect and label lag, model by model."""

    window: Window
    n: int
    models: tuple[ModelFlow, ...]


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


def flow(question: Question, scope: Scope) -> FlowSummary:
    """Return the summary. 9 statements."""
    return summary(history(question, scope, active=True))


def hand_off_flow(
    question: Question, scope: Scope, *, giver: str = "", receiver: str = ""
) -> HandOffFlow:
    """Return the matrix; with both personas, that cell's hand-offs too. 8 statements."""
    found = history(question, scope)
    records = tuple(
        one for one in found.hand_offs if giver and (one.giver, one.receiver) == (giver, receiver)
    )
    matrix = hand_off_matrix(found.hand_offs, personas=tuple(found.lanes), now=found.window.until)
    return HandOffFlow(found.window, matrix, records)


def ageing_flow(question: Question, scope: Scope) -> AgeingFlow:
    """Return what is open against expectation. 8 statements."""
    found = history(question, scope)
    now = found.window.until
    return AgeingFlow(found.window, ageing(found.visits, now=now, window=found.window))


def waiting_flow(question: Question, scope: Scope) -> WaitingFlow:
    """Return what waiting cost, run by run. 8 statements."""
    found = history(question, scope)
    return WaitingFlow(found.window, cost_of_waiting(found.runs, found.visits, found.window))


def gate_flow(question: Question, scope: Scope) -> GateFlow:
    """Return each gate's value. 8 statements."""
    found = history(question, scope)
    values = gate_values(found.gates, found.returns, positions=_positions(found))
    return GateFlow(found.window, len(found.gates), values)


def return_flow(question: Question, scope: Scope) -> ReturnFlow:
    """Return the reasons for which work came back. 9 statements."""
    found = history(question, scope)
    plan = plan_of(question.blueprint or _usual(found.visits))
    reasons = returns_by_reason(
        found.returns,
        positions={stage.key: n for n, stage in enumerate(plan)} or _positions(found),
        present={stage.key: stage.checks for stage in plan},
    )
    return ReturnFlow(found.window, sum(one.n for one in reasons), reasons)


def cumulative(question: Question, scope: Scope) -> CumulativeFlows:
    """Return cumulative flow of one blueprint, a point per day. 3 statements."""
    window = reading.window_of(question.days, read_clock())
    narrowed = replace(question, persona="", tier=None)
    known: list[str] = []
    if not question.blueprint:
        found = asked(sql.RUNS, narrowed, scope, since=window.since, most=CUMULATIVE_RUNS)
        known = [name for name, _ in Counter(row[5] for row in found).most_common()]
    plan = question.blueprint or (known[0] if known else "")
    rows = asked(
        sql.CUMULATIVE,
        replace(narrowed, blueprint=plan),
        scope,
        since=window.since,
        most=CUMULATIVE_RUNS - 1,
    )
    entries: dict[tuple[str, int, str], dict[int, int]] = {}
    for stage, position, persona, day, count in rows:
        by_day = entries.setdefault((stage, position, persona), {})
        by_day[day] = by_day.get(day, 0) + count
    ended = next((found for (stage, _, _), found in entries.items() if not stage), {})
    stages = [StageEntries(*key, by_day=found) for key, found in entries.items() if key[0]]
    days = [window.since + n * DAY for n in range(1, round(window.days) + 1)]
    return CumulativeFlows(
        window, tuple(known or [plan]), cumulative_flow(plan, days, stages, ended)
    )


def models(question: Question, scope: Scope) -> ModelFlows:
    """Return DORA's five of every model in the scope. 4 statements."""
    window = reading.window_of(question.days, read_clock())
    since = window.since
    deployments = [
        DeploymentRecord(*row) for row in asked(sql.DEPLOYMENTS, question, scope, since=since)
    ]
    alerts = [AlertRecord(*row) for row in asked(sql.ALERTS, question, scope, since=since)]
    lags = {
        name: spread(timedelta(seconds=one) for one in seconds if one >= 0)
        for name, seconds in asked(sql.LABELS, question, scope, since=since)
    }
    found = model_flows(deployments, alerts, lags, window)
    return ModelFlows(window, len(found), found)


def forecasts(use_cases: Sequence[int]) -> dict[int, UseCaseForecast]:
    """Return when the newest run of each use case will be done; those without one are left out.

    Four statements, however many use cases; two while the past is kept. The caller may see them all.
    """
    places = reading.rows(sql.PLACES, {"use_cases": list(use_cases)}) if use_cases else []
    if not places:
        return {}
    known, briefs = _past(places[0][7], [row[2] for row in places])
    found = {}
    ways: dict[tuple[tuple[str, ...], int | None], Road | None] = {}
    for pk, use_case, run, stage, started, stages, since, now in places:
        kind = (tuple(stages), briefs.get(run, NO_BRIEF).tier)
        if kind not in ways:
            ways[kind] = road(known, *kind, trials=LIST_WALKS)
        way = ways[kind]
        told = Forecast(0, known.days, 0, False)
        if way is not None:
            age = (now - (started or since)).total_seconds()
            place = Place(stages.index(stage), max(age, 0.0), started is not None)
            told = remaining(way, place, draws=LIST_DRAWS)
        found[pk] = UseCaseForecast(pk, use_case, run, stage, now, told, *told.dates(now))
    return found


def flow_forecast(
    question: Question, scope: Scope, *, change: WhatIf | None = None
) -> FlowForecast:
    """Return when what is under way will be done, what a change would do, and the calibration.

    13 statements. Raises Invalid for a change of a stage that the blueprint does not have.
    """
    found = history(question, scope)
    plan = plan_of(question.blueprint or _usual(found.visits))
    stages = [stage.key for stage in plan]
    _refuse_unknown(change, stages)
    under_way = (run.use_case_id for run in found.runs if run.finished is None)
    told = forecasts(list(dict.fromkeys(under_way))[:MOST_FORECASTS])
    return FlowForecast(
        window=found.window,
        n=len(told),
        use_cases=tuple(
            sorted(told.values(), key=lambda one: (one.p85 is None, one.p85 or one.now))
        ),
        what_if=_what_if(found, stages, question, change) if change is not None else None,
        calibration=calibration(found.runs, found.visits, stages),
    )


def _refuse_unknown(change: WhatIf | None, stages: Sequence[str]) -> None:
    if change is None:
        return
    named = {"parallel": change.parallel, "reviewer": (change.reviewer,), "drop": (change.drop,)}
    rule = f"must be among {', '.join(stages) or 'no stage'}, got "
    problems = {
        field: [rule + repr(one) for one in names if one and one not in stages]
        for field, names in named.items()
    }
    found = {field: rules for field, rules in problems.items() if rules}
    if found:
        raise Invalid("The change names a stage that is not there.", fields=found)


def plan_of(blueprint: str) -> tuple[StagePlan, ...]:
    """Return the stages of a blueprint's newest version, in order. One statement."""
    if not blueprint:
        return ()
    return tuple(
        StagePlan(key, title, persona, frozenset([*checks, *contract]))
        for key, title, persona, checks, contract in reading.rows(sql.PLAN, {"plan": blueprint})
    )


def _past(now: datetime, runs: Sequence[int]) -> tuple[Past, dict[int, reading.Brief]]:
    """Return what forecasts draw from, and the briefs of the runs they are about."""
    since = now - reading.LONGEST * DAY
    found = asked(sql.VISITS, Question(), EVERYTHING, since=since, most=PAST_VISITS, only=sql.ENDED)
    briefs = reading.briefs(sorted({row[1] for row in found} | set(runs)))
    visits = [reading.visit_of(row, briefs.get(row[1], NO_BRIEF), None) for row in found]
    return past(visits), briefs


def _what_if(
    found: History, stages: Sequence[str], question: Question, change: WhatIf
) -> WhatIfForecast:
    known = past(found.visits)
    now, then = (road(known, stages, question.tier, change=one) for one in (None, change))
    before, after = (whole(way) if way is not None else None for way in (now, then))
    saved = None
    if before is not None and after is not None and before.p50 is not None:
        saved = before.p50 - after.p50 if after.p50 is not None else None
    return WhatIfForecast(
        blueprint=question.blueprint or _usual(found.visits),
        tier=question.tier,
        change=change,
        n=known.n,
        before=before,
        after=after,
        saved=saved,
        returns_before=now.returns if now else None,
        returns_after=then.returns if then else None,
    )


def _positions(found: History) -> dict[str, int]:
    return {visit.stage: visit.position for visit in found.visits} | {
        gate.stage: gate.position for gate in found.gates
    }


def _usual(visits: Sequence[StageVisit]) -> str:
    """Return the blueprint of most visits; empty of none."""
    seen = Counter(visit.blueprint for visit in visits).most_common(1)
    return seen[0][0] if seen else ""
