"""Reads of flow for page and API: each a bounded number of statements over a bounded window.

Edges give the scope: which use cases the person may see. Forecasts draw from the past of all use
cases, for how long a stage takes names nobody; what they are told *of* is the caller's to check.
"""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Final

from pipelines.insights import reading, sql
from pipelines.insights.answers import (
    AgeingFlow,
    CumulativeFlows,
    GateFlow,
    HandOffFlow,
    ModelFlows,
    ReturnFlow,
    WaitingFlow,
)
from pipelines.insights.flow.ageing import ageing
from pipelines.insights.flow.cumulative import StageEntries, cumulative_flow
from pipelines.insights.flow.dora import AlertRecord, DeploymentRecord, model_flows
from pipelines.insights.flow.gates import gate_values
from pipelines.insights.flow.hand_offs import hand_off_matrix
from pipelines.insights.flow.records import DAY, History
from pipelines.insights.flow.returns import returns_by_reason
from pipelines.insights.flow.spread import spread
from pipelines.insights.flow.summary import FlowSummary, summary
from pipelines.insights.flow.waiting import cost_of_waiting
from pipelines.insights.forecasts import flow_forecast, forecasts
from pipelines.insights.histories import history, plan_of, usual_plan
from pipelines.insights.keeping import Kept
from pipelines.insights.reading import Question, Scope, asked
from pipelines.runs.queries.clock import now as read_clock

__all__ = [
    "Question",
    "Scope",
    "ageing_flow",
    "cumulative",
    "flow",
    "flow_forecast",
    "forecasts",
    "gate_flow",
    "hand_off_flow",
    "history",
    "models",
    "return_flow",
    "waiting_flow",
]

CUMULATIVE_RUNS: Final = 2_000
_CUMULATIVE: Final = Kept[CumulativeFlows](lambda found: found.flow.n >= CUMULATIVE_RUNS // 2)


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
    plan = plan_of(question.blueprint or usual_plan(found.visits))
    reasons = returns_by_reason(
        found.returns,
        positions={stage.key: n for n, stage in enumerate(plan)} or _positions(found),
        present={stage.key: stage.checks for stage in plan},
    )
    return ReturnFlow(found.window, sum(one.n for one in reasons), reasons)


def cumulative(question: Question, scope: Scope) -> CumulativeFlows:
    """Return cumulative flow of one blueprint, a point per day. 3 statements."""
    return _CUMULATIVE.get((question, scope), lambda: _cumulative(question, scope))


def _cumulative(question: Question, scope: Scope) -> CumulativeFlows:
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


def _positions(found: History) -> dict[str, int]:
    return {visit.stage: visit.position for visit in found.visits} | {
        gate.stage: gate.position for gate in found.gates
    }
