"""Stages, steps and attempts."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.runs.actions import stages, steps
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.stages import (
    AssignInput,
    AttemptDetailSerializer,
    AttemptSerializer,
    RerunInput,
    RetryInput,
    SendBackInput,
    StageAnswer,
    StageSerializer,
    StepAnswer,
    StepSerializer,
)
from portal.api.verbs import verb


class Stage(Endpoint):
    """One round of a stage."""

    @extend_schema(summary="A stage's round", responses=StageSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Answer the stage."""
        return self.show(access.stage_for(self.user, pk), StageSerializer)


class StageAssign(Endpoint):
    """Who owns a stage."""

    @extend_schema(summary="Give a stage an owner", request=AssignInput, responses=StageAnswer)
    def post(self, request: Request, pk: int) -> Response:
        """Assign the stage; a manager's act."""
        stage = access.stage_for(self.user, pk)
        given = self.read(AssignInput)
        answer = stages.assign(
            actor=self.actor,
            stage=stage,
            owner=access.person_named(given["owner"], field="owner"),
            reason=given["reason"],
            key=self.key,
        )
        return self.reply(answer)


class Step(Endpoint):
    """One step."""

    @extend_schema(summary="A step with its result", responses=StepSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Answer the step."""
        return self.show(access.step_for(self.user, pk), StepSerializer)


class StepAttempts(Endpoint):
    """The attempts of a step."""

    @extend_schema(summary="Its attempts, newest first", responses=AttemptSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Answer every attempt."""
        step = access.step_for(self.user, pk)
        return self.page(step.attempts.select_related("step__stage"), AttemptSerializer)


class Attempt(Endpoint):
    """One attempt."""

    @extend_schema(
        summary="An attempt with what it was given and made", responses=AttemptDetailSerializer
    )
    def get(self, request: Request, pk: int) -> Response:
        """Answer the attempt."""
        return self.show(access.attempt_for(self.user, pk), AttemptDetailSerializer)


StageTake = verb(
    "StageTake", noun="stage", fetch=access.stage_for, action=stages.take, answer=StageAnswer
)
StageSendBack = verb(
    "StageSendBack",
    noun="stage",
    fetch=access.stage_for,
    action=stages.send_back,
    answer=StageAnswer,
    body=SendBackInput,
)
StageRerun = verb(
    "StageRerun",
    noun="stage",
    fetch=access.stage_for,
    action=stages.rerun,
    answer=StageAnswer,
    body=RerunInput,
)
StepRetry = verb(
    "StepRetry",
    noun="step",
    fetch=access.step_for,
    action=steps.retry,
    answer=StepAnswer,
    body=RetryInput,
)
