"""Stages, steps and attempts."""

from typing import Any, ClassVar

from rest_framework import serializers

from pipelines.runs.models import Attempt, Stage, Step
from pipelines.runs.presence import Offers, alive
from portal.api.serializers.base import Input, Output, PersonSerializer, Reason


def defined(stage: Stage) -> dict[str, Any]:
    """Return the stage's definition in the run's blueprint version, which must be loaded."""
    stages: list[dict[str, Any]] = stage.run.version.body["stages"]
    return next((one for one in stages if one["key"] == stage.key), {})


class StageSerializer(serializers.ModelSerializer[Stage]):
    """One round of a persona-owned part of a run."""

    persona = serializers.CharField(source="persona_id")
    title = serializers.SerializerMethodField()
    code = serializers.SerializerMethodField()
    owner = PersonSerializer(allow_null=True)
    returned_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Stage
        fields = (
            "id",
            "run",
            "key",
            "code",
            "title",
            "round",
            "current",
            "position",
            "persona",
            "state",
            "owner",
            "returned_by",
            "return_reason",
            "return_code",
            "created_at",
            "activated_at",
            "owned_at",
            "submitted_at",
            "finished_at",
            "due_at",
        )

    def get_title(self, stage: Stage) -> str:
        """Return the stage's title of the run's blueprint version."""
        return str(defined(stage).get("title", stage.key))

    def get_code(self, stage: Stage) -> str:
        """Return the stage's short code, such as S5."""
        return str(defined(stage).get("code", ""))


class AssignInput(Input):
    """Who owns the stage from now on."""

    owner = serializers.CharField(help_text="login name")
    reason = serializers.CharField(
        default="", allow_blank=True, max_length=10_000, help_text="needed to take it from someone"
    )


class SendBackInput(Input):
    """Where a failed stage goes back to, and why."""

    target = serializers.CharField(help_text="key of the stage")
    reason = serializers.CharField(max_length=10_000)
    reason_code = serializers.CharField()


class StageAnswer(Output):
    """The stage and its state now."""

    stage = serializers.IntegerField()
    run = serializers.IntegerField()
    key = serializers.CharField()
    round = serializers.IntegerField()
    state = serializers.CharField()
    owner = serializers.CharField(allow_null=True)


class StepSerializer(serializers.ModelSerializer[Step]):
    """One operation in one stage's round, with the result of its successful attempt."""

    stage_key = serializers.CharField(source="stage.key")
    round = serializers.IntegerField(source="stage.round")
    edited_by = PersonSerializer(allow_null=True)
    cached = serializers.SerializerMethodField()
    outputs = serializers.SerializerMethodField()
    facts = serializers.SerializerMethodField()

    class Meta:
        model = Step
        fields = (
            "id",
            "run",
            "stage",
            "stage_key",
            "round",
            "hand_off",
            "key",
            "position",
            "operation",
            "state",
            "tries",
            "losses",
            "overrides",
            "edited_by",
            "retry_at",
            "created_at",
            "result",
            "cached",
            "outputs",
            "facts",
        )

    def get_cached(self, step: Step) -> bool:
        """Whether the result was reused, as its inputs had not changed."""
        return step.result is not None and step.result.cached_from_id is not None

    def get_outputs(self, step: Step) -> dict[str, Any]:
        """Return the artefacts by output name: digest, size in bytes, media."""
        return step.result.outputs if step.result is not None else {}

    def get_facts(self, step: Step) -> dict[str, Any]:
        """Return what checks read of the result."""
        return step.result.facts if step.result is not None else {}


class RetryInput(Input):
    """How to try again."""

    overrides = serializers.DictField(default=dict, help_text="parameters to change")
    refuse_cache = serializers.BooleanField(default=False, help_text="compute even what is known")


class RerunInput(Reason):
    """Why a stage is done once more."""

    refuse_cache = serializers.BooleanField(default=False, help_text="compute even what is known")


class StepAnswer(Output):
    """The step with its new attempt."""

    step = serializers.IntegerField()
    attempt = serializers.IntegerField()
    state = serializers.CharField()


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One try of a step; `usage` holds seconds and MiB, and for a package's operation what was
    enforced. `package` says whose code it is, empty of Baton's own.
    """

    step_key = serializers.CharField(source="step.key")
    stage_key = serializers.CharField(source="step.stage.key")
    waits_for = serializers.SerializerMethodField()

    class Meta:
        model = Attempt
        fields = (
            "id",
            "run",
            "step",
            "step_key",
            "stage_key",
            "number",
            "state",
            "operation",
            "operation_version",
            "package",
            "queue",
            "waits_for",
            "priority",
            "due_at",
            "seed",
            "cache_key",
            "cached_from",
            "worker",
            "deliveries",
            "lease_until",
            "cancel_requested",
            "progress",
            "progress_text",
            "progress_rows",
            "progress_at",
            "error",
            "usage",
            "created_at",
            "started_at",
            "finished_at",
        )

    def get_waits_for(self, attempt: Attempt) -> str:
        """Why nobody alive takes it while it is queued, as "no worker offers gpu"; else empty."""
        if attempt.state != "QUEUED":
            return ""
        kept: dict[str, Any] = self.context  # one for a whole answer
        offers: Offers = kept.get("offers") or kept.setdefault("offers", alive())
        return offers.lacks(attempt.queue, attempt.operation)


class AttemptDetailSerializer(AttemptSerializer):
    """An attempt with all it was given and all it made."""

    class Meta(AttemptSerializer.Meta):
        fields: ClassVar[Any] = (
            *AttemptSerializer.Meta.fields,
            "params",
            "inputs",
            "outputs",
            "facts",
            "log",
        )
