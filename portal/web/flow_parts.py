"""The parts of the page of flow: how each is read, what it draws, and its table as CSV."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pipelines.insights import overview, queries
from pipelines.insights.answers import CumulativeFlows, UseCaseForecast
from pipelines.insights.flow.ageing import OpenVisit
from pipelines.insights.flow.dora import ModelFlow
from pipelines.insights.flow.gates import GateValue
from pipelines.insights.flow.hand_offs import HandOffPair
from pipelines.insights.flow.records import StageVisit
from pipelines.insights.flow.returns import ReasonReturns
from pipelines.insights.flow.summary import StageFlow
from pipelines.insights.flow.waiting import CostOfWaiting
from pipelines.insights.flow.walks import WhatIf
from pipelines.insights.reading import Question, Scope
from portal.sheets import sheet, sheet_of
from portal.web import flowing

Read = Callable[[Question, Scope, WhatIf | None], Any]


@dataclass(frozen=True)
class Part:
    """A part: `lead` says what it answers; `is_later`: fetched when it comes near the window."""

    key: str
    title: Promise
    lead: Promise
    read: Read
    sheet: Callable[[Any], str]
    show: Callable[[Any, str], Mapping[str, Any]]
    is_later: bool = True
    named: Callable[[Any], Iterable[str]] = lambda view: ()  # use cases to call by their titles

    @property
    def name(self) -> str:
        """Its name in a template."""
        return self.key.replace("-", "_")

    @property
    def template(self) -> str:
        """What shows it."""
        return f"flow/_{self.name}.html"


def _nothing(view: Any, query: str) -> Mapping[str, Any]:
    return {}


def _table(kind: type, rows: Callable[[Any], Iterable[object]]) -> Callable[[Any], str]:
    return lambda view: sheet_of(kind, rows(view))


def _points(view: CumulativeFlows) -> str:
    found = view.flow
    rows = [
        (day.isoformat(), band.stage, band.entered[n], band.wip[n])
        for n, day in enumerate(found.days)
        for band in found.bands
    ]
    done = [(day.isoformat(), "", found.left[n], None) for n, day in enumerate(found.days)]
    return sheet(("day", "stage", "entered", "wip"), [*rows, *done])


_ALL: Final = (
    Part(
        "cumulative", _("Cumulative flow"), _("Where runs stand, day by day."),
        lambda q, s, _c: queries.cumulative(q, s), _points,
        lambda view, _q: {"figure": flowing.cumulative_figure(view)}, is_later=False,
    ),
    Part(
        "hand-offs", _("Hand-offs between personas"), _("Who waits for whom."),
        lambda q, s, _c: queries.hand_off_flow(q, s),
        _table(HandOffPair, lambda view: view.matrix.pairs), _nothing, is_later=False,
    ),
    Part(
        "ageing", _("What is open, against expectation"), _("What has lasted too long."),
        lambda q, s, _c: queries.ageing_flow(q, s),
        _table(OpenVisit, lambda view: view.ageing.open), flowing.ageing_shown, is_later=False,
        named=lambda view: [one.visit.use_case for one in view.ageing.open if one.level],
    ),
    Part(
        "forecast", _("When it will be done"),
        _("Dates drawn from how long the same work took before, and what a change would do."),
        overview.outlook, _table(UseCaseForecast, lambda view: view.forecast.use_cases),
        flowing.forecast_shown,
        named=lambda view: [one.use_case for one in view.forecast.use_cases],
    ),
    Part(
        "waiting", _("What waiting costs"),
        _("Days in which nobody was at work, in the money that the brief names."),
        lambda q, s, _c: queries.waiting_flow(q, s),
        _table(CostOfWaiting, lambda view: view.waiting.runs), flowing.waiting_shown,
    ),
    Part(
        "yield", _("Right the first time"),
        _("How much passes without coming back, and how much of the time is work."),
        lambda q, s, _c: queries.flow(q, s), _table(StageFlow, lambda view: view.stages), _nothing,
    ),
    Part(
        "times", _("Throughput and cycle time"),
        _("How much is finished, and how long a stage takes."),
        lambda q, s, _c: overview.times(q, s), _table(StageVisit, lambda view: view.visits),
        flowing.times_shown,
    ),
    Part(
        "returns", _("Why work comes back"),
        _("Reasons, and the check that would have caught what recurs."),
        lambda q, s, _c: queries.return_flow(q, s),
        _table(ReasonReturns, lambda view: view.reasons), _nothing,
    ),
    Part(
        "gates", _("What each review is worth"),
        _("What it stopped, what slipped past it, and the time it took."),
        lambda q, s, _c: queries.gate_flow(q, s), _table(GateValue, lambda view: view.gates),
        _nothing,
    ),
    Part(
        "models", _("Models in service"),
        _("How quickly and how safely a model is changed: the five measures of DORA, for models."),
        lambda q, s, _c: queries.models(q, s), _table(ModelFlow, lambda view: view.models),
        _nothing,
    ),
)  # fmt: skip
PARTS: Final[Mapping[str, Part]] = {part.key: part for part in _ALL}
