"""What the page of flow opens with, and the records behind its figures: few statements each."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from pipelines.insights import queries
from pipelines.insights.answers import CumulativeFlows, FlowForecast, StagePlan
from pipelines.insights.flow.ageing import Ageing, ageing
from pipelines.insights.flow.gates import gate_values
from pipelines.insights.flow.hand_offs import HandOffMatrix, hand_off_matrix
from pipelines.insights.flow.looks import Looks, looks
from pipelines.insights.flow.records import (
    GateRecord,
    HandOffRecord,
    History,
    ReturnRecord,
    StageVisit,
    Window,
)
from pipelines.insights.flow.summary import FlowSummary, summary
from pipelines.insights.flow.waiting import cost_of_waiting
from pipelines.insights.flow.walks import WhatIf
from pipelines.insights.histories import LARGE, history, plan_of, usual_plan
from pipelines.insights.keeping import Kept
from pipelines.insights.reading import Question, Scope

Row = HandOffRecord | GateRecord | ReturnRecord | StageVisit
MOST_OFFERED: Final = 200  # use cases that the filter offers


@dataclass(frozen=True)
class Overview:
    """The first things to see. `use_cases` (key, title) and `blueprints`: what to narrow by."""

    window: Window
    summary: FlowSummary
    matrix: HandOffMatrix
    ageing: Ageing
    looks: Looks
    cumulative: CumulativeFlows | None
    personas: tuple[tuple[str, str], ...]
    use_cases: tuple[tuple[str, str], ...]
    blueprints: tuple[str, ...]


@dataclass(frozen=True)
class Times:
    """How long work took and takes: the figures, and the visits behind them."""

    window: Window
    summary: FlowSummary
    visits: tuple[StageVisit, ...]


@dataclass(frozen=True)
class Outlook:
    """What is to come, with the stages among which a change can be tried."""

    forecast: FlowForecast
    stages: tuple[StagePlan, ...]

    @property
    def window(self) -> Window:
        """The time that was looked at."""
        return self.forecast.window


@dataclass(frozen=True)
class Records:
    """The records of one kind behind a figure, newest first."""

    window: Window
    kind: type
    rows: tuple[Row, ...]


_OVERVIEWS: Final = Kept[Overview](lambda found: found.summary.n >= LARGE)


def overview(question: Question, scope: Scope) -> Overview:
    """Return what the page opens with. 10 statements; of a large history once a minute."""
    return _OVERVIEWS.get((question, scope), lambda: _overview(question, scope))


def _overview(question: Question, scope: Scope) -> Overview:
    found = history(question, scope)
    now = found.window.until
    matrix = hand_off_matrix(found.hand_offs, personas=tuple(found.lanes), now=now)
    aged = ageing(found.visits, now=now, window=found.window)
    positions = {visit.stage: visit.position for visit in found.visits} | {
        gate.stage: gate.position for gate in found.gates
    }
    gates = gate_values(found.gates, found.returns, positions=positions)
    costs = cost_of_waiting(found.runs, found.visits, found.window)
    plan = question.blueprint or usual_plan(found.visits)
    bands = queries.cumulative(replace(question, blueprint=plan), scope) if plan else None
    titles = {run.use_case: run.title for run in found.runs}
    offered = sorted(titles.items(), key=lambda one: (one[1].casefold(), one[0]))
    return Overview(
        window=found.window,
        summary=summary(found),
        matrix=matrix,
        ageing=aged,
        looks=looks(matrix, found.returns, aged, gates, costs),
        cumulative=bands,
        personas=tuple(found.lanes.items()),
        use_cases=tuple(offered[:MOST_OFFERED]),
        blueprints=tuple(sorted({run.blueprint for run in found.runs})),
    )


def times(question: Question, scope: Scope) -> Times:
    """Return how long stages took. 9 statements."""
    found = history(question, scope, active=True)
    return Times(found.window, summary(found), _ended(found))


def outlook(question: Question, scope: Scope, change: WhatIf | None) -> Outlook:
    """Return the forecasts, beside a change where there is one. 14 statements.

    Raises Invalid for a change of a stage that the blueprint does not have.
    """
    found = queries.flow_forecast(question, scope, change=change or WhatIf())
    named = found.what_if.blueprint if found.what_if is not None else ""
    return Outlook(found, plan_of(named))


def hand_offs(question: Question, scope: Scope, giver: str, receiver: str) -> Records:
    """Return the hand-offs between two personas. 8 statements."""
    return _records(
        question,
        scope,
        HandOffRecord,
        lambda found: [
            one
            for one in found.hand_offs
            if (not giver or one.giver == giver) and (not receiver or one.receiver == receiver)
        ],
    )


def gates(question: Question, scope: Scope, stage: str) -> Records:
    """Return the reviews of a stage. 8 statements."""
    return _records(
        question,
        scope,
        GateRecord,
        lambda found: [one for one in found.gates if not stage or one.stage == stage],
    )


def returns(
    question: Question, scope: Scope, code: str, giver: str = "", receiver: str = ""
) -> Records:
    """Return what came back for a reason, or between two personas. 8 statements."""
    wanted = {"code": code, "giver": giver, "receiver": receiver}
    asked = {name: value for name, value in wanted.items() if value}
    return _records(
        question,
        scope,
        ReturnRecord,
        lambda found: [
            one
            for one in found.returns
            if all(getattr(one, name) == value for name, value in asked.items())
        ],
    )


def visits(question: Question, scope: Scope, stage: str) -> Records:
    """Return the rounds of a stage, those under way first. 8 statements."""
    return _records(
        question,
        scope,
        StageVisit,
        lambda found: [one for one in found.visits if not stage or one.stage == stage],
    )


def _records(
    question: Question, scope: Scope, kind: type, pick: Callable[[History], list[Row]]
) -> Records:
    found = history(question, scope)
    rows = sorted(pick(found), key=lambda one: one.id, reverse=True)
    return Records(found.window, kind, tuple(rows))


def _ended(found: History) -> tuple[StageVisit, ...]:
    done = [one for one in found.visits if one.done and found.window.has(one.finished)]
    return tuple(sorted(done, key=lambda one: (one.finished or one.started, one.id), reverse=True))
