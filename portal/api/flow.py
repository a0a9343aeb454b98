"""Flow: wait and work, what comes back, what is to come; each as JSON and as CSV."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from pipelines.insights import queries
from pipelines.insights.answers import UseCaseForecast
from pipelines.insights.flow.ageing import OpenVisit
from pipelines.insights.flow.cumulative import CumulativeFlow
from pipelines.insights.flow.dora import ModelFlow
from pipelines.insights.flow.gates import GateValue
from pipelines.insights.flow.hand_offs import HandOffPair
from pipelines.insights.flow.records import HandOffRecord
from pipelines.insights.flow.returns import ReasonReturns
from pipelines.insights.flow.summary import StageFlow
from pipelines.insights.flow.waiting import CostOfWaiting
from pipelines.insights.reading import Question, Scope
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers import flow as shapes
from portal.sheets import csv_file, sheet_of


class CsvRenderer(BaseRenderer):
    """Named by `?format=csv` or `Accept: text/csv`; the endpoint writes the file itself."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, *_: Any, **__: Any) -> Any:
        """Return problems as JSON: files never come here."""
        return JSONRenderer().render(data)


@dataclass(frozen=True, slots=True)
class CumulativePoint:
    """One stage on one day, as a row of CSV; the last stage is what was done."""

    day: datetime
    stage: str
    persona: str
    entered: int
    wip: int | None


class FlowEndpoint(Endpoint):
    """What all of flow shares: filters, scope, and the two forms of an answer."""

    renderer_classes = (JSONRenderer, CsvRenderer)

    def query(self, form: type[Serializer[Any]]) -> dict[str, Any]:
        """Return the address's parameters; `format` is the renderer's."""
        asked = {k: v for k, v in self.request.query_params.items() if k != "format"}
        given = form(data=asked)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def asked(self, wanted: dict[str, Any]) -> tuple[Question, Scope]:
        """Return the question and what the person may see. Raises NotFound for a use case that
        they may not know of.
        """
        if "use_case" in wanted:
            access.use_case_for(self.user, wanted["use_case"])
        return shapes.question_of(wanted), access.flow_scope(self.user)

    def told(
        self, found: object, shape: type[Serializer[Any]], kind: type, rows: Iterable[object]
    ) -> HttpResponseBase:
        """Answer it whole as JSON, or its table as CSV."""
        renderer = self.request.accepted_renderer
        if renderer is not None and renderer.format == "csv":
            name = self.request.path.rstrip("/").rsplit("/", 1)[-1]
            return csv_file(f"flow-{name}" if name != "flow" else name, sheet_of(kind, rows))
        return self.show(found, shape)


class Flow(FlowEndpoint):
    """All figures together."""

    @extend_schema(
        summary="WIP, throughput, times, yields, Little's law; as CSV one row per stage",
        parameters=[shapes.FlowFilter],
        responses=shapes.SummarySerializer,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Answer the summary."""
        found = queries.flow(*self.asked(self.query(shapes.FlowFilter)))
        return self.told(found, shapes.SummarySerializer, StageFlow, found.stages)


class FlowCumulative(FlowEndpoint):
    """Cumulative flow."""

    @extend_schema(
        summary="How many runs had entered each stage by each day",
        parameters=[shapes.FlowFilter],
        responses=shapes.CumulativeSerializer,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Answer the bands of one blueprint."""
        found = queries.cumulative(*self.asked(self.query(shapes.FlowFilter)))
        points = _points(found.flow)
        return self.told(found, shapes.CumulativeSerializer, CumulativePoint, points)


class FlowHandOffs(FlowEndpoint):
    """The matrix of hand-offs."""

    @extend_schema(
        summary="Giver by receiver: wait, volume, returns; with both, the hand-offs themselves",
        parameters=[shapes.HandOffFlowFilter],
        responses=shapes.HandOffFlowSerializer,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Answer the matrix."""
        wanted = self.query(shapes.HandOffFlowFilter)
        cell = {name: wanted.get(name, "") for name in ("giver", "receiver")}
        found = queries.hand_off_flow(*self.asked(wanted), **cell)
        shape = shapes.HandOffFlowSerializer
        if all(cell.values()):
            return self.told(found, shape, HandOffRecord, found.records)
        return self.told(found, shape, HandOffPair, found.matrix.pairs)


class FlowAgeing(FlowEndpoint):
    """What is open for long."""

    @extend_schema(
        summary="Open stages against what their kind took: amber above p85, red above p95",
        parameters=[shapes.FlowFilter],
        responses=shapes.AgeingSerializer,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Answer what is open."""
        found = queries.ageing_flow(*self.asked(self.query(shapes.FlowFilter)))
        return self.told(found, shapes.AgeingSerializer, OpenVisit, found.ageing.open)


class FlowWaiting(FlowEndpoint):
    """What waiting costs."""

    @extend_schema(
        summary="The brief's value per day times days waited, run by run",
        parameters=[shapes.FlowFilter],
        responses=shapes.WaitingSerializer,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Answer the costs."""
        found = queries.waiting_flow(*self.asked(self.query(shapes.FlowFilter)))
        return self.told(found, shapes.WaitingSerializer, CostOfWaiting, found.waiting.runs)


class FlowGates(FlowEndpoint):
    """What each gate is worth."""

    @extend_schema(
        summary="What each gate stopped, missed and cost, with a suggestion",
        parameters=[shapes.FlowFilter],
        responses=shapes.GateFlowSerializer,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Answer the values."""
        found = queries.gate_flow(*self.asked(self.query(shapes.FlowFilter)))
        return self.told(found, shapes.GateFlowSerializer, GateValue, found.gates)


class FlowReturns(FlowEndpoint):
    """Why work came back."""

    @extend_schema(
        summary="Returns by reason, with the check that would have caught what recurs",
        parameters=[shapes.FlowFilter],
        responses=shapes.ReturnFlowSerializer,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Answer the reasons."""
        found = queries.return_flow(*self.asked(self.query(shapes.FlowFilter)))
        return self.told(found, shapes.ReturnFlowSerializer, ReasonReturns, found.reasons)


class FlowForecast(FlowEndpoint):
    """What is to come."""

    @extend_schema(
        summary="When each run under way will be done; what a change would do; past forecasts",
        parameters=[shapes.ForecastFilter],
        responses=shapes.ForecastSerializer,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Answer the forecasts."""
        wanted = self.query(shapes.ForecastFilter)
        found = queries.flow_forecast(*self.asked(wanted), change=shapes.change_of(wanted))
        shape = shapes.ForecastSerializer
        return self.told(found, shape, UseCaseForecast, found.use_cases)


class FlowModels(FlowEndpoint):
    """DORA's metrics, for models."""

    @extend_schema(
        summary="DORA's five of each model, time to detect drift, label lag",
        parameters=[shapes.FlowFilter],
        responses=shapes.ModelFlowsSerializer,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Answer the models."""
        found = queries.models(*self.asked(self.query(shapes.FlowFilter)))
        return self.told(found, shapes.ModelFlowsSerializer, ModelFlow, found.models)


def _points(flow: CumulativeFlow) -> Iterator[CumulativePoint]:
    for n, day in enumerate(flow.days):
        for band in flow.bands:
            yield CumulativePoint(day, band.stage, band.persona, band.entered[n], band.wip[n])
        yield CumulativePoint(day, "", "", flow.left[n], None)
