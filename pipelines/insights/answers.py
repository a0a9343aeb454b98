"""What the queries of flow answer: figures with their window, frozen."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.insights.flow.ageing import Ageing
from pipelines.insights.flow.calibration import Calibration
from pipelines.insights.flow.cumulative import CumulativeFlow
from pipelines.insights.flow.dora import ModelFlow
from pipelines.insights.flow.forecast import Forecast
from pipelines.insights.flow.gates import GateValue
from pipelines.insights.flow.hand_offs import HandOffMatrix
from pipelines.insights.flow.records import HandOffRecord, Window
from pipelines.insights.flow.returns import ReasonReturns
from pipelines.insights.flow.waiting import WaitingCosts
from pipelines.insights.flow.walks import WhatIf


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
