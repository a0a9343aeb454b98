"""Runs, and everything that happens in one."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from personas.queries import events_of
from pipelines.runs.actions import runs
from pipelines.runs.queries.baton import baton_of, fetch_rows
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.base import Reason
from portal.api.serializers.items import WorkItemSerializer
from portal.api.serializers.ledger import EventSerializer
from portal.api.serializers.reviews import CheckSerializer, GateSerializer, HandOffSerializer
from portal.api.serializers.runs import (
    BatonSerializer,
    RunAnswer,
    RunDetailSerializer,
    RunFilter,
    RunSerializer,
)
from portal.api.serializers.stages import AttemptSerializer, StageSerializer, StepSerializer
from portal.api.verbs import verb


class Runs(Endpoint):
    """The runs you may see."""

    @extend_schema(
        summary="Runs, newest first", parameters=[RunFilter], responses=RunSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """Answer a page of runs."""
        wanted = self.query(RunFilter)
        if "use_case" in wanted:
            wanted["use_case__key"] = wanted.pop("use_case")
        return self.page(access.runs_of(self.user).filter(**wanted), RunSerializer)


class Run(Endpoint):
    """One run."""

    @extend_schema(summary="A run with its current stages", responses=RunDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Answer the run."""
        return self.show(access.run_for(self.user, pk), RunDetailSerializer)


class RunBaton(Endpoint):
    """Who holds the run's baton."""

    @extend_schema(summary="Who holds the baton, and why", responses=BatonSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Answer those who hold it now: several where stages go on side by side."""
        run = access.run_for(self.user, pk)
        fetch_rows([run])
        return self.show(baton_of(run), BatonSerializer)


class RunStages(Endpoint):
    """The stages of a run."""

    @extend_schema(summary="All rounds of all stages", responses=StageSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Answer every round, oldest first."""
        run = access.run_for(self.user, pk)
        rows = run.stages.select_related("run__version", "owner", "returned_by")
        return self.page(rows, StageSerializer, ordering="id")


class RunSteps(Endpoint):
    """The steps of a run."""

    @extend_schema(summary="Its steps with their results", responses=StepSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Answer the steps of every round, oldest first."""
        run = access.run_for(self.user, pk)
        rows = run.steps.select_related("stage", "result", "edited_by")
        return self.page(rows, StepSerializer, ordering="id")


class RunAttempts(Endpoint):
    """The attempts of a run."""

    @extend_schema(summary="Every attempt", responses=AttemptSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Answer the attempts, newest first."""
        run = access.run_for(self.user, pk)
        rows = run.attempts.select_related("step__stage").defer(
            "log", "facts", "outputs", "inputs", "params"
        )
        return self.page(rows, AttemptSerializer)


class RunItems(Endpoint):
    """The work items of a run."""

    @extend_schema(summary="Its work items", responses=WorkItemSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Answer the work items, oldest first."""
        rows = access.items_of(self.user).filter(run=access.run_for(self.user, pk))
        return self.page(rows, WorkItemSerializer, ordering="id")


class RunGates(Endpoint):
    """The gates of a run."""

    @extend_schema(summary="Its gates", responses=GateSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Answer the gates, oldest first."""
        rows = access.gates_of(self.user).filter(run=access.run_for(self.user, pk)).defer("pack")
        return self.page(rows, GateSerializer, ordering="id")


class RunChecks(Endpoint):
    """The checks of a run."""

    @extend_schema(
        summary="Its checks, of gates and contracts", responses=CheckSerializer(many=True)
    )
    def get(self, request: Request, pk: int) -> Response:
        """Answer the checks, oldest first."""
        rows = access.run_for(self.user, pk).checks.select_related("waived_by")
        return self.page(rows, CheckSerializer, ordering="id")


class RunHandOffs(Endpoint):
    """The hand-offs of a run."""

    @extend_schema(summary="Its hand-offs", responses=HandOffSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Answer the hand-offs, oldest first."""
        rows = access.hand_offs_of(self.user).filter(run=access.run_for(self.user, pk))
        return self.page(rows, HandOffSerializer, ordering="id")


class RunEvents(Endpoint):
    """What happened in a run."""

    @extend_schema(summary="Its events, newest first", responses=EventSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Answer the run's stream of the ledger."""
        run = access.run_for(self.user, pk)
        return self.page(events_of(*run.stream), EventSerializer, ordering="-seq")


RunStart = verb("RunStart", noun="run", fetch=access.run_for, action=runs.start, answer=RunAnswer)
RunPause = verb(
    "RunPause", noun="run", fetch=access.run_for, action=runs.pause, answer=RunAnswer, body=Reason
)
RunResume = verb(
    "RunResume", noun="run", fetch=access.run_for, action=runs.resume, answer=RunAnswer
)
RunCancel = verb(
    "RunCancel", noun="run", fetch=access.run_for, action=runs.cancel, answer=RunAnswer, body=Reason
)
RunGiveUp = verb(
    "RunGiveUp",
    noun="run",
    fetch=access.run_for,
    action=runs.give_up,
    answer=RunAnswer,
    body=Reason,
)
