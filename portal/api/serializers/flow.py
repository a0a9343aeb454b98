"""Flow: what is asked, and the shapes of the answers."""

from typing import Any

from rest_framework import serializers

from pipelines.insights import answers
from pipelines.insights.flow.dora import ModelFlow
from pipelines.insights.flow.gates import GateValue
from pipelines.insights.flow.hand_offs import HandOffPair
from pipelines.insights.flow.measures import Efficiency, Share
from pipelines.insights.flow.records import GateRecord, HandOffRecord, StageVisit, Window
from pipelines.insights.flow.returns import ReasonReturns
from pipelines.insights.flow.summary import FlowSummary
from pipelines.insights.flow.waiting import CostOfWaiting
from pipelines.insights.flow.walks import WhatIf
from pipelines.insights.reading import DAYS, LONGEST, Question
from portal.api.serializers.base import Input
from portal.api.serializers.shapes import Shapes

_shape = Shapes(
    links={
        StageVisit: ("stages", "id"),
        HandOffRecord: ("hand-offs", "id"),
        GateRecord: ("gates", "id"),
        CostOfWaiting: ("runs", "run"),
        answers.UseCaseForecast: ("use-cases", "use_case"),
    },
    records={
        (HandOffPair, "records"): "hand-offs",
        (GateValue, "records"): "gates",
        (ReasonReturns, "records"): "stages",
        (ModelFlow, "alerts"): "alerts",
    },
    also={
        Share: {"value": float | None},
        Efficiency: {"value": float | None},
        Window: {"days": float, "cut": bool},
    },
).of

SummarySerializer = _shape(FlowSummary)
CumulativeSerializer = _shape(answers.CumulativeFlows)
HandOffFlowSerializer = _shape(answers.HandOffFlow)
AgeingSerializer = _shape(answers.AgeingFlow)
WaitingSerializer = _shape(answers.WaitingFlow)
GateFlowSerializer = _shape(answers.GateFlow)
ReturnFlowSerializer = _shape(answers.ReturnFlow)
ForecastSerializer = _shape(answers.FlowForecast)
ModelFlowsSerializer = _shape(answers.ModelFlows)


class FlowFilter(Input):
    """Of what, and of how many days."""

    days = serializers.IntegerField(min_value=1, max_value=LONGEST, default=DAYS)
    use_case = serializers.SlugField(max_length=60, required=False)
    tier = serializers.IntegerField(min_value=1, max_value=3, required=False)
    blueprint = serializers.SlugField(max_length=60, required=False)
    persona = serializers.CharField(max_length=8, required=False)


class HandOffFlowFilter(FlowFilter):
    """With both personas the hand-offs between them are answered, too."""

    giver = serializers.CharField(max_length=8, required=False)
    receiver = serializers.CharField(max_length=8, required=False)


class ForecastFilter(FlowFilter):
    """With a change to try: stages by their keys."""

    parallel = serializers.RegexField(
        r"^[\w-]{1,60},[\w-]{1,60}$", required=False, help_text="two stages: approvals at once"
    )
    reviewer = serializers.SlugField(
        max_length=60, required=False, help_text="a stage whose gate gets one more reviewer"
    )
    reviewers = serializers.IntegerField(
        min_value=1, max_value=50, required=False, help_text="how many it has now (1)"
    )
    drop = serializers.SlugField(
        max_length=60, required=False, help_text="a stage whose gate is dropped"
    )


def question_of(wanted: dict[str, Any]) -> Question:
    """Return the question that the parameters ask."""
    names = ("days", "use_case", "tier", "blueprint", "persona")
    return Question(**{name: wanted[name] for name in names if name in wanted})


def change_of(wanted: dict[str, Any]) -> WhatIf | None:
    """Return the change to try; None where none is named."""
    if not any(name in wanted for name in ("parallel", "reviewer", "drop")):
        return None
    first, _, second = wanted.get("parallel", "").partition(",")
    return WhatIf(
        parallel=(first, second) if first else (),
        reviewer=wanted.get("reviewer", ""),
        reviewers=wanted.get("reviewers", 1),
        drop=wanted.get("drop", ""),
    )
